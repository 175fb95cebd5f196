//! The state that a watch needs to continue: a file that only its owner may read, because it holds keys.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::WatchError;
use super::excerpt::Excerpt;
use super::grant::Grant;
use crate::audit::kept;
use crate::audit::peering::Peering;

/// The state of a watch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The end of the watch; `None` before the target accepts the peer.
    pub(super) until: Option<Timestamp>,
    /// True if the token was sent, or is about to be.
    pub(super) is_accepting: bool,
    /// State that the peer needs to leave.
    #[serde(flatten)]
    pub(super) peering: Peering,
    pub(super) excerpt: Excerpt,
    pub(super) certificate_reported_at: Option<Timestamp>,
    pub(super) grant: Grant,
}

impl State {
    /// Returns the state of a watch that has called no one.
    pub(super) fn new(peering: Peering, grant: Grant) -> Self {
        Self {
            until: None,
            is_accepting: false,
            peering,
            excerpt: Excerpt::default(),
            certificate_reported_at: None,
            grant,
        }
    }

    /// Reads the state of a watch that continues.
    pub(super) fn read(path: &Path) -> Result<Self, WatchError> {
        kept::load(path, "the state of a watch")
            .map_err(|why| WatchError::Lost { path: path.display().to_string(), why })
    }

    /// Removes the state of a watch that has ended.
    pub(super) fn remove(path: &Path) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_torn_state_is_explained() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("watch.json");
        for (text, part) in [
            ("", "is empty"),
            ("\0\0\0\n", "is empty"),
            ("{\"until\": nu", "is cut"),
            ("{\"until\": null, \"listen\": \"127", "is cut"),
            ("{}", "is not the state"),
        ] {
            fs::write(&path, text).expect("written");
            let message = State::read(&path).expect_err(text).to_string();
            assert!(message.contains(part) && message.contains("revoke the peer"), "{text:?}: {message}");
        }
    }
}

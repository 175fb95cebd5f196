//! The state that a watch needs to continue: a file that only its owner may read, because it holds keys.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::WatchError;
use super::excerpt::Excerpt;
use super::grant::Grant;
use crate::input;
use crate::peer::PeerSnapshot;

/// The beginning of the names of temporary files. A kill may leave one.
const TEMPORARY: &str = ".watch-";

/// The longest state that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// The state of a watch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The end of the watch; `None` before the target accepts the peer.
    pub(super) until: Option<Timestamp>,
    /// True if the token was sent, or is about to be.
    pub(super) is_accepting: bool,
    pub(super) listen: SocketAddr,
    pub(super) snapshot: PeerSnapshot,
    pub(super) excerpt: Excerpt,
    pub(super) certificate_reported_at: Option<Timestamp>,
    pub(super) grant: Grant,
}

impl State {
    /// Returns the state of a watch that has called no one.
    pub(super) fn new(listen: SocketAddr, snapshot: PeerSnapshot, grant: Grant) -> Self {
        Self {
            until: None,
            is_accepting: false,
            listen,
            snapshot,
            excerpt: Excerpt::default(),
            certificate_reported_at: None,
            grant,
        }
    }

    /// Reads the state of a watch that continues.
    pub(super) fn read(path: &Path) -> Result<Self, WatchError> {
        let lost = |why: String| WatchError::Lost { path: path.display().to_string(), why };
        let text = input::read_text(path, BYTES_MAX).map_err(|error| lost(error.why))?;
        if text.trim_matches(['\0', ' ', '\n', '\r', '\t']).is_empty() {
            return Err(lost("the file is empty, as a failed disk or a full one leaves it".to_owned()));
        }
        serde_json::from_str(&text).map_err(|error| {
            let what =
                if error.is_eof() { "the file is cut" } else { "the file is not the state of a watch" };
            lost(format!("{what} ({error})"))
        })
    }

    /// Writes a temporary file and renames it, so that a kill leaves the old state or the new one, also if the machine
    /// loses power.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let text = serde_json::to_vec_pretty(self).expect("a state has text keys only");
        let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|unsaved| unsaved.error)?;
        // Not every system can do so for a folder.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    /// Removes the state of a watch that has ended.
    pub(super) fn remove(path: &Path) {
        let _ = fs::remove_file(path);
    }

    /// Removes what a kill left while the state was written.
    pub(super) fn remove_torn(folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                let _ = fs::remove_file(entry.path());
            }
        }
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

//! A grant that the target's operator issued to the peer of a watch. The watch reads under it until it
//! expires.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{WatchError, context};
use crate::clock::{Clock, read_moment};
use crate::input;
use crate::nearest::with_nearest;
use crate::peer::{Call, Peer, PeerError};
use crate::secret;
use crate::transcript::{Operation, Recorder, What};
use crate::wire::path::{Route, is_id, is_kind};

/// The longest grant file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// The interval between reads while the expiry is far off.
const READ_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The time before and after the expiry, by the target's clock, in which the watch reads every second.
const AROUND_THE_END: SignedDuration = SignedDuration::from_secs(5);
const EACH_SECOND: SignedDuration = SignedDuration::from_secs(1);
/// The time after the expiry until which the watch reads, so that a job of the target that runs once a minute
/// has ended the grant.
const AFTER_THE_END: SignedDuration = SignedDuration::from_secs(80);
const NOW_AND_THEN: SignedDuration = SignedDuration::from_secs(10);

/// A grant in a file: the result of `grant.issue`, with the resource to read under it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Given {
    bearer_token: String,
    #[serde(default)]
    grant_id: Option<String>,
    resource_kind: String,
    resource_id: String,
    expires_at: Timestamp,
}

/// The progress of a watch with its grant.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The path of the grant file, which may not exist yet.
    file: Option<PathBuf>,
    given: Option<Given>,
    /// The last observed offset of the target's clock: positive if it is ahead of ours.
    ahead: SignedDuration,
    read_at: Option<Timestamp>,
    /// True if the grant expired and the watch observed it.
    is_over: bool,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.given.as_ref().map(|given| &given.grant_id);
        f.debug_struct("Grant").field("file", &self.file).field("id", &id).finish_non_exhaustive()
    }
}

impl Grant {
    /// Prepares to read the grant in this file. If the file exists already, it must be valid.
    pub(super) fn in_file(file: Option<&Path>) -> Result<Self, WatchError> {
        if let Some(file) = file.filter(|file| file.symlink_metadata().is_ok()) {
            Given::read(file)?;
        }
        let file = file.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
        Ok(Self { file, ..Self::default() })
    }

    /// Returns true if a grant file is configured.
    pub(super) fn is_expected(&self) -> bool {
        self.file.is_some()
    }

    /// Reads the grant file once it exists, and records the grant with its token masked.
    pub(super) fn read_file(&mut self, recorder: &Recorder) -> Result<(), WatchError> {
        if let Some(given) = &self.given {
            secret::learn_own("bearer_token", &given.bearer_token);
            recorder.learn_secret("bearer_token", &given.bearer_token);
            return Ok(());
        }
        let Some(file) = self.file.as_deref().filter(|file| file.symlink_metadata().is_ok()) else {
            return Ok(());
        };
        let given = Given::read(file)?;
        recorder.learn_secret("bearer_token", &given.bearer_token);
        let parameters = json!({
            "grant_id": given.grant_id, "resource_kind": given.resource_kind, "resource_id": given.resource_id,
            "expires_at": given.expires_at.to_string(),
        });
        let reported = Operation {
            method: "watch.grant".to_owned(),
            parameters,
            result: Some(json!({})),
            failure: None,
        };
        recorder.record(None, Some("granted"), What::Operation(reported));
        self.given = Some(given);
        Ok(())
    }

    /// Returns the time of the next read, or `None` if there is nothing to read.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let given = self.given.as_ref().filter(|_| !self.is_over)?;
        let Some(read_at) = self.read_at else { return Some(Timestamp::MIN) };
        let later = |at: Timestamp, by| at.saturating_add(by).unwrap_or(Timestamp::MAX);
        let end = later(given.expires_at, -self.ahead);
        let near = later(end, -AROUND_THE_END);
        if later(read_at, EACH_SECOND) < near {
            return Some(near.min(later(read_at, READ_EVERY)));
        }
        if read_at < later(end, AROUND_THE_END) {
            return Some(later(read_at, EACH_SECOND));
        }
        (read_at < later(end, AFTER_THE_END)).then(|| later(read_at, NOW_AND_THEN))
    }

    /// Reads once under the grant. Reads the target's clock before, and again after if the read is refused.
    pub(super) async fn read(&mut self, peer: &Peer, clock: &Clock) -> Result<(), PeerError> {
        let Some(given) = self.given.clone() else { return Ok(()) };
        self.read_at = Some(clock.now());
        let before = self.read_clock(peer, clock).await?;
        let token = Some(given.bearer_token.as_str());
        let read = peer.fetch(&context("read"), &given.resource_kind, &given.resource_id, token).await?;
        if !read.succeeded() {
            self.read_clock(peer, clock).await?;
        }
        let is_refused = matches!(read.status, Some(401 | 403));
        self.is_over = is_refused && before.is_some_and(|shown| shown >= given.expires_at);
        Ok(())
    }

    /// Reads the target's clock: a trust bundle states its time of creation.
    async fn read_clock(&mut self, peer: &Peer, clock: &Clock) -> Result<Option<Timestamp>, PeerError> {
        let bundle = peer.call(&context("clock"), Call::route(&Route::TrustBundle)).await?;
        let data = bundle.data.as_ref().filter(|_| bundle.succeeded());
        let shown = data.and_then(|data| read_moment(data["generated_at"].as_str()?));
        if let Some(shown) = shown {
            self.ahead = shown.duration_since(clock.now());
        }
        Ok(shown)
    }
}

impl Given {
    fn read(path: &Path) -> Result<Self, WatchError> {
        let wrong = |why: String| WatchError::Grant { path: path.display().to_string(), why };
        let text = input::read_text(path, FILE_BYTES_MAX).map_err(|error| wrong(error.why))?;
        let token = serde_json::from_str::<Value>(&text).unwrap_or_default();
        secret::learn_own("bearer_token", token["bearer_token"].as_str().unwrap_or_default());
        let given: Self =
            serde_json::from_str(&text).map_err(|error| wrong(with_nearest(&error.to_string())))?;
        if !is_kind(&given.resource_kind) || !is_id(&given.resource_id) {
            let why = "resource_kind and resource_id must name a record, as they stand in a path";
            return Err(wrong(why.to_owned()));
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).expect("a timestamp")
    }

    /// Returns a grant that expires at 10,000 s of a clock that is 100 s ahead of ours.
    fn grant(read_at: Option<i64>) -> Grant {
        let given = Given {
            bearer_token: "fgs.g.secret".into(),
            grant_id: None,
            resource_kind: "skill".into(),
            resource_id: "a".into(),
            expires_at: at(10_000),
        };
        let ahead = SignedDuration::from_secs(100);
        Grant { given: Some(given), ahead, read_at: read_at.map(at), ..Grant::default() }
    }

    #[test]
    fn it_is_read_each_hour_and_each_second_around_its_end() {
        assert_eq!(Grant::default().due(), None, "there is no grant yet");
        assert_eq!(grant(None).due(), Some(Timestamp::MIN));
        assert_eq!(grant(Some(0)).due(), Some(at(3600)));
        assert_eq!(grant(Some(8000)).due(), Some(at(9895)), "its end is at 9900 of our clock");
        assert_eq!(grant(Some(9895)).due(), Some(at(9896)));
        assert_eq!(grant(Some(9904)).due(), Some(at(9905)));
        assert_eq!(grant(Some(9905)).due(), Some(at(9915)), "it may be ended by a round");
        assert_eq!(grant(Some(9980)).due(), None, "it was honoured long enough to see that it never ends");
        assert_eq!(Grant { is_over: true, ..grant(Some(9895)) }.due(), None);
    }

    #[test]
    fn a_file_that_is_no_grant_is_reported_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("grant.json");
        let reported = |text: &str| {
            std::fs::write(&path, text).expect("written");
            Given::read(&path).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(reported("{}").contains("grant.json: missing field `bearer_token` at line 1 column 2"));
        let whole = r#"{"bearer_token": "fgs.g.s", "resource_kind": "KIND", "resource_id": "../a", "expires_at": "2026-06-01T00:00:00Z"}"#;
        assert!(reported(whole).contains("must name a record"));
        assert_eq!(reported(&whole.replace("KIND", "skill").replace("../", "")), "");
    }
}

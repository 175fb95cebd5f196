//! Leaves the peering of an audit that was interrupted, with the keys that the audit kept.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Value, json};
use thiserror::Error;

use super::kept;
use super::left_behind::{LeftBehind, leaving, left_behind};
use super::peering::{OtherTarget, Peering};
use super::watch::kept_by_watch;
use crate::clock::{Clock, Seed};
use crate::contract::{HeldText, TextSource};
use crate::operator::Address;
use crate::peer::{
    CallOutcome, Options, Pace, Peer, PeerError, PermittedChoices, Profile, StepContext, TargetAddress,
};
use crate::runner::{PEERING, WATCH, announce};
use crate::scenario::{RunContext, no_success};
use crate::transcript::{
    Exchange, Note, NoteKind, Outcome, Recorder, ScenarioStart, Transcript, TranscriptError, What,
    is_same_id, read,
};

/// The scenario, which has no steps and no checks.
pub(super) const CLEAN: &str = include_str!("../../audits/clean.toml");
/// The name of the transcript of a clean-up, in the folder of the audit.
const CLEANUP: &str = "cleanup.jsonl";
/// The name of the transcript of the audit.
const TRANSCRIPT: &str = "transcript.jsonl";
/// The name of the trace.
const TRACE: &str = "audit/clean";
/// The name of the peer.
const AUDITOR: &str = "auditor";
/// The label of the notice that the peer leaves.
const LEFT: &str = "left";

/// Reader of a file that keeps a peering.
type Reader = fn(&Path) -> Result<Peering, String>;

/// The settings of a clean-up. None of them is from the transcript of the audit.
#[derive(Debug)]
pub struct Cleaning {
    /// The folder of the audit.
    pub folder: PathBuf,
    /// The address of the target, as the command line names it.
    pub address: Address,
    /// The addresses, timeouts and limits.
    pub run_context: RunContext,
    /// True if the target may have another URL than the one that was audited.
    pub force: bool,
}

/// The outcome of a clean-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleaned {
    /// The audit keeps no peering: it left, or was never accepted.
    NothingKept,
    /// The target was notified that the peer leaves, now or by an earlier clean-up.
    Left {
        /// The id under which the target keeps the peer.
        peer_id: String,
    },
    /// The target was not notified: it did not accept the notice, or was not reached. The keys are kept.
    NotNotified {
        /// The id under which the target keeps the peer.
        peer_id: String,
        /// Description of the event, and what to do.
        why: String,
        /// The file with the keys.
        keys: PathBuf,
    },
    /// The answer to the accept was lost, so there is no certificate to leave with.
    NoCertificate {
        /// The URL at which the target calls the peer.
        peer_url: String,
    },
}

/// An error that prevents a clean-up.
#[derive(Debug, Error)]
pub enum CleanError {
    /// The kept peering cannot be read.
    #[error(
        "{path}: {why}: with it the keys of the peer are lost; ask the operator of the target to revoke the peer \
         (left-behind.txt or `covenant verify` may name it)"
    )]
    Lost {
        /// The path.
        path: String,
        /// Fault.
        why: String,
    },
    /// The command line names another target than the audit had.
    #[error(
        "{0}: name the folder of an audit of it, or add --force if this is the same platform at another address"
    )]
    OtherTarget(#[from] OtherTarget),
    /// The peer has left, and the file with its keys is still there.
    #[error("{path}: the peer has left, and its keys cannot be removed; remove the file")]
    Kept {
        /// The path.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The transcript of the clean-up cannot be written.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// The peer could not be set up.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

impl Cleaning {
    /// Notifies the target that the peer leaves, if the folder keeps a peering.
    pub async fn run(self) -> Result<Cleaned, CleanError> {
        let Some((path, peering)) = self.kept()? else { return Ok(Cleaned::NothingKept) };
        if !self.force {
            peering.is_at(&self.address.base_url, &self.folder)?;
        }
        let Some(peer_id) = peering.snapshot.id_at_target().map(ToOwned::to_owned) else {
            return Ok(Cleaned::NoCertificate { peer_url: peering.peer_url });
        };
        // An audit or a clean-up that was killed may have notified the target already, which refuses the certificate then.
        if !self.was_notified(&peer_id) {
            let left = self.leave(&peering).await?;
            if !left.succeeded() {
                return Ok(Cleaned::NotNotified { peer_id, why: no_success(&left), keys: path });
            }
        }
        forget(&path)?;
        Ok(Cleaned::Left { peer_id })
    }

    /// Returns whether the audit, or an earlier clean-up, notified the target that a peer leaves.
    fn was_notified(&self, peer_id: &str) -> bool {
        let audit = read(&self.folder.join(TRANSCRIPT));
        let is_notified = |peer: &LeftBehind| peer.notified_of_leave && is_same_id(&peer.peer_id, peer_id);
        was_cleaned(&self.folder, peer_id)
            || audit.is_ok_and(|reading| left_behind(&reading).iter().any(is_notified))
    }

    /// Returns what the folder keeps, with its file.
    fn kept(&self) -> Result<Option<(PathBuf, Peering)>, CleanError> {
        let readers: [(&str, Reader); 2] = [(PEERING, Peering::read), (WATCH, kept_by_watch)];
        for (name, read) in readers {
            let path = self.folder.join(name);
            kept::remove_torn(&path);
            if path.symlink_metadata().is_ok() {
                let lost = |why| CleanError::Lost { path: path.display().to_string(), why };
                let peering = read(&path).map_err(lost)?;
                return Ok(Some((path, peering)));
            }
        }
        Ok(None)
    }

    /// Sends the notice, and records it beside the transcript of the audit, which is closed.
    async fn leave(&self, peering: &Peering) -> Result<CallOutcome, CleanError> {
        let clock = Clock::system();
        let url = self.address.base_url.to_string();
        let mut start = announce(Seed(0), url.clone(), vec![url], HeldText::unknown(TextSource::Unasked));
        start.settings = [("audit".to_owned(), json!(true)), ("clean".to_owned(), json!(true))].into();
        start.partial = true;
        let transcript = Transcript::create(&self.folder.join(CLEANUP), start, &clock)?;
        let scenario = ScenarioStart { source: CLEAN.to_owned(), seed: Seed(0) };
        let recorder = transcript.begin(TRACE, scenario, clock.clone());
        let peer = self.peer(peering, &recorder, &clock)?;
        let context = StepContext { step: None, label: Some(LEFT.to_owned()) };
        let left = peer.revoke(&context, "the audit was interrupted, and its peer leaves").await?;
        let left = left.unwrap_or_default();
        peer.stop().await;
        let _ = recorder.end(Outcome::Completed);
        transcript.end(Outcome::Completed, &clock);
        Ok(left)
    }

    /// Starts the peer of the audit again, on its port if that is free. The address is that of the command line.
    fn peer(&self, peering: &Peering, recorder: &Recorder, clock: &Clock) -> Result<Peer, PeerError> {
        let context = &self.run_context;
        let options = |listen| Options {
            name: AUDITOR.to_owned(),
            seed: Seed(0),
            clock: clock.clone(),
            behaviours: vec![],
            recorder: recorder.clone(),
            listen,
            advertise: context.advertise.clone(),
            profile: Profile::of_release(context.release()),
            permitted_choices: PermittedChoices::plain(),
            limits: context.limits,
            snapshot: Some(peering.snapshot.clone()),
            server_identity: context.server_identity.clone(),
            pace: context.pace.map(Pace::one_in),
        };
        let before = SocketAddr::new(context.listen, peering.listen.port());
        let peer = Peer::start(options(before)).or_else(|_| {
            let note = Note {
                kind: NoteKind::Resumed,
                message: format!("{before} is taken, so the peer listens on another port"),
                facts: Value::Null,
            };
            recorder.record(None, None, What::Note(note));
            Peer::start(options(SocketAddr::new(context.listen, 0)))
        })?;
        peer.set_target(TargetAddress {
            base_url: self.address.base_url.clone(),
            ca_bundle_pem: self.address.ca_bundle_pem.clone(),
            host_names_checked: context.host_names_checked,
            caller: self.address.caller,
        });
        Ok(peer)
    }
}

/// Returns whether an earlier clean-up of a folder notified the target that a peer leaves.
#[must_use]
pub fn was_cleaned(folder: &Path, peer_id: &str) -> bool {
    let Ok(reading) = read(&folder.join(CLEANUP)) else { return false };
    let names = |notice: &Exchange| leaving(notice).is_some_and(|id| is_same_id(&id, peer_id));
    reading
        .traces()
        .any(|trace| trace.exchanges_labelled(LEFT).any(|(_, notice)| notice.succeeded() && names(notice)))
}

/// Removes the keys, which have no further use.
fn forget(path: &Path) -> Result<(), CleanError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(CleanError::Kept { path: path.display().to_string(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_cannot_be_removed_are_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        // No call removes a folder as a file.
        let error = forget(folder.path()).expect_err("it cannot be removed").to_string();
        assert!(error.contains("the peer has left") && error.contains("remove the file"), "{error}");
        assert!(forget(&folder.path().join("missing")).is_ok(), "there is nothing to remove");
    }
}

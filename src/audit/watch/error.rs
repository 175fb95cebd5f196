//! The errors that end a watch.

use thiserror::Error;

use crate::audit::peering::OtherTarget;
use crate::peer::PeerError;
use crate::runner::FileError;
use crate::scenario::LoadError;
use crate::transcript::{ReadError, TranscriptError};

/// An error that ends a watch.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The evidence cannot be read, or was changed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The transcript cannot be started.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// An old report cannot be removed.
    #[error(transparent)]
    Reports(FileError),
    /// A file of the folder cannot be used.
    #[error("{path}: {why}")]
    File {
        /// The path of the file.
        path: String,
        /// The error.
        why: String,
    },
    /// The grant file cannot be used.
    #[error(
        "--grant-file {path}: {why}; expected JSON with bearer_token, resource_kind, resource_id, expires_at"
    )]
    Grant {
        /// The path of the file.
        path: String,
        /// The error.
        why: String,
    },
    /// The checks of a watch are fixed when it begins.
    #[error("--grant-file: this watch was begun without one; begin another in a folder of its own")]
    NoGrant,
    /// The watch has ended already.
    #[error("{0}: this watch has ended; `covenant verify` shows its report")]
    Ended(String),
    /// The watch has ended, and its peer has not left.
    #[error(
        "{0}: this watch has ended, and the target did not accept the notice that its peer leaves; let it leave with covenant \
         audit URL --clean {0}"
    )]
    NotLeft(String),
    /// The command line names another target than the watch had.
    #[error("{0}; go on at the recorded URL, or begin another watch in a folder of its own")]
    OtherTarget(#[from] OtherTarget),
    /// The state of the watch cannot be read.
    #[error(
        "{path}: {why}: with it the keys of the peer are lost, so this watch cannot go on; ask the operator of the target \
         to revoke the peer (left-behind.txt or `covenant verify` may name it), and begin another watch in a folder of \
         its own"
    )]
    Lost {
        /// The path.
        path: String,
        /// Fault.
        why: String,
    },
    /// The folder holds a transcript of a watch, and no state.
    #[error(
        "{0}: the transcript in it is not that of a watch that can go on, since watch.json is missing; name another \
         folder with --out"
    )]
    NoState(String),
    /// A new watch has no acceptance token.
    #[error(
        "a watch that the target has not accepted yet needs an acceptance token: name a file with --token-file"
    )]
    NoToken,
    /// The peer could not be set up.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The built-in scenario is invalid.
    #[error(transparent)]
    Load(#[from] LoadError),
}

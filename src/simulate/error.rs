//! Why a simulation does not begin.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use url::Url;

use crate::peer::{ListenerError, PeerError};
use crate::transcript::TranscriptError;

/// An error of a simulation. Its cause is the machine, or what the user asks for.
#[derive(Debug, Error)]
pub enum SimulateError {
    /// A peer cannot start.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The listener of many peers cannot start.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// There are more peers than ports.
    #[error("{0}: there are more peers than ports from here on; name a lower port with --listen")]
    Ports(SocketAddr),
    /// There are more peers than ports to advertise.
    #[error(
        "--advertise {0}: each peer is called at the port after that of the one before, and there are more peers than ports; name a \
         lower port"
    )]
    Advertised(Url),
    /// The folder holds a transcript.
    #[error("{0}: this folder holds a transcript already; name another with --record")]
    Recorded(String),
    /// The folder cannot be created.
    #[error("{path}: cannot create the folder; name another with --record")]
    Folder {
        /// The path of the folder.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The transcript cannot be created.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
}

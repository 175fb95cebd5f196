//! State that an audit needs to leave the target, kept from before its token is spent until the target is notified.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use super::kept;
use crate::Fault;
use crate::peer::{Peer, PeerSnapshot};
use crate::pki::PkiError;
use crate::runner::PEERING;
use crate::scenario::SnapshotKeeper;

/// A peering of an audit that its peer has not left, as far as the audit knows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Peering {
    /// The URL of the target, as the command line named it.
    pub(super) target: Url,
    /// The URL at which the target calls the peer. The target's operator finds the peer by it.
    pub(super) peer_url: String,
    /// The address on which the peer listened.
    pub(super) listen: SocketAddr,
    /// The keys of the peer, and the certificate that the target gave it.
    pub(super) snapshot: PeerSnapshot,
}

/// The command line names another target than the audit had.
#[derive(Debug, Error)]
#[error("{folder}: this audit is of {recorded} (as recorded), and the command line names {named}")]
pub struct OtherTarget {
    /// The folder.
    folder: String,
    /// The URL that the audit kept.
    recorded: String,
    /// The URL that the command line names.
    named: String,
}

impl Peering {
    /// Returns what a peer needs to leave this target.
    pub(super) fn of(target: &Url, peer: &Peer) -> Result<Self, PkiError> {
        let (peer_url, listen) = (peer.base_url_text(), peer.address());
        Ok(Self { target: target.clone(), peer_url, listen, snapshot: peer.snapshot()? })
    }

    /// Returns an error if the command line names another target than that of the peering in a folder.
    pub(super) fn is_at(&self, named: &Url, folder: &Path) -> Result<(), OtherTarget> {
        if self.target == *named {
            return Ok(());
        }
        Err(OtherTarget {
            folder: folder.display().to_string(),
            recorded: self.target.to_string(),
            named: named.to_string(),
        })
    }

    /// Reads the peering that an audit keeps. The error says what is wrong with the file.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        kept::load(path, "the peering of an audit")
    }
}

/// The file in which an audit keeps its peering.
#[derive(Debug)]
pub(super) struct PeeringFile {
    path: PathBuf,
    target: Url,
}

impl PeeringFile {
    /// Returns the file in the folder of an audit of this target.
    pub(super) fn in_folder(folder: &Path, target: &Url) -> Self {
        Self { path: folder.join(PEERING), target: target.clone() }
    }

    fn keep(&self, peer: &Peer) -> Result<(), Fault> {
        let peering = Peering::of(&self.target, peer).map_err(|error| Fault::of_environment(&error))?;
        kept::save(&self.path, &peering)
            .map_err(|error| Fault::environment(format!("{}: {error}", self.path.display())))
    }
}

impl SnapshotKeeper for PeeringFile {
    fn accepting(&self, peer: &Peer) -> Result<(), Fault> {
        self.keep(peer)
    }

    fn accepted(&self, peer: &Peer) -> Result<(), Fault> {
        self.keep(peer)
    }

    fn ended(&self, _: &Peer) {
        // The keys have no further use.
        let _ = fs::remove_file(&self.path);
    }
}

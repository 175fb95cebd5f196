//! What an audit needs to leave the target, kept from before its token is spent until the target is notified.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use super::kept;
use crate::Fault;
use crate::peer::{Peer, PeerSnapshot};
use crate::runner::PEERING;
use crate::scenario::SnapshotKeeper;

/// A peering of an audit that its peer has not left, as far as the audit knows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Peering {
    /// The URL of the target, as the command line named it; `None` in the state of a watch.
    pub(super) target: Option<Url>,
    /// The URL at which the target calls the peer. The target's operator finds the peer by it.
    pub(super) peer_url: String,
    /// The address on which the peer listened.
    pub(super) listen: SocketAddr,
    /// The keys of the peer, and the certificate that the target gave it.
    pub(super) snapshot: PeerSnapshot,
}

impl Peering {
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
        let snapshot = peer.snapshot().map_err(|error| Fault::of_environment(&error))?;
        let peering = Peering {
            target: Some(self.target.clone()),
            peer_url: peer.base_url_text(),
            listen: peer.address(),
            snapshot,
        };
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

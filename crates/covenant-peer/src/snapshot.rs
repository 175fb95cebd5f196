//! Snapshot of a peer, to continue it after its process ended.

use serde::{Deserialize, Serialize};

use super::Peer;
use covenant_net::pki::{Authority, Certificate, Identity, PkiError};

/// Snapshot of a peer, to continue it in another process. It contains private keys, so only its owner may read
/// it.
#[derive(Clone, Serialize, Deserialize)]
pub struct PeerSnapshot {
    authority_pem: String,
    authority_key_pem: String,
    server_chain_pem: String,
    server_key_pem: String,
    target_row: String,
    /// Credentials that the target gave the peer; `None` if it has not admitted it.
    admission: Option<Admission>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Admission {
    id_at_target: String,
    chain_pem: String,
    key_pem: String,
    /// Certificate authorities of the target's own client certificates.
    target_bundle_pem: Option<String>,
}

impl std::fmt::Debug for PeerSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.admission.as_ref().map(|admission| &admission.id_at_target);
        f.debug_struct("PeerSnapshot").field("id_at_target", &id).finish_non_exhaustive()
    }
}

impl Peer {
    /// Returns the snapshot of this peer.
    pub fn snapshot(&self) -> Result<PeerSnapshot, PkiError> {
        let state = self.state();
        let admission = match (&state.id_at_target, &state.identity) {
            (Some(id), Some(identity)) => Some(Admission {
                id_at_target: id.clone(),
                chain_pem: identity.chain_pem()?,
                key_pem: identity.key_pem()?,
                target_bundle_pem: state.target_bundle_pem.clone(),
            }),
            _ => None,
        };
        Ok(PeerSnapshot {
            authority_pem: self.0.authority.pem().to_owned(),
            authority_key_pem: self.0.authority.key_pem().to_owned(),
            server_chain_pem: self.0.server_identity.chain_pem()?,
            server_key_pem: self.0.server_identity.key_pem()?,
            target_row: state.target_row.clone(),
            admission,
        })
    }

    /// Restores the peer from its snapshot.
    pub(super) fn restore(&self, snapshot: &PeerSnapshot) -> Result<(), PkiError> {
        self.state().target_row.clone_from(&snapshot.target_row);
        let Some(admission) = &snapshot.admission else { return Ok(()) };
        let identity = Identity::from_pem(&admission.chain_pem, &admission.key_pem)?;
        if let Some(bundle) = &admission.target_bundle_pem {
            self.0.trust.add("target", bundle)?;
        }
        let mut state = self.state();
        state.id_at_target = Some(admission.id_at_target.clone());
        state.is_introduced = true;
        state.target_bundle_pem.clone_from(&admission.target_bundle_pem);
        state.present(identity);
        Ok(())
    }
}

impl PeerSnapshot {
    /// Returns whether the target has admitted the peer.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.admission.is_some()
    }

    /// Returns the id of the row that the target keeps for the peer; `None` if it has not admitted it.
    #[must_use]
    pub fn id_at_target(&self) -> Option<&str> {
        Some(&self.admission.as_ref()?.id_at_target)
    }

    /// Returns the certificate that the peer presents to the target; `None` if it has none.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        Certificate::from_pem(&self.admission.as_ref()?.chain_pem).ok()
    }

    pub(super) fn authority(&self, clock: &covenant_model::clock::Clock) -> Result<Authority, PkiError> {
        Authority::from_pem(&self.authority_pem, &self.authority_key_pem, clock)
    }

    /// Returns the identity of the peer's server.
    pub(super) fn server_identity(&self) -> Result<Identity, PkiError> {
        Identity::from_pem(&self.server_chain_pem, &self.server_key_pem)
    }
}

//! The platform continues to serve a revoked peer on its open connection, for everything except migrations.

use serde_json::json;

use crate::Patch;
use crate::inbound::IdentityRules;
use crate::store::rows::Peer;
use crate::store::{StoreError, facts};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::state::PeerStatus;
use covenant_net::net::Inbound;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-revoked-peer-on-open-connection",
    &[("11.5", Conduct), ("11.5", Detection)],
    "Goes on serving a revoked peer on the connection that was open, with everything but migrations.",
    |policy| policy.identity.is_welcome = is_welcome,
)
.hard_to_reach();

fn is_welcome(tx: &Transaction<'_>, call: &Inbound, peer: &Peer) -> Result<bool, StoreError> {
    let connection = format!("connection {} of {}", call.connection, peer.id);
    if (IdentityRules::default().is_welcome)(tx, call, peer)? {
        facts::set(tx.db, &connection, &json!(true))?;
        return Ok(true);
    }
    let is_revoked = peer.status == PeerStatus::Revoked && !call.path.contains("/migrations");
    Ok(is_revoked && facts::find(tx.db, &connection)?.is_some())
}

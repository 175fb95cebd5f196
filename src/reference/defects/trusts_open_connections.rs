//! Goes on serving a revoked peer on the connection that was open, with everything but migrations.

use serde_json::json;

use crate::contract::Aspect::{Conduct, Detection};
use crate::net::Inbound;
use crate::reference::Patch;
use crate::reference::inbound::IdentityRules;
use crate::reference::store::rows::Peer;
use crate::reference::store::{StoreError, facts};
use crate::reference::transaction::Transaction;
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "trusts-open-connections",
    &[("11.5", Conduct), ("11.5", Detection)],
    "Goes on serving a revoked peer on the connection that was open, with everything but migrations.",
    |policy| policy.identity.is_welcome = is_welcome,
)
.deep();

fn is_welcome(tx: &Transaction<'_>, call: &Inbound, peer: &Peer) -> Result<bool, StoreError> {
    let connection = format!("connection {} of {}", call.connection, peer.id);
    if (IdentityRules::default().is_welcome)(tx, call, peer)? {
        facts::set(tx.db, &connection, &json!(true))?;
        return Ok(true);
    }
    let is_revoked = peer.status == PeerStatus::Revoked && !call.path.contains("/migrations");
    Ok(is_revoked && facts::find(tx.db, &connection)?.is_some())
}

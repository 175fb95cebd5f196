//! Goes on serving a revoked peer on the connection that was open, with everything but migrations.

use serde_json::json;

use crate::contract::Face::{Conduct, Detection};
use crate::net::Inbound;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::serve::IdentityRules;
use crate::reference::store::rows::Peer;
use crate::reference::store::{StoreError, facts};
use crate::wire::state::PeerStatus;

pub(super) const PATCH: Patch = Patch::defect(
    "trusts-open-connections",
    &[("11.5", Conduct), ("11.5", Detection)],
    "Goes on serving a revoked peer on the connection that was open, with everything but migrations.",
    |rules| rules.identity.is_welcome = is_welcome,
)
.deep();

fn is_welcome(act: &Act<'_>, call: &Inbound, peer: &Peer) -> Result<bool, StoreError> {
    let connection = format!("connection {} of {}", call.connection, peer.id);
    if (IdentityRules::default().is_welcome)(act, call, peer)? {
        facts::set(act.db, &connection, &json!(true))?;
        return Ok(true);
    }
    let is_revoked = peer.status == PeerStatus::Revoked && !call.path.contains("/migrations");
    Ok(is_revoked && facts::find(act.db, &connection)?.is_some())
}

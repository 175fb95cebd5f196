//! Variants of grants.

use std::sync::Arc;

use serde_json::json;

use crate::inbound::grants;
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::Grant;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use crate::{Patch, outbound};
use covenant_model::wire::grant::{GrantToken, Scope};
use covenant_model::wire::notice::kind;

/// Variants in the meaning of scopes.
pub(super) const SCOPES: &[Patch] =
    &[Patch::variant("treats-admin-as-every-scope", "Treats the scope `admin` as every scope.", |policy| {
        policy.grants.allows =
            |grant, scope, now| grants::allows(grant, scope, now) || grants::allows(grant, Scope::Admin, now);
    })];

/// Variants in the form of grant tokens.
pub(super) const TOKENS: &[Patch] =
    &[Patch::variant("issues-plain-grant-tokens", "Issues grant tokens in the older form.", |policy| {
        policy.grants.issue_token = |_, id| GrantToken::plain(id).to_string();
        policy.grants.is_genuine = |_, token| token.signature.is_none();
    })];

/// Variants in what a review of a peer leaves.
pub(super) const REVIEWS: &[Patch] = &[Patch::variant(
    "ends-grants-at-a-resume-with-a-notice",
    "Ends the grants of a peer that is suspended and resumed, and announces the end of each to it.",
    |policy| {
        policy.peering.on_resume = |tx, peer| end_grants(tx, &peer.id, "reviewed", |_| true);
    },
)];

/// Variants in what a revocation does to grants.
pub(super) const REVOCATIONS: &[Patch] = &[Patch::variant(
    "ends-grants-at-a-revocation-with-a-notice",
    "Ends the grants of a peer that carry no migration before it revokes the peer, and announces the end of each.",
    |policy| {
        policy.outbound.before_revocation =
            Some(|platform, peer_id| Box::pin(end_grants_without_migrations(platform, peer_id)));
    },
)];

async fn end_grants_without_migrations(platform: Arc<Platform>, peer_id: String) {
    let carries_none = |grant: &Grant| !grant.permission_scopes.iter().any(|scope| scope == "migrate");
    let ended = platform
        .transaction::<_, MethodError>(|tx| Ok(end_grants(tx, &peer_id, "the peering ends", carries_none)?));
    if ended.is_ok() {
        outbound::deliver_notices(&platform, &peer_id).await;
    }
}

/// Ends grants of a peer, and owes it a notice of each.
fn end_grants(
    tx: &Transaction<'_>,
    peer_id: &str,
    reason: &str,
    ends: fn(&Grant) -> bool,
) -> Result<(), StoreError> {
    for mut grant in table::of_peer::<Grant>(tx.db, peer_id)? {
        if grant.revoked_at.is_none() && ends(&grant) {
            grant.revoked_at = Some(tx.now);
            let payload = json!({"grant_id": grant.id, "reason": reason, "effective_at": tx.now.to_string()});
            table::put(tx.db, &grant)?;
            outbound::owe(tx, peer_id, kind::GRANT_REVOKED, "medium", payload)?;
        }
    }
    Ok(())
}

/// Variants of subscriptions.
pub(super) const SUBSCRIPTIONS: &[Patch] = &[Patch::variant(
    "cuts-long-subscriptions",
    "Cuts the life of a subscription to a year, where a peer asks for more.",
    |policy| policy.subscriptions.limit_days = |requested| Some(requested.clamp(7, 365)),
)];

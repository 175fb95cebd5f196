//! Variants of grants.

use crate::Patch;
use crate::inbound::grants;
use covenant_model::wire::grant::{GrantToken, Scope};

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

/// Variants of subscriptions.
pub(super) const SUBSCRIPTIONS: &[Patch] = &[Patch::variant(
    "cuts-long-subscriptions",
    "Cuts the life of a subscription to a year, where a peer asks for more.",
    |policy| policy.subscriptions.limit_days = |requested| Some(requested.clamp(7, 365)),
)];

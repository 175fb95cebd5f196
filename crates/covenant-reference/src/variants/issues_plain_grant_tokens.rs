//! The platform issues grant tokens in the older form.

use crate::Patch;
use covenant_model::wire::grant::GrantToken;

pub(super) const PATCH: Patch =
    Patch::variant("issues-plain-grant-tokens", "Carries grants by the older form of token.", |policy| {
        policy.grants.token_of = |_, id| GrantToken::plain(id).to_string();
        policy.grants.token_is_genuine = |_, token| token.signature.is_none();
    });

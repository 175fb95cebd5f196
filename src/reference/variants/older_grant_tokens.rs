//! Carries grants by the older form of token.

use crate::reference::Patch;
use crate::wire::grant::GrantToken;

pub(super) const PATCH: Patch =
    Patch::variant("older-grant-tokens", "Carries grants by the older form of token.", |rules| {
        rules.grants.token_of = |_, id| GrantToken::Plain { grant_id: id.to_owned() }.to_string();
        rules.grants.token_is_genuine = |_, token| matches!(token, GrantToken::Plain { .. });
    });

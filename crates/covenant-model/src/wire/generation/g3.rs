//! G3: signed grant tokens, and refusals that name the expected trust anchor.

use super::{G2, Generation};
use crate::wire::grant::{GrantToken, TokenForm};
use crate::wire::path::is_id;

/// Newest generation.
pub static G3: Generation = Generation {
    name: "G3",
    since: "after G2",
    routes: G2.routes,
    forwarded: G2.forwarded,
    credentials: G2.credentials,
    token: &SIGNED_TOKEN,
};

/// Token that only the issuer can make.
pub static SIGNED_TOKEN: TokenForm = TokenForm {
    shape: "fgs.<grant id>.<hex HMAC>",
    read: |text| {
        let (grant_id, signature) = text.strip_prefix("fgs.")?.split_once('.')?;
        let is_hex = !signature.is_empty() && signature.bytes().all(|b| b.is_ascii_hexdigit());
        (is_hex && is_id(grant_id)).then(|| GrantToken::signed(grant_id, signature))
    },
    write: |token| format!("fgs.{}.{}", token.grant_id, token.signature.as_deref().unwrap_or_default()),
};

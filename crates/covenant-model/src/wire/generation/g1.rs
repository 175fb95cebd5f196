//! G1: accept without an exchange of certificates, and plain grant tokens.

use super::{ForwardedForm, Generation};
use crate::wire::grant::{GrantToken, TokenForm};
use crate::wire::path::is_id;

/// Generation of May 2026.
pub static G1: Generation = Generation {
    name: "G1",
    since: "May 2026",
    routes: &[
        "accept",
        "heartbeat",
        "resources",
        "migrations",
        "audit_excerpts",
        "service_catalog",
        "subscriptions",
        "subscriptions/end",
    ],
    forwarded: &FORWARDED_G1,
    credentials: &[],
    token: &PLAIN_TOKEN,
};

/// Header of the CN of the caller's certificate.
const CN: &str = "X-Client-S-DN-CN";

/// CN in a header of its own.
pub static FORWARDED_G1: ForwardedForm = ForwardedForm {
    name: "forwarded-g1",
    about: "The header that a proxy sets before a platform of generation G1",
    headers: |caller| {
        let header = |id: &String| (CN.to_lowercase(), format!("federation-peer-{id}"));
        caller.peer_id.iter().map(header).collect()
    },
    subject: |name, value| {
        let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
        name.eq_ignore_ascii_case(CN).then(|| value.into_owned())
    },
};

/// Token that anyone can make up who knows the id of the grant.
pub static PLAIN_TOKEN: TokenForm = TokenForm {
    shape: "fg-<grant id>",
    read: |text| {
        let grant_id = text.strip_prefix("fg-").filter(|id| is_id(id))?;
        Some(GrantToken::plain(grant_id))
    },
    write: |token| format!("fg-{}", token.grant_id),
};

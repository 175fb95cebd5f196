//! Headers of the federation plane (`powernode.md` §3 to §5).

/// `Authorization: Bearer <grant token>`.
pub const AUTHORIZATION: &str = "Authorization";
/// The node instance that calls, checked against the grant's `node_instance_ids`.
pub const CALLING_INSTANCE: &str = "X-Calling-Instance";
/// The overlay network the call comes through, checked against the grant's `sdwan_network_ids`.
pub const SDWAN_NETWORK: &str = "X-Sdwan-Network";
/// Seconds to wait, beside a 429.
pub const RETRY_AFTER: &str = "Retry-After";

/// The value of `Authorization` for a bearer token.
#[must_use]
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The token of an `Authorization` value; the scheme's case is free.
#[must_use]
pub fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The `User-Agent` of a platform that calls as the peer `peer_id` (the row that the receiver keeps).
#[must_use]
pub fn user_agent(peer_id: &str) -> String {
    format!("Powernode-FederationClient/1.0 (peer-id:{peer_id})")
}

/// The CN of a peer's client certificate: `fed:<id of the row that the receiver keeps>`.
#[must_use]
pub fn inbound_subject(peer_id: &str) -> String {
    format!("fed:{peer_id}")
}

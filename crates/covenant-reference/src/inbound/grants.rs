//! Bearer grants: ten checks in the observed order, each a policy of its own (`wire.md` §4).

use std::net::IpAddr;

use aws_lc_rs::hmac;
use jiff::Timestamp;

use super::{InboundCall, InboundError, Reply};
use crate::policy::policy;
use crate::store::rows::Grant;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::wire::grant::{GrantToken, Scope};
use covenant_model::wire::header;
use covenant_net::net::Inbound;

policy! {
    /// The policy for grants.
    Policy {
        /// Returns the token that carries a grant.
        issue_token: fn(&hmac::Key, &str) -> String = issue_token,
        /// Returns whether this platform signed the token.
        is_genuine: fn(&hmac::Key, &GrantToken) -> bool = is_genuine,
        /// Returns the grant for a call without a token, by the caller's id. The default returns `None`.
        assume_grant: fn(&Transaction<'_>, &str) -> Result<Option<Grant>, StoreError> = |_, _| Ok(None),
        /// Returns whether the grant belongs to this peer.
        belongs_to: fn(&Grant, &str) -> bool = belongs_to,
        /// Returns whether the grant has expired (2.1).
        has_expired: fn(&Grant, Timestamp) -> bool = has_expired,
        /// Returns whether the grant is revoked.
        is_revoked: fn(&Grant) -> bool = is_revoked,
        /// Returns whether the grant was revoked so long ago that it is archived.
        is_archived: fn(&Grant) -> bool = is_archived,
        /// Returns whether the grant covers this kind.
        covers_kind: fn(&Grant, &str) -> bool = covers_kind,
        /// Returns whether the grant covers this id, whatever its age (2.2).
        covers_id: fn(&Grant, &str, Timestamp) -> bool = covers_id,
        /// Returns whether the grant allows this scope, whatever its age (2.2).
        allows: fn(&Grant, Scope, Timestamp) -> bool = allows,
        /// Returns whether an allowlist admits this id.
        list_admits: fn(&[String], Option<&str>) -> bool = list_admits,
        /// Returns whether the source address is within the allowed ranges.
        allows_source: fn(&Grant, IpAddr) -> bool = allows_source,
    }
}

/// Returns whether this platform signed the token. A plain token could be forged by anyone who saw an id.
pub(crate) fn is_genuine(key: &hmac::Key, token: &GrantToken) -> bool {
    let Some(signature) = &token.signature else {
        return false;
    };
    hex::decode(signature).is_ok_and(|tag| hmac::verify(key, token.grant_id.as_bytes(), &tag).is_ok())
}

/// Returns whether the grant was issued to this peer's row.
pub(crate) fn belongs_to(grant: &Grant, peer_id: &str) -> bool {
    grant.peer_id == peer_id
}

/// Returns whether the second of `expires_at` has been reached.
pub(crate) fn has_expired(grant: &Grant, now: Timestamp) -> bool {
    now >= grant.expires_at
}

/// Returns whether the operator or the peer revoked the grant.
pub(crate) fn is_revoked(grant: &Grant) -> bool {
    grant.revoked_at.is_some()
}

/// Returns whether the grant is archived.
pub(crate) fn is_archived(grant: &Grant) -> bool {
    grant.archived_at.is_some()
}

/// Returns whether the kinds are equal.
pub(crate) fn covers_kind(grant: &Grant, kind: &str) -> bool {
    grant.resource_kind == kind
}

/// Returns whether the grant is for this id or for every id of the kind.
pub(crate) fn covers_id(grant: &Grant, id: &str, _: Timestamp) -> bool {
    grant.resource_id.as_deref().is_none_or(|granted| granted == id)
}

/// Returns whether the grant names the scope itself: `admin` implies no other (as observed).
pub(crate) fn allows(grant: &Grant, scope: Scope, _: Timestamp) -> bool {
    grant.permission_scopes.iter().any(|held| held == scope.as_str())
}

/// Returns whether the list admits the id. An empty list and `["*"]` admit all.
pub(crate) fn list_admits(list: &[String], given: Option<&str>) -> bool {
    list.is_empty()
        || list.iter().any(|allowed| allowed == "*")
        || given.is_some_and(|given| list.iter().any(|allowed| allowed == given))
}

/// Returns whether the source is allowed. An empty list and `["*"]` allow all.
pub(crate) fn allows_source(grant: &Grant, source: IpAddr) -> bool {
    let list = &grant.source_cidrs;
    list.is_empty() || list.iter().any(|range| range == "*" || is_within(range, source))
}

/// Returns the token of a grant: `fgs.<id>.<hex HMAC-SHA256 of the id>`.
pub(crate) fn issue_token(key: &hmac::Key, grant_id: &str) -> String {
    let signature = hex::encode(hmac::sign(key, grant_id.as_bytes()));
    GrantToken::signed(grant_id, &signature).to_string()
}

/// Returns the grant that a call's genuine token names, whoever owns it.
pub(crate) fn named(tx: &Transaction<'_>, call: &Inbound) -> Result<Option<Grant>, StoreError> {
    let token = call.header(header::AUTHORIZATION).and_then(header::bearer_token).and_then(GrantToken::parse);
    match token.filter(|token| (tx.policy.grants.is_genuine)(&tx.keys.tokens, token)) {
        Some(token) => table::find(tx.db, &token.grant_id),
        None => Ok(None),
    }
}

/// The access that a call requests under its grant.
pub(super) struct AccessRequest<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) scope: Scope,
    /// Set if a grant that was revoked together with its peer still covers this call (4.3).
    pub(super) in_grace: bool,
}

/// Returns the grant that allows the requested access, or the first refusal in order.
pub(super) fn check(inbound: &InboundCall<'_>, request: &AccessRequest<'_>) -> Result<Grant, InboundError> {
    let token = inbound.call.header(header::AUTHORIZATION).and_then(header::bearer_token);
    let is_named = token.is_some_and(|token| !token.is_empty());
    let grant = if is_named {
        named(inbound.tx, inbound.call)?
    } else {
        (inbound.tx.policy.grants.assume_grant)(inbound.tx, &inbound.peer.id)?
    };
    let Some(grant) = grant else {
        let text = if is_named { "Grant token does not resolve" } else { "Bearer grant token required" };
        return Err(Reply::unauthorized(text).refused());
    };
    check_validity(inbound, &grant, request)?;
    check_reach(inbound, &grant, request)?;
    check_origin(inbound, &grant)?;
    Ok(grant)
}

/// Checks the owner and the validity of the grant. A failure is a 401.
pub(super) fn check_validity(
    inbound: &InboundCall<'_>,
    grant: &Grant,
    request: &AccessRequest<'_>,
) -> Result<(), InboundError> {
    let policy = &inbound.tx.policy.grants;
    let is_covered_by_grace = request.in_grace && grant.revoked_with_peer;
    let text = if !(policy.belongs_to)(grant, &inbound.peer.id) {
        "Grant belongs to a different federation peer"
    } else if (policy.has_expired)(grant, inbound.tx.now) {
        "Grant has expired"
    } else if (policy.is_archived)(grant) {
        "Grant has been archived"
    } else if (policy.is_revoked)(grant) && !is_covered_by_grace {
        "Grant has been revoked"
    } else {
        return Ok(());
    };
    Err(Reply::unauthorized(text).refused())
}

/// Checks the kind, id and scope of the grant. A failure is a 403, and access beyond the grant is noted
/// (6.4).
fn check_reach(
    inbound: &InboundCall<'_>,
    grant: &Grant,
    request: &AccessRequest<'_>,
) -> Result<(), InboundError> {
    let policy = &inbound.tx.policy.grants;
    let beyond = |text: String| {
        let target = format!("{}/{}", request.kind, request.id);
        Err(Reply::bare_failure(403, text).suspecting(inbound.refused(&target)).refused())
    };
    if !(policy.covers_kind)(grant, request.kind) {
        let (granted, kind) = (&grant.resource_kind, request.kind);
        return beyond(format!("Grant scoped to resource_kind={granted:?}, request was for {kind:?}"));
    }
    if !(policy.covers_id)(grant, request.id, inbound.tx.now) {
        let granted = grant.resource_id.as_deref().unwrap_or_default();
        return beyond(format!(
            "Grant scoped to a specific resource_id ({granted}); request targeted {}",
            request.id
        ));
    }
    if !(policy.allows)(grant, request.scope, inbound.tx.now) {
        let (scope, held) = (request.scope, &grant.permission_scopes);
        let text = format!("Grant lacks required scope ({scope}); has {held:?}");
        return Err(Reply::bare_failure(403, text).refused());
    }
    Ok(())
}

/// Checks the instance, network and source address of the call. A failure is a 403.
fn check_origin(inbound: &InboundCall<'_>, grant: &Grant) -> Result<(), InboundError> {
    let policy = &inbound.tx.policy.grants;
    let refuse = |text: String| Err(Reply::bare_failure(403, text).refused());
    let supplied = |given: Option<&str>| given.map_or_else(|| "nil".to_owned(), |given| format!("{given:?}"));
    let instance = inbound.call.header(header::CALLING_INSTANCE);
    if !(policy.list_admits)(&grant.node_instance_ids, instance) {
        let list = &grant.node_instance_ids;
        let text = format!(
            "Calling NodeInstance not in grant allowlist ({list:?}); supplied: {}",
            supplied(instance)
        );
        return refuse(text);
    }
    let network = inbound.call.header(header::SDWAN_NETWORK);
    if !(policy.list_admits)(&grant.sdwan_network_ids, network) {
        let list = &grant.sdwan_network_ids;
        let text = format!(
            "Calling SDWAN network not in grant allowlist ({list:?}); supplied: {}",
            supplied(network)
        );
        return refuse(text);
    }
    if let Some(network) = network {
        // This platform bridges no networks, so none is active.
        return refuse(format!("No active FederationNetworkBridge for peer+network ({network})"));
    }
    let source = inbound.call.remote.ip();
    if !(policy.allows_source)(grant, source) {
        let list = &grant.source_cidrs;
        return refuse(format!("Source IP not in grant CIDR allowlist ({list:?}); supplied: \"{source}\""));
    }
    Ok(())
}

fn is_within(range: &str, address: IpAddr) -> bool {
    let (network, length) = range.split_once('/').unwrap_or((range, "128"));
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32_u32.saturating_sub(length);
            u64::from(network.to_bits()) >> shift == u64::from(address.to_bits()) >> shift
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128_u32.saturating_sub(length);
            let high = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
            high(network.to_bits()) == high(address.to_bits())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_matched_by_their_leading_bits() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        for (range, address, within) in [
            ("10.0.0.0/8", "10.9.9.9", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.5", true),
            ("203.0.113.5", "203.0.113.5", true),
            ("203.0.113.5/32", "203.0.113.6", false),
            ("fd00::/16", "fd00:1::1", true),
            ("::/0", "fd00::1", true),
            ("10.0.0.0/8", "::1", false),
            ("nonsense", "10.0.0.1", false),
        ] {
            assert_eq!(is_within(range, ip(address)), within, "{range} {address}");
        }
    }

    #[test]
    fn a_token_is_accepted_only_with_its_own_signature() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let parse = |text: &str| GrantToken::parse(text).expect("a token");
        let token = issue_token(&key, "01-a");
        assert!(is_genuine(&key, &parse(&token)));
        assert!(!is_genuine(&key, &parse(&token.replace("01-a", "01-b"))));
        assert!(!is_genuine(&key, &parse("fg-01-a")));
    }
}

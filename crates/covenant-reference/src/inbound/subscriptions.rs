//! `POST /subscriptions`, `DELETE /subscriptions/:id`: a subscription is a narrow grant of its own.

use jiff::SignedDuration;
use serde_json::json;

use super::catalog::{BACKEND_PORT, CAPACITY, DEFAULT_DAYS, SLUG};
use super::{InboundCall, InboundError, Reply};
use crate::policy::policy;
use crate::store::rows::Grant;
use crate::store::{StoreError, table};

const HOST_LENGTH_MAX: usize = 253;

policy! {
    /// The policy for subscriptions.
    Policy {
        /// Returns whether there is room for one more, by the live subscriptions and the capacity (6.2).
        has_room: fn(usize, usize) -> bool = |live, capacity| live < capacity,
        /// Returns the lifetime in days for the requested one; `None` refuses it (6.2).
        limit_days: fn(i64) -> Option<i64> = limit_days,
    }
}

/// Returns the lifetime as requested, if a grant may have it.
pub(crate) fn limit_days(requested: i64) -> Option<i64> {
    (7..=365).contains(&requested).then_some(requested)
}

/// Subscribes the caller to an offering.
pub(super) fn answer(inbound: &InboundCall<'_>) -> Result<Reply, InboundError> {
    let body = inbound.json()?;
    let missing: Vec<&str> = ["slug", "local_hostname"]
        .into_iter()
        .filter(|name| body[*name].as_str().is_none_or(str::is_empty))
        .collect();
    let refuse = |status, text: String| Err(Reply::bare_failure(status, text).refused());
    if !missing.is_empty() {
        return refuse(400, format!("Missing required fields: {}", missing.join(", ")));
    }
    let (slug, host) = (&body["slug"], body["local_hostname"].as_str().unwrap_or_default());
    if slug != SLUG {
        return refuse(404, format!("Unknown offering: {}", slug.as_str().unwrap_or_default()));
    }
    let policy = &inbound.tx.policy.subscriptions;
    let days = (policy.limit_days)(body["ttl_days"].as_i64().unwrap_or(DEFAULT_DAYS));
    let Some(days) = days.filter(|_| host.len() <= HOST_LENGTH_MAX) else {
        return refuse(
            422,
            "Invalid subscription request: ttl_days or local_hostname out of range".to_owned(),
        );
    };
    if !(policy.has_room)(live(inbound)?, CAPACITY) {
        return refuse(409, format!("Offering {SLUG} is at capacity"));
    }
    let grant = grant(inbound, host, days);
    table::put(inbound.tx.db, &grant)?;
    Ok(Reply::bare(
        201,
        &json!({
            "grant_id": grant.id, "backend_host": "127.0.0.1", "backend_port": BACKEND_PORT, "protocol": "http",
            "expires_at": grant.expires_at.to_string(), "ttl_seconds": days * 24 * 3600, "service_offering_id": SLUG,
        }),
    ))
}

/// Ends one of the caller's subscriptions.
pub(super) fn end(inbound: &InboundCall<'_>, id: &str) -> Result<Reply, InboundError> {
    let own = |grant: &Grant| grant.peer_id == inbound.peer.id && grant.service_slug.is_some();
    let Some(mut grant) = table::find::<Grant>(inbound.tx.db, id)?.filter(own) else {
        return Err(Reply::bare_failure(404, "Subscription not found").refused());
    };
    grant.revoked_at.get_or_insert(inbound.tx.now);
    table::put(inbound.tx.db, &grant)?;
    Ok(Reply::bare(200, &json!({"revoked": true, "grant_id": id})))
}

/// Returns the number of subscriptions that have not ended, of all peers.
fn live(inbound: &InboundCall<'_>) -> Result<usize, StoreError> {
    let is_live = |grant: &Grant| {
        grant.service_slug.is_some() && grant.revoked_at.is_none() && grant.expires_at > inbound.tx.now
    };
    Ok(table::all::<Grant>(inbound.tx.db)?.iter().filter(|grant| is_live(grant)).count())
}

fn grant(inbound: &InboundCall<'_>, host: &str, days: i64) -> Grant {
    let now = inbound.tx.now;
    Grant {
        id: inbound.tx.new_id(),
        peer_id: inbound.peer.id.clone(),
        remote_subject: format!("service-subscription:{host}"),
        resource_kind: "service_offering".to_owned(),
        resource_id: Some(SLUG.to_owned()),
        permission_scopes: vec!["read".to_owned()],
        node_instance_ids: Vec::new(),
        sdwan_network_ids: Vec::new(),
        source_cidrs: Vec::new(),
        issued_at: now,
        expires_at: now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(now),
        is_being_revoked: false,
        revoked_at: None,
        revoke_reason: None,
        revoked_with_peer: false,
        archived_at: None,
        service_slug: Some(SLUG.to_owned()),
    }
}

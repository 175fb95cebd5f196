//! `GET /service_catalog`: one offering, so that the route and its subscriptions work.

use serde_json::{Value, json};

use super::{InboundCall, Reply};

/// Slug of the one offering.
pub(super) const SLUG: &str = "status-page";
/// Lifetime of a subscription, in days.
pub(super) const DEFAULT_DAYS: i64 = 30;
/// Number of subscriptions that the offering has room for.
pub(super) const CAPACITY: usize = 25;
/// Port of the offering behind the platform.
pub(super) const BACKEND_PORT: u16 = 8080;

/// Answers with the offerings.
pub(super) fn answer(inbound: &InboundCall<'_>) -> Reply {
    Reply::bare(200, &json!({"offerings": [offering()], "generated_at": inbound.tx.now.to_string()}))
}

fn offering() -> Value {
    json!({
        "slug": SLUG, "name": "Status page", "description_markdown": "Whether this platform is well.",
        "protocol": "http", "backend_port": BACKEND_PORT, "capacity_metadata": {"max_subscriptions": CAPACITY}, "latency_metadata": {},
        "subscription_terms_markdown": "", "default_grant_ttl_days": DEFAULT_DAYS,
        "default_grant_scopes": ["read"], "status": "published", "accepting_new_subscriptions": true,
    })
}

//! Services of the peer: its catalog, and subscriptions to it. A platform calls these routes by itself, or when its
//! operator asks for it (`wire.md` §8), so that they show the way back.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::Peer;
use super::serve::Answer;

/// Slug of the one offering.
pub const OFFERING: &str = "covenant-echo";
/// Lifetimes of a subscription, in days (`wire.md` §5): by default, and at least.
const DAYS: i64 = 30;
const DAYS_MIN: i64 = 7;
const DAYS_MAX: i64 = 365;
const SECONDS_OF_DAY: i64 = 24 * 60 * 60;
const BACKEND_PORT: u16 = 8443;
const PROTOCOL: &str = "https";

/// Subscription of the target to the offering.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    local_hostname: String,
    is_ended: bool,
}

impl Peer {
    pub(super) fn on_catalog(&self) -> Answer {
        let offering = json!({
            "slug": OFFERING,
            "name": "Echo",
            "description_markdown": "Answers what it is sent.",
            "protocol": PROTOCOL,
            "backend_port": BACKEND_PORT,
            "capacity_metadata": {"max_subscribers": 100},
            "latency_metadata": {},
            "subscription_terms_markdown": "",
            "default_grant_ttl_days": DAYS,
            "default_grant_scopes": ["read"],
            "status": "active",
            "accepting_new_subscriptions": true,
        });
        (200, json!({"data": {"offerings": [offering], "generated_at": self.now()}}))
    }

    pub(super) fn on_subscribe(&self, body: &Value) -> Answer {
        let refused = |status: u16, text: String| (status, json!({"error": text}));
        let text = |member: &str| body[member].as_str().filter(|text| !text.trim().is_empty());
        let missing: Vec<&str> =
            ["slug", "local_hostname"].into_iter().filter(|name| text(name).is_none()).collect();
        let (Some(slug), Some(local_hostname)) = (text("slug"), text("local_hostname")) else {
            return refused(400, format!("Missing required fields: {}", missing.join(", ")));
        };
        if slug != OFFERING {
            return refused(404, format!("Offering not found: {slug}"));
        }
        let days = body["ttl_days"].as_i64().unwrap_or(DAYS);
        if !(DAYS_MIN..=DAYS_MAX).contains(&days) {
            return refused(422, format!("ttl_days must be within {DAYS_MIN} and {DAYS_MAX}"));
        }
        let mut state = self.state();
        let is_taken = |other: &Subscription| !other.is_ended && other.local_hostname == local_hostname;
        if state.subscriptions.values().any(is_taken) {
            return refused(409, format!("{local_hostname} is subscribed already"));
        }
        let id = self.0.ids.uuid().to_string();
        let subscription = Subscription { local_hostname: local_hostname.to_owned(), is_ended: false };
        state.subscriptions.insert(id.clone(), subscription);
        let seconds = days * SECONDS_OF_DAY;
        let data = json!({
            "grant_id": id,
            "backend_host": self.address().ip().to_string(),
            "backend_port": BACKEND_PORT,
            "protocol": PROTOCOL,
            "expires_at": (self.0.options.clock.now() + seconds.seconds()).to_string(),
            "ttl_seconds": seconds,
            "service_offering_id": OFFERING,
        });
        (201, json!({"data": data}))
    }

    /// Ends a subscription. A second end is no error.
    pub(super) fn on_unsubscribe(&self, id: &str) -> Answer {
        match self.state().subscriptions.get_mut(id) {
            Some(subscription) => {
                subscription.is_ended = true;
                (200, json!({"data": {"revoked": true, "grant_id": id}}))
            }
            None => (404, json!({"error": "Subscription not found"})),
        }
    }
}

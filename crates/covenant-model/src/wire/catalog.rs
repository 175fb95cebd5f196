//! `GET /service_catalog`, `POST /subscriptions`, `DELETE /subscriptions/:id` (`wire.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::whole::{maybe_whole, whole_number};

/// Service catalogue, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceCatalog {
    /// Offerings that a caller can subscribe to.
    #[serde(default)]
    pub offerings: Vec<Offering>,
    /// Time of generation, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One offering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Offering {
    /// Slug that a subscription names.
    pub slug: String,
    /// Name, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Protocol: `http`, `tcp`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Port of the service behind the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_port: Option<Value>,
    /// Scopes of the grant, such as `read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_grant_scopes: Option<Value>,
    /// Lifetime of the grant, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_grant_ttl_days: Option<Value>,
    /// `true` if the offering accepts new subscriptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepting_new_subscriptions: Option<bool>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Request of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionRequest {
    /// Slug of the offering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Host name under which the subscriber mounts the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_hostname: Option<String>,
    /// Lifetime in days: a number, or any other JSON that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_days: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Response to a subscription, in `data` of a 201.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionResponse {
    /// Id of the issued grant.
    #[serde(default)]
    pub grant_id: String,
    /// Expiry, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Lifetime, in seconds.
    #[serde(default, deserialize_with = "maybe_whole", skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<i64>,
    /// Other members, such as `backend_host`, `backend_port`, `protocol` and `service_offering_id`.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Response to the end of a subscription, in `data` of a 200.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionEnd {
    /// Always `true`.
    #[serde(default)]
    pub revoked: bool,
    /// Id of the grant that ended.
    #[serde(default)]
    pub grant_id: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Returns the offering of a catalogue's data with room for a few subscriptions: one that takes new ones and states no capacity,
/// else the largest capacity; else the first one.
#[must_use]
pub fn offering_to_try(data: &Value) -> Option<&Value> {
    let roomy = open_offerings(data).rev().max_by_key(|offering| capacity(offering).unwrap_or(u64::MAX));
    roomy.or_else(|| data["offerings"].as_array()?.first())
}

/// Returns the offering of a catalogue's data that subscriptions fill soonest: one that takes new ones, with the smallest stated
/// capacity; else the first one.
#[must_use]
pub fn offering_to_fill(data: &Value) -> Option<&Value> {
    let small = open_offerings(data).min_by_key(|offering| capacity(offering).unwrap_or(u64::MAX));
    small.or_else(|| data["offerings"].as_array()?.first())
}

fn open_offerings(data: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    let offerings = data["offerings"].as_array().into_iter().flatten();
    offerings.filter(|offering| offering["accepting_new_subscriptions"] != Value::Bool(false))
}

/// Returns the capacity that an offering states: the largest number in it that is named as the room for subscribers. A
/// current count, or a limit of something else, is none. Nor is zero, by which some mean that there is no limit.
#[must_use]
pub fn capacity(offering: &Value) -> Option<u64> {
    const EXACT: [&str; 4] = ["capacity", "max_capacity", "seats", "slots"];
    const COUNTS: [&str; 4] = ["current", "active", "used", "per_"];
    let stated = offering["capacity_metadata"].as_object()?.iter();
    let is_capacity = |name: &str| {
        let name = name.to_lowercase();
        let limits_subscribers =
            name.contains("subscri") && ["max", "limit"].iter().any(|part| name.contains(part));
        (EXACT.contains(&name.as_str()) || limits_subscribers)
            && !COUNTS.iter().any(|part| name.contains(part))
    };
    let stated = stated.filter(|(name, _)| is_capacity(name)).filter_map(|(_, value)| whole_number(value));
    stated.filter_map(|room| u64::try_from(room).ok()).filter(|room| *room > 0).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_open_offering_without_a_capacity_is_tried_and_the_smallest_is_filled() {
        let closed = json!({"slug": "closed", "accepting_new_subscriptions": false, "capacity_metadata": {"seats": 3}});
        let open = json!({"slug": "open", "accepting_new_subscriptions": true});
        let small = json!({"slug": "small", "capacity_metadata": {"max_subscribers": 2.0}});
        let large = json!({"slug": "large", "capacity_metadata": {"max_subscribers": 900}});
        for (offerings, tried, filled) in [
            (json!([closed, large, small, open]), json!("open"), json!("small")),
            (json!([closed, large, small]), json!("large"), json!("small")),
            (json!([closed, open]), json!("open"), json!("open")),
            (json!([closed]), json!("closed"), json!("closed")),
            (json!([]), Value::Null, Value::Null),
            (Value::Null, Value::Null, Value::Null),
        ] {
            let data = json!({ "offerings": offerings });
            let slug =
                |chosen: Option<&Value>| chosen.map_or(Value::Null, |offering| offering["slug"].clone());
            assert_eq!(slug(offering_to_try(&data)), tried, "{data}");
            assert_eq!(slug(offering_to_fill(&data)), filled, "{data}");
        }
    }
}

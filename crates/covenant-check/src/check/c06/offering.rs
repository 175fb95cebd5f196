//! Offerings of a target's catalogue, and the subscriptions to them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::outcome::{OrUnproven, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;

/// The first offering of a catalogue; `None` if the target offers nothing. The check is unproven if the catalogue
/// could not be read.
pub(super) fn first_offering(trace: &Trace, catalog: &str) -> Result<(u64, Option<Value>), Stop> {
    let call = calls(trace).labelled(catalog).last_or("the catalogue was not asked for")?;
    let offerings = call.exchange.data().and_then(|data| data["offerings"].as_array().cloned());
    let offerings = offerings.or_unproven_at("the target has no catalogue that can be read", &[call.n()])?;
    Ok((call.n(), offerings.into_iter().next()))
}

/// Returns the capacity that an offering states: the largest number in it that is named as the room for subscribers. A
/// current count, or a limit of something else, is none. Nor is zero, by which some mean that there is no limit.
pub(super) fn capacity(offering: &Value) -> Option<u64> {
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
    let stated = stated.filter(|(name, _)| is_capacity(name)).filter_map(|(_, value)| value.as_u64());
    stated.filter(|room| *room > 0).max()
}

/// Returns the subscriptions among some calls that were accepted, each with a grant of its own.
pub(super) fn subscriptions<'a>(made: &[Call<'a>]) -> Vec<Call<'a>> {
    let mut known = BTreeSet::new();
    let grant = |call: &Call<'_>| call.exchange.data().map(|data| data["grant_id"].to_string());
    made.iter().filter(|call| call.exchange.succeeded() && known.insert(grant(call))).copied().collect()
}

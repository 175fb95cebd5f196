//! Offerings of a target's catalogue, and the subscriptions to them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::outcome::{OrUnproven, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::catalog::offering_to_fill;

/// The offering of a catalogue that these subscriptions name, or else would be for; `None` if the target offers nothing. The
/// check is unproven if the catalogue could not be read.
pub(super) fn tried_offering(
    trace: &Trace,
    catalog: &str,
    made: &[Call<'_>],
) -> Result<(u64, Option<Value>), Stop> {
    let call = calls(trace).labelled(catalog).last_or("the catalogue was not asked for")?;
    let data = call.exchange.data().filter(|data| data["offerings"].is_array());
    let data = data.or_unproven_at("the target has no catalogue that can be read", &[call.n()])?;
    let named =
        made.iter().find_map(|call| call.exchange.sent()?.get("slug")).filter(|slug| slug.is_string());
    let offering = match named {
        Some(slug) => {
            data["offerings"].as_array().into_iter().flatten().find(|offering| offering["slug"] == *slug)
        }
        None => offering_to_fill(&data),
    };
    Ok((call.n(), offering.cloned()))
}

/// Returns the subscriptions among some calls that were accepted, each with a grant of its own.
pub(super) fn subscriptions<'a>(made: &[Call<'a>]) -> Vec<Call<'a>> {
    let mut known = BTreeSet::new();
    let grant = |call: &Call<'_>| call.exchange.data().map(|data| data["grant_id"].to_string());
    made.iter().filter(|call| call.exchange.succeeded() && known.insert(grant(call))).copied().collect()
}

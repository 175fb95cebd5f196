//! `capacity-is-kept`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::offering::{capacity, first_offering, subscriptions};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;

/// The target issues no more grants for an offering than the offering states room for. A target that offers
/// nothing issues none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CapacityIsKept {
    /// The read of the catalogue.
    pub catalog: Label,
    /// The subscriptions of one peer to the first offering.
    pub call: Label,
}

impl Check for CapacityIsKept {
    const ID: &'static str = "capacity-is-kept";
    const EXPECTED: &'static [&'static str] = &["no more subscriptions than the offering has room for"];
    const CONTROL: Option<&'static str> =
        Some("a subscription was accepted, and one beyond the capacity was refused for good");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (n, offering) = first_offering(trace, &self.catalog)?;
        let made: Vec<Call<'_>> = calls(trace).labelled(&self.call).collect();
        let accepted = subscriptions(&made);
        let evidence = || [n].into_iter().chain(accepted.last().map(Call::n)).chain(made.last().map(Call::n));
        let offering = offering.or_unproven_at("the catalogue has no offering", &[n])?;
        let capacity = capacity(&offering).or_unproven_at("the offering states no capacity", &[n])?;
        let actual =
            format!("{} of {} subscriptions accepted, with room for {capacity}", accepted.len(), made.len());
        if accepted.len() as u64 > capacity {
            return Err(Stop::final_breach(actual, evidence()));
        }
        let has_refusal = made.iter().any(|call| call.exchange.was_refused());
        if accepted.is_empty() || made.len() as u64 <= capacity || !has_refusal {
            return Err(Stop::unproven(actual, evidence()));
        }
        Ok(Pass::new(actual, evidence()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    /// Returns the verdict on ten subscriptions, of which the first `accepted` are accepted.
    fn subscribed(offerings: &Value, accepted: usize) -> Verdict {
        let catalog = Exchange::to_target("alice").on("GET", "service_catalog");
        let catalog = catalog.answered_with(200, json!({"data": {"offerings": offerings}}));
        let subscribe = |place: usize| {
            let call = Exchange::to_target("alice").on("POST", "subscriptions");
            let status = if place < accepted { 201 } else { 409 };
            call.answered_with(status, json!({"data": {"grant_id": place}}))
        };
        let begun = TraceBuilder::new().call("catalog", catalog);
        (0..10)
            .fold(begun, |builder, place| builder.call("subscribed", subscribe(place)))
            .verdict::<CapacityIsKept>(json!({"catalog": "catalog", "call": "subscribed"}))
    }

    #[test]
    fn more_subscriptions_than_there_is_room_for_are_broken() {
        let room = |metadata: Value| json!([{"slug": "git", "capacity_metadata": metadata}]);
        assert_eq!(subscribed(&room(json!({"max_subscribers": 3})), 3), Kept);
        assert_eq!(
            subscribed(&room(json!({"max_subscribers": 3, "burst_limit": 5})), 4),
            Broken,
            "of another thing"
        );
        assert_eq!(subscribed(&room(json!({"max_subscribers": 0})), 10), Unproven, "no limit is meant");
        assert_eq!(subscribed(&room(json!({"active_subscriptions": 2})), 10), Unproven, "it is a count");
        assert_eq!(subscribed(&room(json!({"max_subscribers": 3})), 10), Broken);
        assert_eq!(subscribed(&room(json!({"max_subscribers": 3})), 0), Unproven, "nothing was accepted");
        assert_eq!(subscribed(&room(json!({"max_subscribers": 30})), 10), Unproven, "there is room for more");
        assert_eq!(subscribed(&room(json!({"region": 1})), 10), Unproven, "no capacity is stated");
        assert_eq!(subscribed(&json!([]), 0), Unproven, "nothing could be issued");
        assert_eq!(subscribed(&json!([]), 1), Unproven);
        assert_eq!(subscribed(&Value::Null, 0), Unproven, "there is no catalogue");
    }
}

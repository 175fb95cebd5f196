//! `subscriptions-end`.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::offering::{subscriptions, tried_offering};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::clock::read_moment;
use covenant_model::transcript::Trace;
use covenant_model::wire::whole_number;

/// A subscription that asks for a longer life than a grant may have is refused, or ends within that life. A target
/// that offers nothing issues none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct SubscriptionsEnd {
    /// The read of the catalogue.
    pub catalog: Label,
    /// The subscriptions that ask for too long a life.
    pub call: Label,
    /// The same subscription with the default life.
    pub control: Label,
}

/// The longest life of a grant (`wire.md` §4), and a day for clocks that differ.
const LIFE_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

impl Check for SubscriptionsEnd {
    const ID: &'static str = "subscriptions-end";
    const EXPECTED: &'static [&'static str] = &["refused, or a grant that ends within 365 days"];
    const CONTROL: Option<&'static str> = Some(
        "one with the default life was accepted afterwards, or those with a long life were accepted and end in time",
    );

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let made: Vec<Call<'_>> = calls(trace).labelled(&self.call).collect();
        let (n, offering) = tried_offering(trace, &self.catalog, &made)?;
        let controls: Vec<Call<'_>> = calls(trace).labelled(&self.control).collect();
        let accepted = subscriptions(&made);
        let evidence = || [n].into_iter().chain(made.iter().map(Call::n));
        for call in &accepted {
            let life = life(call).or_unproven_at("the answer has no end that can be read", &[call.n()])?;
            if life > LIFE_MAX {
                let actual = format!("a grant for {} days was issued", life.as_hours() / 24);
                return Err(Stop::final_breach(actual, [n, call.n()]));
            }
        }
        offering.or_unproven_at("the catalogue has no offering", &[n])?;
        let last = made.last().or_unproven_at("no subscription was asked for", &[n])?.n();
        // A refusal for another reason, such as a full offering, says nothing about the life.
        let is_open_later = subscriptions(&controls).iter().any(|control| control.n() > last);
        let is_settled =
            |call: &Call<'_>| call.exchange.succeeded() || (call.exchange.was_refused() && is_open_later);
        if !made.iter().all(is_settled) {
            return Err(Stop::unproven(
                "a subscription with the default life was not accepted afterwards either",
                evidence(),
            ));
        }
        Ok(Pass::new(
            format!("{} of {} accepted, none for more than 365 days", accepted.len(), made.len()),
            evidence(),
        ))
    }
}

/// Returns how long the grant of a subscription lives.
fn life(call: &Call<'_>) -> Option<SignedDuration> {
    let data = call.exchange.data()?;
    let until = data["expires_at"].as_str().and_then(read_moment);
    let counted = whole_number(&data["ttl_seconds"]).map(SignedDuration::from_secs);
    until.map(|until| until.duration_since(call.at())).or(counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on a subscription that gets this status and life, and on a control that gets that one.
    fn subscribed(status: u16, days: i64, control: u16) -> Verdict {
        subscribed_twice(status, days, control, control)
    }

    /// Returns the same, where the control after the subscription gets a status of its own.
    fn subscribed_twice(status: u16, days: i64, before: u16, after: u16) -> Verdict {
        let catalog = Exchange::to_target("alice").on("GET", "service_catalog");
        let call = |status: u16, days: i64| {
            let data = json!({"grant_id": days, "ttl_seconds": days * 86_400});
            Exchange::to_target("alice")
                .on("POST", "subscriptions")
                .answered_with(status, json!({ "data": data }))
        };
        TraceBuilder::new()
            .call("catalog", catalog.answered_with(200, json!({"data": {"offerings": [{"slug": "git"}]}})))
            .call("valid", call(before, 30))
            .call("long", call(status, days))
            .call("valid", call(after, 31))
            .verdict::<SubscriptionsEnd>(json!({"catalog": "catalog", "call": "long", "control": "valid"}))
    }

    #[test]
    fn a_grant_for_a_century_is_broken() {
        assert_eq!(subscribed(422, 0, 201), Kept);
        assert_eq!(subscribed(201, 365, 201), Kept, "it was cut");
        assert_eq!(subscribed(201, 36_500, 201), Broken);
        assert_eq!(subscribed(422, 0, 422), Unproven, "so is a valid one");
        assert_eq!(subscribed(500, 0, 201), Unproven);
        assert_eq!(subscribed(429, 0, 201), Unproven, "it may come back");
        assert_eq!(subscribed_twice(409, 0, 201, 409), Unproven, "the offering may be full");
    }
}

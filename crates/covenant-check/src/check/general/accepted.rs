//! `accepted`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::Labels;
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome, is_accepted, is_rejected, is_unfinished};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, is_denied, labelled_calls};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::migration::state;
use covenant_model::wire::path::Route;

/// Every call is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct Accepted {
    /// The calls that have to be accepted.
    pub call: Labels,
    /// The same calls, made before. A refusal counts only if the one on the same route was accepted then.
    pub control: Option<Labels>,
}

impl Check for Accepted {
    const ID: &'static str = "accepted";
    const EXPECTED: &'static [&'static str] = &["every call accepted with 2xx"];
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        if let Some(label) = self.call.iter().find(|label| calls(trace).labelled(label).next().is_none()) {
            return Err(Stop::unproven(format!("the call {label:?} was not made"), []));
        }
        let made: Vec<Call<'_>> = labelled_calls(trace, &self.call).collect();
        if let Some(call) = made.iter().find(|call| is_rejected(call.exchange)) {
            let evidence = match self.control(trace, call) {
                Some(control) => vec![control.n(), call.n()],
                None if self.control.is_some() => {
                    let actual = format!("{}, and no such call was accepted before", call.summary());
                    return Err(Stop::unproven(actual, [call.n()]));
                }
                None => vec![call.n()],
            };
            return Err(Stop::broken(call.summary(), evidence));
        }
        if let Some(call) = made.iter().find(|call| is_denied(trace, call.n(), call.exchange)) {
            let actual = format!("{}: it says that the record is not there", call.summary());
            return Err(Stop::broken(actual, [call.n()]));
        }
        let is_open = |exchange: &Exchange| {
            !is_accepted(exchange) || is_unfinished(exchange) || has_word_of_refusal(exchange)
        };
        if let Some(call) = made.iter().find(|call| is_open(call.exchange)) {
            return Err(Stop::unproven(call.summary(), [call.n()]));
        }
        if let Some(call) = made.iter().find(|call| !call.exchange.can_be_read()) {
            let actual = format!("{}, in a body that can't be read", call.summary());
            return Err(Stop::unproven(actual, [call.n()]));
        }
        Ok(Pass::new(format!("{} accepted", made.len()), made.iter().map(Call::n)))
    }
}

/// Returns whether a plan is answered with a status that the binding does not know, and that speaks of a refusal or of a decision
/// that is to come.
fn has_word_of_refusal(exchange: &Exchange) -> bool {
    const REFUSED: [&str; 12] = [
        "rejected",
        "refused",
        "denied",
        "declined",
        "error",
        "failed",
        "conflict",
        "invalid",
        "aborted",
        "cancelled",
        "canceled",
        "rolled_back",
    ];
    const AWAITED: [&str; 5] = ["pending", "pending_approval", "awaiting_approval", "in_review", "queued"];
    let is_plan = matches!(exchange.route(), Some(Route::Migrations | Route::MigrationCommit { .. }));
    let data = exchange.data().filter(|_| is_plan);
    let word = data.and_then(|data| Some(data["status"].as_str()?.trim().to_lowercase())).unwrap_or_default();
    let word = word.replace(['-', ' '], "_");
    let waits = AWAITED.iter().chain(&state::UNFINISHED).any(|it| *it == word);
    // A plan that was opened without a commit waits in any case.
    REFUSED.contains(&word.as_str()) || (waits && call_outcome(exchange) == CallOutcome::Open)
}

impl Accepted {
    /// Returns the same call, made before and accepted.
    fn control<'a>(&self, trace: &'a Trace, call: &Call<'_>) -> Option<Call<'a>> {
        let name = |call: &Call<'_>| call.route().map(|route| route.name());
        let mut before =
            calls(trace).filter(|it| self.control.as_ref().is_some_and(|it_is| it.has_label_of(it_is)));
        before.find(|it| it.exchange.succeeded() && name(it) == name(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    #[test]
    fn an_empty_answer_to_accept_is_no_acceptance() {
        let accept = |status| Exchange::to_target("mallory").on("POST", "accept").answered(status);
        let verdict = |status| {
            let builder = TraceBuilder::new().call("used", accept(status));
            builder.verdict::<Accepted>(json!({"call": "used"}))
        };
        assert_eq!([verdict(204), verdict(401)], [Unproven, Broken]);
        let with_data = accept(0).answered_with(200, json!({"data": {"peer_id": "p"}}));
        let builder = TraceBuilder::new().call("used", with_data);
        assert_eq!(builder.verdict::<Accepted>(json!({"call": "used"})), Kept);
    }

    #[test]
    fn a_call_that_may_be_made_again_later_was_not_refused() {
        let call = || Exchange::to_target("mallory").on("GET", "resources/x/1");
        let verdicts = |statuses: &[u16]| {
            let mut builder = TraceBuilder::new();
            for status in statuses {
                builder = builder.call("used", call().answered(*status));
            }
            let builder = builder.call("lost", call());
            ["used", "lost"].map(|label| builder.verdict::<Accepted>(json!({"call": label})))
        };
        assert_eq!(verdicts(&[204]), [Kept, Unproven]);
        assert_eq!(verdicts(&[204, 429]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[503, 403]), [Broken, Unproven]);
        for status in [408, 425, 502, 504] {
            assert_eq!(verdicts(&[status]), [Unproven, Unproven], "{status}");
        }
        assert_eq!(verdicts(&[500]), [Broken, Unproven]);
    }

    #[test]
    fn a_plan_that_fails_under_a_2xx_is_not_accepted_and_one_that_has_not_ended_is_open() {
        let verdict = |code: u16, status: &str| {
            let answer = json!({"data": {"migration_id": "m", "status": status}});
            let plan = Exchange::to_target("alice").on("POST", "migrations").sending(json!({}));
            let builder = TraceBuilder::new().call("used", plan.answered_with(code, answer));
            builder.verdict::<Accepted>(json!({"call": "used"}))
        };
        assert_eq!(verdict(201, "completed"), Kept);
        assert_eq!([verdict(200, "failed"), verdict(200, "conflict")], [Broken, Broken]);
        assert_eq!([verdict(202, "validating"), verdict(200, "applying")], [Unproven, Unproven]);
        assert_eq!(verdict(200, "done"), Kept, "it is accepted, in another word");
        for word in
            ["rejected", "Refused", "Failed", "Rolled back", "error", "pending-approval", "Validating"]
        {
            assert_eq!(verdict(200, word), Unproven, "{word}");
        }
    }

    #[test]
    fn a_refusal_of_what_was_never_accepted_is_unproven() {
        let verdict = |before: u16, later: u16| {
            let fetch =
                |status: u16| Exchange::to_target("alice").on("GET", "resources/x/1").answered(status);
            let beat = Exchange::to_target("alice").on("POST", "heartbeat").answered(204);
            TraceBuilder::new()
                .call("before", beat)
                .call("before", fetch(before))
                .call("later", fetch(later))
                .verdict::<Accepted>(json!({"call": "later", "control": "before"}))
        };
        assert_eq!([verdict(204, 204), verdict(204, 403), verdict(403, 403)], [Kept, Broken, Unproven]);
    }
}

//! `out-of-scope-requests-have-no-effect`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{are_alike, is_granted, is_open};
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::general::is_accepted;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::path::Route;

/// A request for what the contract leaves out is refused, unknown or without effect, and the peering still
/// works.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OutOfScopeRequestsHaveNoEffect {
    /// The calls that ask for it.
    pub call: Labels,
    /// A third platform, to which nothing may be passed on.
    pub peer: PeerName,
    /// An ordinary migration made before.
    pub control: Label,
    /// A valid call made afterwards.
    pub probe: Label,
    /// A call for something that does not exist: a target that answers it in the same way grants nothing.
    pub unknown_call: Option<Label>,
}

impl Check for OutOfScopeRequestsHaveNoEffect {
    const ID: &'static str = "out-of-scope-requests-have-no-effect";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] =
        &["each call refused, unknown, or accepted without anything being passed on"];
    const CONTROL: Option<&'static str> =
        Some("an ordinary migration before and a valid call afterwards are accepted");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let requests: Vec<Call<'_>> = labelled_calls(trace, &self.call).collect();
        let to_third = || calls(trace).of(&self.peer).made_by_target();
        let asked = roots(&requests);
        let ordinary = roots(&calls(trace).labelled(&self.control).collect::<Vec<_>>());
        // What the target shares by itself, as its declarations and grants allow, goes to the third platform as well.
        let shared = |route: Option<Route>| {
            to_third().find(|call| call.route() == route && carries(call.exchange, &ordinary))
        };
        let mut open = None;
        for call in to_third().filter(|call| carries(call.exchange, &asked)) {
            let Some(other) = shared(call.route()) else {
                return Err(Stop::broken("a migration was passed on to a third platform", [call.n()]));
            };
            let actual = "what was asked for went to a third platform as an ordinary record did, too";
            open.get_or_insert_with(|| Stop::unproven(actual, [other.n(), call.n()]));
        }
        let is_of_neither =
            |call: &Call<'_>| call.route() == Some(Route::Migrations) && !carries(call.exchange, &ordinary);
        if let Some(call) = to_third().find(is_of_neither).filter(|_| open.is_none()) {
            let actual =
                "a migration went to a third platform, without a record of the one that was asked for";
            open = Some(Stop::unproven(actual, [call.n()]));
        }
        let unknown = self.unknown_call.iter().flat_map(|label| calls(trace).labelled(label));
        let unknown: Vec<Call<'_>> = unknown.collect();
        let is_nothing =
            |call: &Call<'_>| unknown.iter().any(|other| are_alike(call.exchange, other.exchange));
        if let Some(call) = requests.iter().find(|call| is_granted(call.exchange) && !is_nothing(call)) {
            // Until the control is there, the target may answer everything in this way.
            let has_control = self.unknown_call.is_none() || !unknown.is_empty();
            let actual = format!("granted: {}", path_and_status(call.exchange));
            return Err(Stop::broken(actual, [call.n()]).final_if(has_control));
        }
        if let Some(open) = open {
            return Err(open);
        }
        if let Some(call) = requests.iter().find(|call| is_open(call.exchange)) {
            let actual = format!("neither granted nor refused: {}", path_and_status(call.exchange));
            return Err(Stop::unproven(actual, [call.n()]));
        }
        let valid = [&self.control, &self.probe].into_iter().flat_map(|label| calls(trace).labelled(label));
        let valid: Vec<Call<'_>> = valid.collect();
        if requests.is_empty() || valid.is_empty() {
            return Err(Stop::unproven("no peer asked for it", []));
        }
        if let Some(call) = valid.iter().find(|call| !is_accepted(call.exchange)) {
            let actual = format!("a valid call was refused too: {}", call.summary());
            return Err(Stop::unproven(actual, [call.n()]));
        }
        let evidence = requests.iter().chain(&valid).map(Call::n);
        Ok(Pass::new(format!("{} requested, none granted", requests.len()), evidence))
    }
}

/// Returns the records that these migrations begin with.
fn roots<'a>(migrations: &[Call<'a>]) -> Vec<&'a str> {
    migrations.iter().filter_map(|call| call.exchange.sent()?["root_resource_id"].as_str()).collect()
}

/// Returns whether a call carries one of these records.
fn carries(exchange: &Exchange, records: &[&str]) -> bool {
    let sent = exchange.sent().map(Value::to_string).unwrap_or_default();
    records.iter().any(|record| sent.contains(record))
}

/// Returns the path of a call and the status of its answer, for the texts of results.
fn path_and_status(exchange: &Exchange) -> String {
    let status = exchange.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{} answered {status}", exchange.request.path.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Direction;
    use serde_json::json;

    fn call(path: &str, sent: &Value, status: u16, headers: &[(&str, &str)], answer: &Value) -> Exchange {
        Exchange::to_target("alice")
            .on("POST", path)
            .sending(sent.clone())
            .answered_with(status, answer.clone())
            .heading(headers)
    }

    fn request(status: u16, headers: &[(&str, &str)], answer: &Value) -> Exchange {
        call("federated_sign_in", &json!({}), status, headers, answer)
    }

    /// Returns the verdict if a migration by way of a third platform was accepted, and this request was made.
    fn verdict_of(request: Exchange, to_third: Option<Exchange>) -> Verdict {
        verdict_after(request, to_third)
    }

    /// Returns the verdict if the target also made these calls to the third platform.
    fn verdict_after(request: Exchange, to_third: impl IntoIterator<Item = Exchange>) -> Verdict {
        let done = json!({"data": {"status": "completed"}});
        let migration = |root: &str| call("migrations", &json!({"root_resource_id": root}), 201, &[], &done);
        let heartbeat = call("heartbeat", &json!({}), 200, &[], &done);
        let unknown = call("square_the_circle", &json!({}), 200, &[], &json!({"ok": true, "at": 1}));
        let mut builder = TraceBuilder::new()
            .call("ordinary", migration("record-a"))
            .call("requested", migration("record-b"))
            .call("unknown", unknown)
            .call("requested", request);
        for exchange in to_third {
            builder = builder.call_from_target(exchange);
        }
        builder.call("probe", heartbeat).verdict::<OutOfScopeRequestsHaveNoEffect>(json!({
            "call": "requested", "peer": "carol", "control": "ordinary", "probe": "probe",
            "unknown_call": "unknown",
        }))
    }

    fn verdict(status: u16, headers: &[(&str, &str)], answer: &Value) -> Verdict {
        verdict_of(request(status, headers, answer), None)
    }

    #[test]
    fn each_request_is_evaluated_for_itself_whatever_the_outcome_of_a_migration() {
        let none = &[];
        assert_eq!(verdict(404, none, &json!({"error": "not found"})), Kept);
        assert_eq!(verdict(501, none, &json!({})), Kept);
        assert_eq!(verdict(500, none, &json!({})), Unproven);
        assert_eq!(verdict(200, none, &json!({})), Unproven);
        assert_eq!(verdict(200, none, &json!({"data": {"session": "open"}})), Broken);
        assert_eq!(verdict(200, none, &json!({"session": "open"})), Broken);
        assert_eq!(verdict(201, none, &json!({"data": "eyJhbGciOi"})), Broken);
    }

    #[test]
    fn an_answer_that_denies_or_that_any_call_gets_grants_nothing() {
        let none = &[];
        assert_eq!(verdict(200, none, &json!({"ok": true, "at": 2})), Unproven);
        assert_eq!(verdict(200, none, &json!({"data": {"status": "unsupported"}})), Unproven);
        assert_eq!(verdict(200, none, &json!({"enabled": false, "mode": "federated"})), Unproven);
        assert_eq!(verdict(202, none, &json!({"data": {"approval": "asked for"}})), Unproven);
    }

    #[test]
    fn a_redirect_with_a_session_or_a_token_signs_in_and_one_to_a_sign_in_page_does_not() {
        let cookie = ("set-cookie", "<header_secret:1>");
        assert_eq!(verdict(302, &[("Location", "/dashboard"), cookie], &json!({})), Broken);
        assert_eq!(verdict(303, &[("location", "/in?access_token=x")], &json!({})), Broken);
        assert_eq!(verdict(302, &[("location", "/users/sign_in"), cookie], &json!({})), Unproven);
        assert_eq!(verdict(302, &[("location", "/dashboard")], &json!({})), Unproven);
    }

    #[test]
    fn a_record_that_reaches_a_third_platform_by_any_route_was_passed_on() {
        let sent = |path: &str, sent: Value| {
            let sent = call(path, &sent, 200, &[], &json!({}));
            Exchange { peer: "carol".into(), direction: Direction::FromTarget, ..sent }
        };
        let refused = || request(404, &[], &json!({"error": "not found"}));
        let to_third = |path: &str, body: Value| verdict_of(refused(), Some(sent(path, body)));
        let batch = |id: &str| json!({"records": [{"id": id}]});
        assert_eq!(to_third("heartbeat", json!({"status": "active"})), Kept);
        assert_eq!(to_third("sync", batch("record-c")), Kept);
        assert_eq!(to_third("sync", batch("record-b")), Broken);
        let plan = |root: &str| json!({"root_resource_id": root});
        assert_eq!(to_third("migrations", plan("record-b")), Broken);
        assert_eq!(to_third("migrations", plan("record-c")), Unproven, "it may have ids of its own");
        assert_eq!(to_third("migrations", plan("record-a")), Kept, "the target shares what it has");
        let both = |path: &str, one: Value, other: Value| {
            verdict_after(refused(), [sent(path, one), sent(path, other)])
        };
        assert_eq!(both("sync", batch("record-a"), batch("record-b")), Unproven, "it shares both by itself");
        assert_eq!(both("migrations", plan("record-b"), plan("record-a")), Unproven);
        let by_another_way = [sent("sync", batch("record-a")), sent("migrations", plan("record-b"))];
        assert_eq!(verdict_after(refused(), by_another_way), Broken);
    }
}

//! `out-of-grant-requests-are-rejected`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, Labels};
use crate::check::c02::{Grant, requests};
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome, is_accepted};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::Call;
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::header;

/// The allowlists of a grant, each with the header that is compared with it.
const LISTS: [(&str, &str); 2] =
    [("node_instance_ids", header::CALLING_INSTANCE), ("sdwan_network_ids", header::SDWAN_NETWORK)];

/// Each request that a grant does not allow, by the model of a grant, is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OutOfGrantRequestsAreRejected {
    /// The requests with the grant's token, whoever makes them.
    pub call: Labels,
    /// The requests without its token, or with a forged one.
    pub forged: Labels,
    /// The operation that issued the grant.
    pub grant: Label,
    /// Valid requests, of which one has to be served.
    pub control: Labels,
}

impl Check for OutOfGrantRequestsAreRejected {
    const ID: &'static str = "out-of-grant-requests-are-rejected";
    const EXPECTED: &'static [&'static str] = &["4xx for each request that the grant does not allow"];
    const CONTROL: Option<&'static str> = Some("a request that is allowed was served");
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let grant = Grant::issued(trace, &self.grant)?.at_its_widest();
        let allows = |call: &Exchange| grant.covers(trace, call) && !is_excluded(grant.terms, call);
        let under_grant = requests(trace, &self.call).filter(|call| !allows(call.exchange));
        let beyond: Vec<Call<'_>> = under_grant.chain(requests(trace, &self.forged)).collect();
        if let Some(call) = beyond.iter().find(|call| is_served(call.exchange)) {
            return Err(Stop::final_breach(call.summary(), [grant.n, call.n()]));
        }
        if beyond.is_empty() {
            return Err(Stop::unproven("nothing was asked that is not allowed", [grant.n]));
        }
        if let Some(call) = beyond.iter().find(|call| !is_refused(call.exchange)) {
            let actual = format!("neither refused nor served: {}", call.summary());
            return Err(Stop::unproven(actual, [grant.n, call.n()]));
        }
        if !requests(trace, &self.control).any(|call| is_accepted(call.exchange)) {
            return Err(Stop::unproven("refused, but nothing that is allowed was served", [grant.n]));
        }
        let actual = format!("{} requests beyond the grant were refused", beyond.len());
        Ok(Pass::new(actual, beyond.iter().map(Call::n)))
    }
}

/// Returns whether one of the requested allowlists excludes this call. The meaning of an empty list is open.
fn is_excluded(terms: &Value, call: &Exchange) -> bool {
    LISTS.iter().any(|(list, header)| {
        let mut headers = call.request.headers.iter();
        let sent = headers.find(|(name, _)| name.eq_ignore_ascii_case(header)).map(|(_, sent)| sent);
        let allowlist = terms[list].as_array().filter(|list| !list.is_empty());
        allowlist.is_some_and(|list| {
            !list.iter().any(|allowed| allowed == "*" || sent.is_some_and(|sent| allowed == sent))
        })
    })
}

/// Returns whether a call is served. An answer that there is no such record may be sent to anyone.
fn is_served(call: &Exchange) -> bool {
    call_outcome(call) == CallOutcome::Admitted && call.data().is_none_or(|data| data["exists"] != false)
}

/// Returns whether a call is refused. A limited caller is not refused for the content of its call.
fn is_refused(call: &Exchange) -> bool {
    call_outcome(call) == CallOutcome::Refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Body, Direction, Message};
    use covenant_model::wire::path::Route;
    use serde_json::json;

    /// Returns a call of alice or bob, with its answer.
    fn call(peer: &str, route: &Route, headers: &[(&str, &str)], status: u16, answer: &Value) -> Exchange {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let plan = json!({"root_resource_kind": "skill", "root_resource_id": "a"});
        Exchange {
            request: Message {
                method: Some(route.method().to_owned()),
                path: Some(route.path()),
                headers,
                body: Body::capture(plan.to_string().as_bytes()),
                ..Message::default()
            },
            response: Some(Message {
                status: Some(status),
                body: Body::capture(answer.to_string().as_bytes()),
                ..Message::default()
            }),
            ..Exchange::made(peer, Direction::ToTarget)
        }
    }

    fn record(id: &str, kind: &str) -> Route {
        Route::Resource { kind: kind.to_owned(), id: id.to_owned() }
    }

    /// Returns the verdict if alice has a grant to read skill `a`, with further terms, and makes this call
    /// with its token, or with a forged one if `forged`.
    fn verdict(terms: &Value, asked: Exchange, forged: bool, control_served: bool) -> Verdict {
        let mut terms = terms.clone();
        terms["peer_id"] = json!("row");
        terms["resource_kind"] = json!("skill");
        terms["resource_id"] = json!("a");
        if terms["permission_scopes"].is_null() {
            terms["permission_scopes"] = json!(["read"]);
        }
        let issued = json!({"grant_id": "g", "expires_at": "2026-06-08T00:00:00Z"});
        let status = if control_served { 200 } else { 403 };
        let label = if forged { "forged" } else { "tried" };
        TraceBuilder::new()
            .operation("alice", "peer.join", json!({"peer_id": "row"}))
            .operation_with("grant", "grant.issue", terms, issued)
            .call("control", call("alice", &record("a", "skill"), &[], status, &json!({})))
            .call(label, asked)
            .verdict::<OutOfGrantRequestsAreRejected>(
                json!({"call": "tried", "forged": "forged", "grant": "grant", "control": "control"}),
            )
    }

    #[test]
    fn a_request_beyond_the_grant_is_served_to_nobody() {
        let there = json!({"data": {"exists": true}});
        let tried = |peer: &str, route: &Route, status| {
            verdict(&json!({}), call(peer, route, &[], status, &there), false, true)
        };
        for (peer, route) in [
            ("alice", record("b", "skill")),
            ("alice", record("a", "agent")),
            ("alice", Route::Migrations),
            ("bob", record("a", "skill")),
        ] {
            assert_eq!(tried(peer, &route, 200), Broken, "{peer} {route}");
            assert_eq!(tried(peer, &route, 403), Kept, "{peer} {route}");
            assert_eq!(tried(peer, &route, 429), Unproven, "{peer} {route}");
        }
        assert_eq!(tried("alice", &record("a", "skill"), 200), Unproven, "the grant allows it");
        let forged = |status| {
            verdict(&json!({}), call("alice", &record("a", "skill"), &[], status, &there), true, true)
        };
        assert_eq!([forged(200), forged(401)], [Broken, Kept]);
    }

    #[test]
    fn an_allowlist_excludes_a_caller_that_it_does_not_name() {
        let listed = |headers: &[(&str, &str)]| {
            let asked =
                call("alice", &record("a", "skill"), headers, 200, &json!({"data": {"exists": true}}));
            verdict(&json!({"node_instance_ids": ["n"]}), asked, false, true)
        };
        assert_eq!(listed(&[]), Broken);
        assert_eq!(listed(&[("x-calling-instance", "m")]), Broken);
        assert_eq!(listed(&[("x-calling-instance", "n")]), Unproven);
        for terms in [json!({"sdwan_network_ids": []}), json!({"sdwan_network_ids": ["*"]})] {
            let asked = call("alice", &record("a", "skill"), &[], 200, &json!({}));
            assert_eq!(verdict(&terms, asked, false, true), Unproven, "{terms}");
        }
    }

    #[test]
    fn an_answer_that_anyone_may_get_and_a_refusal_of_all_calls_prove_nothing() {
        let other = record("b", "skill");
        let asked = |status, answer: Value| call("alice", &other, &[], status, &answer);
        let absent = json!({"data": {"exists": false}});
        assert_eq!(verdict(&json!({}), asked(200, absent), false, true), Unproven);
        assert_eq!(verdict(&json!({}), asked(404, json!({})), false, true), Kept);
        assert_eq!(verdict(&json!({}), asked(403, json!({})), false, false), Unproven, "so was a valid one");
        let migrates = call("alice", &Route::Migrations, &[], 201, &json!({"data": {"status": "completed"}}));
        let admin = json!({"permission_scopes": ["admin"]});
        assert_eq!(verdict(&admin, migrates, false, true), Unproven, "admin may imply all scopes");
    }
}

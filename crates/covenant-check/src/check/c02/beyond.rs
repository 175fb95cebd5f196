//! Calls that a grant does not allow are refused, by the model of a grant (6.4).

use serde_json::Value;

use super::{Grant, requests};
use crate::check::CheckResult;
use crate::check::common::{CallOutcome, RETRYABLE_STATUS, call_outcome, reply_summary};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::grant::Scope;
use covenant_model::wire::header;

/// The allowlists of a grant, each with the header that is compared with it.
const LISTS: [(&str, &str); 2] =
    [("node_instance_ids", header::CALLING_INSTANCE), ("sdwan_network_ids", header::SDWAN_NETWORK)];

pub(super) const BEYOND_IS_REFUSED: LegacyCheck = LegacyCheck {
    name: "out-of-grant-requests-are-rejected",
    about: "each request that a grant does not allow, by the model of a grant, is refused",
    parameters: &[
        LegacyParameter::required(
            "call",
            "labels of the requests with the grant's token, whoever makes them",
        ),
        LegacyParameter::required("forged", "labels of the requests without its token, or with a forged one"),
        LegacyParameter::required("record", "label of the operation that issued the grant"),
        LegacyParameter::required("control", "labels of valid requests, of which one has to be served"),
    ],
    evaluate: beyond_is_refused,
};

fn beyond_is_refused(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("4xx for each request that the grant does not allow");
    let issued = trace.operation(with.text("record"));
    let Some((grant, (_, issue))) = Grant::read(trace, with.text("record")).zip(issued) else {
        return expect(CheckResult::unproven("no grant was issued", vec![]));
    };
    let grant = at_its_widest(grant);
    let allows = |call: &Exchange| grant.covers(trace, call) && !shuts_out(&issue.parameters, call);
    let tried = requests(trace, &with.texts("call")).into_iter().filter(|(_, call)| !allows(call));
    let beyond: Vec<_> = tried.chain(requests(trace, &with.texts("forged"))).collect();
    if let Some((entry, call)) = beyond.iter().find(|(_, call)| is_served(call)) {
        return expect(CheckResult::broken(reply_summary(call), vec![grant.n, entry.n]));
    }
    if beyond.is_empty() {
        return expect(CheckResult::unproven("nothing was asked that is not allowed", vec![grant.n]));
    }
    if let Some((entry, call)) = beyond.iter().find(|(_, call)| !is_refused(call)) {
        let actual = format!("neither refused nor served: {}", reply_summary(call));
        return expect(CheckResult::unproven(actual, vec![grant.n, entry.n]));
    }
    if !requests(trace, &with.texts("control")).iter().any(|(_, call)| call.succeeded()) {
        return expect(CheckResult::unproven(
            "refused, but nothing that is allowed was served",
            vec![grant.n],
        ));
    }
    let evidence = beyond.iter().map(|(entry, _)| entry.n).collect();
    expect(CheckResult::kept(format!("{} requests beyond the grant were refused", beyond.len()), evidence))
}

/// Returns the grant with all scopes if it has `admin`: it is open whether `admin` stands for every other
/// scope.
fn at_its_widest(mut grant: Grant) -> Grant {
    if grant.scopes.iter().any(|scope| scope == Scope::Admin.as_str()) {
        grant.scopes.extend(Scope::ALL.map(|scope| scope.as_str().to_owned()));
    }
    grant
}

/// Returns whether one of the requested allowlists excludes this call. The meaning of an empty list is open.
fn shuts_out(asked: &Value, call: &Exchange) -> bool {
    LISTS.iter().any(|(list, header)| {
        let mut headers = call.request.headers.iter();
        let given = headers.find(|(name, _)| name.eq_ignore_ascii_case(header)).map(|(_, given)| given);
        let taken = asked[list].as_array().filter(|list| !list.is_empty());
        taken.is_some_and(|list| {
            !list.iter().any(|taken| taken == "*" || given.is_some_and(|given| taken == given))
        })
    })
}

/// Returns whether a call is served. An answer that there is no such record may be given to anyone.
fn is_served(call: &Exchange) -> bool {
    call_outcome(call) == CallOutcome::Admitted && call.data().is_none_or(|data| data["exists"] != false)
}

/// Returns whether a call is refused. A limited caller is not refused for the content of its call.
fn is_refused(call: &Exchange) -> bool {
    call_outcome(call) == CallOutcome::Refused
        && call.status().is_none_or(|status| !RETRYABLE_STATUS.contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Body, Direction, Message, Operation, Recorder, What};
    use covenant_model::wire::path::Route;
    use serde_json::json;

    /// Returns a call of alice or bob, with its answer.
    fn call(peer: &str, route: &Route, headers: &[(&str, &str)], status: u16, said: &Value) -> What {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let plan = json!({"root_resource_kind": "skill", "root_resource_id": "a"});
        What::Exchange(Exchange {
            peer: peer.to_owned(),
            direction: Direction::ToTarget,
            request: Message {
                method: Some(route.method().to_owned()),
                path: Some(route.path()),
                headers,
                body: Body::capture(plan.to_string().as_bytes()),
                ..Message::default()
            },
            response: Some(Message {
                status: Some(status),
                body: Body::capture(said.to_string().as_bytes()),
                ..Message::default()
            }),
            failure: None,
            tls: None,
            protocol: None,
            source: None,
            injected: vec![],
        })
    }

    fn record(id: &str, kind: &str) -> Route {
        Route::Resource { kind: kind.to_owned(), id: id.to_owned() }
    }

    /// Returns the verdict if alice has a grant to read skill `a`, with further terms, and makes this call
    /// with its token, or with a forged one if `forged`.
    fn verdict(terms: &Value, asked: What, forged: bool, control_served: bool) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let operation = |label: &str, method: &str, parameters: Value, result: Value| {
            let operation =
                Operation { method: method.into(), parameters, result: Some(result), failure: None };
            recorder.record(None, Some(label), What::Operation(operation));
        };
        operation("alice", "peer.join", json!({}), json!({"peer_id": "row"}));
        let mut terms = terms.clone();
        terms["peer_id"] = json!("row");
        terms["resource_kind"] = json!("skill");
        terms["resource_id"] = json!("a");
        if terms["permission_scopes"].is_null() {
            terms["permission_scopes"] = json!(["read"]);
        }
        operation(
            "grant",
            "grant.issue",
            terms,
            json!({"grant_id": "g", "expires_at": "2026-06-08T00:00:00Z"}),
        );
        let status = if control_served { 200 } else { 403 };
        recorder.record(None, Some("control"), call("alice", &record("a", "skill"), &[], status, &json!({})));
        recorder.record(None, Some(if forged { "forged" } else { "tried" }), asked);
        let with = [("call", "tried"), ("forged", "forged"), ("record", "grant"), ("control", "control")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        beyond_is_refused(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn what_a_grant_is_not_for_is_served_to_nobody() {
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
        assert_eq!(tried("alice", &record("a", "skill"), 200), Unproven, "it is what it is for");
        let forged = |status| {
            verdict(&json!({}), call("alice", &record("a", "skill"), &[], status, &there), true, true)
        };
        assert_eq!([forged(200), forged(401)], [Broken, Kept]);
    }

    #[test]
    fn an_allowlist_shuts_out_whom_it_does_not_name() {
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
    fn what_may_be_said_or_is_refused_anyhow_proves_nothing() {
        let other = record("b", "skill");
        let asked = |status, said: Value| call("alice", &other, &[], status, &said);
        let absent = json!({"data": {"exists": false}});
        assert_eq!(verdict(&json!({}), asked(200, absent), false, true), Unproven);
        assert_eq!(verdict(&json!({}), asked(404, json!({})), false, true), Kept);
        assert_eq!(verdict(&json!({}), asked(403, json!({})), false, false), Unproven, "so was a valid one");
        let migrates = call("alice", &Route::Migrations, &[], 201, &json!({"data": {"status": "completed"}}));
        let admin = json!({"permission_scopes": ["admin"]});
        assert_eq!(verdict(&admin, migrates, false, true), Unproven, "admin may stand for all");
    }
}

//! `promised-excerpt-is-for-its-peer`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::excerpt::{DELIVERED, PROMISED, excerpt_content, excerpt_entries};
use super::mention::mentions_name;
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::general::is_rejected;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, peer_id};
use covenant_model::transcript::Trace;

/// An excerpt that was promised to one peer is sent to no other peer that names the promise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct PromisedExcerptIsForItsPeer {
    /// The request to which the target promised an excerpt.
    pub promise: Label,
    /// The requests of another peer that name that promise.
    pub foreign: Label,
    /// The request of the first peer that names it, once the excerpt is there.
    pub control: Label,
    /// The request of the other peer for its own excerpt, once that is there.
    pub own: Label,
}

impl Check for PromisedExcerptIsForItsPeer {
    const ID: &'static str = "promised-excerpt-is-for-its-peer";
    const EXPECTED: &'static [&'static str] =
        &["a refusal", "the excerpt of the peer that asks", "no excerpt"];
    const CONTROL: Option<&'static str> = Some(
        "an excerpt was promised; the peer to which it was promised got its entries between two requests of the other peer, \
         which got its own",
    );

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut requests = calls(trace).labelled(&self.promise);
        let promise = requests.find(|call| call.exchange.status() == Some(PROMISED));
        let promise = promise.or_unproven("no excerpt was promised")?;
        let id = promise.exchange.data().and_then(|data| Some(data["request_id"].as_str()?.to_owned()));
        let id = id.filter(|id| !id.is_empty()).or_unproven_at("the promise has no id", &[promise.n()])?;
        let owner = peer_id(trace, &promise.exchange.peer).or_unproven("the peer's id is not known")?;
        if id.contains(&*owner) {
            // The log of the other peer may name the id of the promise, as what it asked for.
            return Err(Stop::unproven("the id of the promise names the peer", [promise.n()]));
        }
        let names_promise =
            |call: &Call<'_>| call.exchange.request.path.as_deref().is_some_and(|path| path.contains(&*id));
        let has_entries_of_owner = |call: &Call<'_>| {
            let entries = excerpt_entries(call.exchange).unwrap_or_default();
            entries.iter().any(|entry| mentions_name(entry, &owner))
        };
        let foreign: Vec<Call<'_>> = calls(trace).labelled(&self.foreign).filter(names_promise).collect();
        if let Some(call) = foreign.iter().find(|call| has_entries_of_owner(call)) {
            let actual = "another peer got entries of the one to which the excerpt was promised";
            return Err(Stop::final_breach(actual, [promise.n(), call.n()]));
        }
        let mut own = calls(trace).labelled(&self.control).filter(names_promise);
        let is_delivered =
            |call: &Call<'_>| call.exchange.status() == Some(DELIVERED) && has_entries_of_owner(call);
        let control = own.find(is_delivered);
        let control = control.or_unproven_at("the promised excerpt was not delivered", &[promise.n()])?;
        let was_asked = |call: &&Call<'_>| {
            is_rejected(call.exchange)
                || call.exchange.status().is_some_and(|status| [DELIVERED, PROMISED].contains(&status))
        };
        let before = foreign.iter().filter(was_asked).rfind(|call| call.n() < control.n());
        let after = foreign.iter().filter(was_asked).find(|call| call.n() > control.n());
        let evidence = [promise.n(), control.n()];
        let Some((before, after)) = before.zip(after) else {
            return Err(Stop::unproven("no other peer asked for the promised excerpt", evidence));
        };
        // A peer to which no excerpt is sent at all is refused this one as well.
        let mut own = calls(trace).labelled(&self.own);
        let own = own.find(|call| excerpt_content(call.exchange).is_some_and(|entries| !entries.is_empty()));
        let own = own.or_unproven_at("the other peer got no excerpt of its own", &evidence)?;
        let evidence = [promise.n(), before.n(), control.n(), after.n(), own.n()];
        Ok(Pass::new("the peer to which it was promised alone got the excerpt", evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    const BOB: &str = "0190a6d4-0000-7000-8000-000000000001";

    /// Returns the verdict where bob's first request, and then the request of alice for his excerpt, are answered like this.
    fn verdict(promise: (u16, Value), foreign: &Value, own: &Value) -> Verdict {
        answered(promise, 200, foreign, own, 200)
    }

    /// Returns the same verdict where the requests of alice, for his excerpt and for her own, are answered with these statuses.
    fn answered(
        promise: (u16, Value),
        status: u16,
        foreign: &Value,
        own: &Value,
        own_status: u16,
    ) -> Verdict {
        let accept = |peer: &str, id: &str| {
            Exchange::to_target(peer)
                .on("POST", "accept")
                .answered_with(200, json!({"data": {"peer_id": id}}))
        };
        let asks = |peer: &str, id: &str, status: u16, events: &Value| {
            let request = Exchange::to_target(peer).on("GET", &format!("audit_excerpts?request_id={id}"));
            request.answered_with(status, json!({"data": {"events": events}}))
        };
        let first =
            Exchange::to_target("bob").on("GET", "audit_excerpts").answered_with(promise.0, promise.1);
        TraceBuilder::new()
            .call("a", accept("alice", "own"))
            .call("b", accept("bob", BOB))
            .call("promise", first)
            .call("foreign", asks("alice", "r-1", status, foreign))
            .call("own", asks("alice", "r-2", own_status, &json!([{"id": "2"}])))
            .call("control", asks("bob", "r-1", 200, own))
            .call("foreign", asks("alice", "r-1", status, foreign))
            .verdict::<PromisedExcerptIsForItsPeer>(
                json!({"promise": "promise", "foreign": "foreign", "control": "control", "own": "own"}),
            )
    }

    #[test]
    fn another_peer_that_gets_what_was_promised_is_broken() {
        let promised = || (202, json!({"data": {"request_id": "r-1", "due_at": "2026-01-01T00:00:00Z"}}));
        let of = |id: &str| json!([{"id": "1", "payload": {"federation_peer_id": id}}]);
        assert_eq!(verdict(promised(), &of(BOB), &of(BOB)), Broken);
        assert_eq!(verdict(promised(), &json!([]), &of(BOB)), Kept);
        assert_eq!(verdict(promised(), &of("own"), &of(BOB)), Kept, "her own excerpt");
        assert_eq!(verdict(promised(), &json!([]), &json!([])), Unproven, "it is not there");
        assert_eq!(verdict((200, json!({"data": {"events": []}})), &of("own"), &of(BOB)), Unproven);
        let refused =
            |status: u16, own_status: u16| answered(promised(), status, &json!([]), &of(BOB), own_status);
        assert_eq!([refused(404, 200), refused(202, 200)], [Kept; 2]);
        assert_eq!([refused(429, 200), refused(503, 200)], [Unproven; 2], "it may come later");
        assert_eq!(refused(403, 403), Unproven, "she gets no excerpt at all");
    }
}

//! `excerpt-in-time`.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::excerpt::{
    DELIVERED, DUE, ExcerptRequest, PROMISED, excerpt_requests, names_promise, promise_has_id, promised_for,
};
use crate::check::arguments::Labels;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop, require};
use crate::check::query::{CallQuery, calls, has_running_clock};
use covenant_model::transcript::{Body, Trace};

/// The tolerance around the deadline: a request this soon after it counts as one at the deadline. Two running
/// clocks differ by less.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// An excerpt is delivered at once, or within the 72 hours for which it may be promised.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ExcerptInTime {
    /// The request, and the later requests that show whether the excerpt is there.
    pub call: Labels,
}

impl Check for ExcerptInTime {
    const ID: &'static str = "excerpt-in-time";
    const EXPECTED: &'static [&'static str] =
        &["200 with the excerpt of what the peer did, within 72 hours of the request"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let requests = excerpt_requests(trace, &self.call);
        let first = requests.first().or_unproven("no request for an excerpt was answered")?;
        let evidence = || requests.iter().map(|request| request.call.n());
        let answer = first.call.summary();
        if requests.iter().all(ExcerptRequest::has_unknown_route) {
            let actual = format!("an excerpt may be delivered in another way: {answer}");
            return Err(Stop::unproven(actual, evidence()));
        }
        let is_refused =
            first.call.exchange.was_refused() && !requests.iter().any(ExcerptRequest::is_accepted);
        require(!is_refused, || format!("the request was not accepted: {answer}"), [first.call.n()])?;
        check_promises(trace, &requests)?;
        let has_content = |request: &&ExcerptRequest<'_>| {
            request.content.as_ref().is_some_and(|entries| !entries.is_empty())
        };
        if let Some(request) = requests.iter().find(has_content) {
            return check_delivery(&requests, request);
        }
        if let Some((request, name)) = requests.iter().find_map(|it| Some((it, it.other_list()?))) {
            let actual = format!("the excerpt has no events, and something else under {name:?}");
            return Err(Stop::unproven(actual, [first.call.n(), request.call.n()]));
        }
        if let Some(request) = requests.iter().rev().find(|request| request.entries.is_some()) {
            let acted = acted_before(trace, request);
            let acted = acted.ok_or_else(|| {
                Stop::unproven("delivered, and empty: the peer acted only just before", evidence())
            })?;
            let actual = "delivered, and empty, though the peer had acted";
            return Err(Stop::broken(actual, [acted, first.call.n(), request.call.n()]));
        }
        if requests.iter().any(ExcerptRequest::is_unreadable) {
            return Err(Stop::unproven("what was delivered can't be read", evidence()));
        }
        let has_id = |request: &ExcerptRequest<'_>| promise_has_id(request.call.exchange);
        if first.is_promised() && !requests.iter().any(has_id) {
            return Err(Stop::unproven("promised in another form", evidence()));
        }
        if requests.last().is_some_and(|last| last.elapsed_since(first) < DUE) {
            return Err(Stop::unproven("the trace ends before the 72 hours are over", evidence()));
        }
        Err(Stop::broken("not delivered within 72 hours", evidence()))
    }
}

/// Ends the check as broken if the excerpt is promised for later than the deadline. After the excerpt is
/// delivered, or if the request does not name the promise, a promise belongs to another excerpt.
fn check_promises(trace: &Trace, requests: &[ExcerptRequest<'_>]) -> Result<(), Stop> {
    let Some(first) = requests.first() else { return Ok(()) };
    let allowed = if has_running_clock(trace) { DUE + TOLERANCE } else { DUE };
    let mut open = requests.iter().take_while(|request| request.entries.is_none());
    let late = open.find(|request| {
        let is_about_this = request.call.n() == first.call.n() || names_promise(request.call.exchange);
        let due_at = promised_for(request.call.exchange);
        is_about_this && due_at.is_some_and(|due_at| due_at.duration_since(first.call.at()) > allowed)
    });
    match late {
        Some(late) => {
            // The trace may still show that the clock runs.
            let due_at = promised_for(late.call.exchange);
            let is_surely_late =
                due_at.is_some_and(|due_at| due_at.duration_since(first.call.at()) > DUE + TOLERANCE);
            let breach = Stop::broken("promised for later than 72 hours", [first.call.n(), late.call.n()]);
            Err(breach.final_if(is_surely_late))
        }
        None => Ok(()),
    }
}

/// Evaluates the time at which an excerpt was delivered.
fn check_delivery(requests: &[ExcerptRequest<'_>], delivered: &ExcerptRequest<'_>) -> Outcome {
    let first = &requests[0];
    let evidence = [first.call.n(), delivered.call.n()];
    let elapsed = delivered.elapsed_since(first);
    if elapsed <= DUE {
        return Ok(Pass::new(format!("delivered after {elapsed}"), evidence));
    }
    let was_overdue = requests
        .iter()
        .any(|request| request.elapsed_since(first) > DUE && request.call.n() < delivered.call.n());
    require(!was_overdue, || "not delivered within 72 hours".to_owned(), evidence)?;
    // There was no request between the deadline and this one: the excerpt may have been there in time.
    if elapsed - DUE > TOLERANCE {
        return Err(Stop::unproven("no request was made when the 72 hours were over", evidence));
    }
    Ok(Pass::new("delivered when the 72 hours were over", evidence))
}

impl ExcerptRequest<'_> {
    fn elapsed_since(&self, first: &Self) -> SignedDuration {
        self.call.at().duration_since(first.call.at())
    }

    fn is_accepted(&self) -> bool {
        matches!(self.call.exchange.status(), Some(DELIVERED | PROMISED))
    }

    /// Returns whether the target does not know the route. The contract asks for an excerpt, and not for this
    /// route.
    fn has_unknown_route(&self) -> bool {
        matches!(self.call.exchange.status(), Some(404 | 405 | 501))
    }

    /// Returns the name of a list with entries that is neither the content nor the shipments: a platform may have its entries
    /// there.
    fn other_list(&self) -> Option<String> {
        let data = self.call.exchange.data().filter(|_| self.entries.is_some())?;
        let has_entries = |list: &Value| list.as_array().is_some_and(|entries| !entries.is_empty());
        let mut lists = data.as_object()?.iter().filter(|(_, list)| has_entries(list));
        lists.find(|(name, _)| *name != "shipments").map(|(name, _)| name.clone())
    }

    fn is_promised(&self) -> bool {
        self.call.exchange.status() == Some(PROMISED)
    }

    /// Returns whether the answer is not JSON, or is too long to be kept.
    fn is_unreadable(&self) -> bool {
        let exchange = self.call.exchange;
        let body = exchange.response.as_ref().map(|response| &response.body);
        exchange.status() == Some(DELIVERED) && matches!(body, Some(Body::Text(_) | Body::Cut { .. }))
    }
}

/// Returns an accepted call of the peer that made the request, early enough to be in the audit.
fn acted_before(trace: &Trace, request: &ExcerptRequest<'_>) -> Option<u64> {
    let acts =
        calls(trace).of(&request.call.exchange.peer).made_by_peer().before(request.call.n()).accepted();
    let mut early = acts.filter(|act| request.call.at().duration_since(act.at()) >= TOLERANCE);
    early.next().map(|act| act.n())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, Message};
    use serde_json::json;

    fn answered(method: &str, path: &str, status: u16, body: Body) -> Exchange {
        Exchange {
            response: Some(Message { status: Some(status), body, ..Message::default() }),
            ..Exchange::to_target("alice").on(method, path)
        }
    }

    fn enveloped(data: &Value) -> Body {
        Body::Json(json!({"success": true, "data": data}))
    }

    /// Returns the verdict if the peer acts, requests an excerpt, and asks twice more: a second before the
    /// end of the 72 hours and a second after it.
    fn requested(answers: [(u16, Body); 3]) -> Verdict {
        let accept = answered("POST", "accept", 200, enveloped(&json!({"peer_id": "p"})));
        let mut builder = TraceBuilder::new().call("accept", accept);
        for (wait, (status, body)) in [0, 259_199, 2].into_iter().zip(answers) {
            let request = answered("GET", "audit_excerpts", status, body);
            builder = builder.advance(wait).call("asked", request);
        }
        builder.verdict::<ExcerptInTime>(json!({"call": ["asked"]}))
    }

    fn promise() -> (u16, Body) {
        (202, enveloped(&json!({"request_id": "r", "due_at": "2026-06-04T00:00:00Z"})))
    }

    fn excerpt() -> (u16, Body) {
        (200, enveloped(&json!({"events": [{"id": "1"}], "shipments": []})))
    }

    fn empty() -> (u16, Body) {
        (200, enveloped(&json!({"events": [], "shipments": [], "count": 0})))
    }

    fn error(status: u16) -> (u16, Body) {
        (status, Body::Json(json!({"error": "no"})))
    }

    #[test]
    fn an_excerpt_after_more_than_72_hours_is_broken() {
        assert_eq!(requested([excerpt(), excerpt(), excerpt()]), Kept);
        assert_eq!(requested([promise(), excerpt(), excerpt()]), Kept);
        assert_eq!(requested([promise(), promise(), excerpt()]), Kept);
        assert_eq!(requested([promise(), promise(), promise()]), Broken);
        let late = || (202, enveloped(&json!({"due_at": "2026-06-04T00:00:01Z"})));
        assert_eq!(requested([late(), excerpt(), excerpt()]), Broken);
        // A second request is for another excerpt, with a deadline of its own.
        assert_eq!(requested([promise(), excerpt(), late()]), Kept);
    }

    #[test]
    fn an_answer_without_an_excerpt_is_none() {
        let pending = || (200, enveloped(&json!({"status": "pending"})));
        assert_eq!(requested([pending(), pending(), pending()]), Broken);
        assert_eq!(requested([pending(), excerpt(), excerpt()]), Kept);
        assert_eq!(requested([error(403), error(403), error(403)]), Broken);
        assert_eq!(requested([error(500), error(500), error(500)]), Broken);
    }

    #[test]
    fn a_request_that_was_put_off_shows_nothing() {
        for status in [408, 425, 429, 502, 503, 504] {
            assert_eq!(requested([error(status), excerpt(), excerpt()]), Kept, "{status}");
            assert_eq!(requested([error(status), error(status), error(status)]), Unproven, "{status}");
            assert_eq!(requested([promise(), promise(), error(status)]), Unproven, "{status}");
            assert_eq!(requested([error(status), promise(), error(403)]), Unproven, "{status}");
        }
    }

    #[test]
    fn an_empty_excerpt_of_a_peer_that_acted_is_broken() {
        assert_eq!(requested([empty(), empty(), empty()]), Broken);
        assert_eq!(requested([promise(), empty(), empty()]), Broken);
        // The peer has only just acted.
        assert_eq!(requested([empty(), excerpt(), excerpt()]), Kept);
        assert_eq!(requested([empty(), error(422), error(422)]), Unproven);
        let beside = |name: &str| (200, enveloped(&json!({"events": [], name: [{"id": "1"}]})));
        let thrice = |name: &str| requested([beside(name), beside(name), beside(name)]);
        assert_eq!(thrice("shipments"), Broken, "a shipment is no entry");
        assert_eq!(thrice("entries"), Unproven, "they may be the entries");
    }

    #[test]
    fn an_excerpt_that_may_come_in_another_way_is_unproven() {
        assert_eq!(requested([error(404), error(404), error(404)]), Unproven);
        let text = || (200, Body::Text("2026-06-01,accept".to_owned()));
        assert_eq!(requested([text(), text(), text()]), Unproven);
    }

    #[test]
    fn a_promise_without_an_id_cannot_be_followed() {
        let promise = |data: Value| (202, enveloped(&data));
        for form in [json!({"id": "r"}), json!({"request_id": ""}), json!({"due_at": "2026-06-04T00:00:00Z"})]
        {
            let nameless = || promise(form.clone());
            assert_eq!(requested([nameless(), nameless(), nameless()]), Unproven, "{form}");
            assert_eq!(requested([nameless(), nameless(), excerpt()]), Kept, "{form}");
            assert_eq!(requested([nameless(), error(409), error(409)]), Unproven, "{form}");
        }
        let late = || promise(json!({"due_at": "2026-06-04T00:00:01Z"}));
        assert_eq!(requested([late(), late(), late()]), Broken);
        let numbered = || promise(json!({"request_id": 7}));
        assert_eq!(requested([numbered(), numbered(), numbered()]), Broken);
    }

    #[test]
    fn two_clocks_that_run_may_differ_a_little() {
        for due_at in ["2026-06-04T00:00:03Z", "2026-06-04T00:02:00Z"] {
            let promise = answered("GET", "audit_excerpts", 202, enveloped(&json!({ "due_at": due_at })));
            let excerpt = answered("GET", "audit_excerpts", 200, enveloped(&json!({"events": [{}]})));
            let builder = TraceBuilder::new().call("asked", promise).pass(1).call("asked", excerpt);
            let verdict = builder.verdict::<ExcerptInTime>(json!({"call": ["asked"]}));
            assert_eq!(verdict, if due_at.contains(":03Z") { Kept } else { Broken }, "{due_at}");
        }
    }
}

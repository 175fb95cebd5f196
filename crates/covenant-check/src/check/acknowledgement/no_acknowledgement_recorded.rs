//! `no-acknowledgement-recorded`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::agreed::names_a_version;
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::general::reply_summary;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, peer_shown};
use crate::check::versioning::agreement::{agreed_version, is_unacknowledged, on_record, requested_version};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// An accept that names no contract version above zero, or that was refused, leaves no acknowledgement in the
/// peer's record, and the accept of a conforming peer leaves one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct NoAcknowledgementRecorded {
    /// The accepts.
    pub call: Label,
    /// The same accepts, valid in just the version or the text that they name.
    pub control: Label,
    /// The operator's snapshots of the peers that made them, in the same order.
    pub snapshot: Labels,
    /// The snapshot of a peer that acknowledged a version.
    pub conforming_snapshot: Label,
    /// The snapshot of a peer that was proposed, and did nothing yet.
    pub proposed_snapshot: Label,
}

impl Check for NoAcknowledgementRecorded {
    const ID: &'static str = "no-acknowledgement-recorded";
    const EXPECTED: &'static [&'static str] =
        &["no contract_version_agreed, or zero, in the answer and on record"];
    const CONTROL: Option<&'static str> =
        Some("the same accepts are accepted with a valid version, and a conforming peer's record shows one");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let proposed = peer_shown(trace, &self.proposed_snapshot);
        if let Some((n, _)) =
            proposed.filter(|(_, peer)| on_record(peer).is_some_and(|it| !is_unacknowledged(it)))
        {
            return Err(Stop::unproven("a version is on record before any accept", [n]));
        }
        let accepts: Vec<Call<'_>> = calls(trace).labelled(&self.call).on(Route::Accept).collect();
        let snapshots: Vec<&str> = self.snapshot.iter().collect();
        if accepts.len() != snapshots.len() {
            return Err(Stop::unproven("not every accept was sent", accepts.iter().map(Call::n)));
        }
        let pairs = || accepts.iter().zip(&snapshots);
        let acknowledged: Vec<Acknowledged> =
            pairs().filter_map(|(accept, label)| Acknowledged::read(trace, accept, label)).collect();
        let evidence: Vec<u64> = acknowledged.iter().flat_map(|found| found.evidence.clone()).collect();
        let in_words = |owed: bool| -> Vec<&str> {
            let found = acknowledged.iter().filter(|found| found.may_be_owed == owed);
            found.map(|found| &*found.text).collect()
        };
        let (owed, wrong) = (in_words(true), in_words(false));
        if !wrong.is_empty() {
            return Err(Stop::broken(wrong.join("; "), evidence));
        }
        // What a target that takes the accept for a valid one records is right by its own reading. That it
        // accepted is the question of another check.
        if !owed.is_empty() {
            return Err(Stop::unproven(owed.join("; "), evidence));
        }
        if let Some(accept) = accepts.iter().find(|accept| accept.exchange.was_put_off()) {
            let actual = format!("nothing is on record, but an accept was put off: {}", accept.summary());
            return Err(Stop::unproven(actual, [accept.n()]));
        }
        let mut evidence = vec![];
        for (accept, label) in pairs() {
            let (n, _) = peer_shown(trace, label).or_unproven(&format!("{label:?} shows no peer"))?;
            evidence.extend([accept.n(), n]);
        }
        if let Some(control) = calls(trace).labelled(&self.control).find(|call| !call.exchange.succeeded()) {
            let actual =
                format!("nothing is on record, but a valid accept failed too: {}", control.summary());
            return Err(Stop::unproven(actual, evidence));
        }
        // If the record of a conforming peer shows no version either, its absence says nothing.
        let conforming = peer_shown(trace, &self.conforming_snapshot);
        if conforming.and_then(|(_, peer)| on_record(peer)).is_none_or(is_unacknowledged) {
            let actual = "the record of a conforming peer shows no version either";
            return Err(Stop::unproven(actual, evidence));
        }
        Ok(Pass::new("nothing is on record", evidence))
    }
}

/// An acknowledgement that an accept left.
struct Acknowledged {
    /// `true` if the accept names a version and was not refused, so that recording it may be right.
    may_be_owed: bool,
    /// The versions that were sent, answered and recorded.
    text: String,
    evidence: Vec<u64>,
}

impl Acknowledged {
    /// Reads the acknowledgement that an accept left in its answer or in the peer's record, if there is one.
    fn read(trace: &Trace, accept: &Call<'_>, label: &str) -> Option<Self> {
        let given = |version: &Value| !is_unacknowledged(version);
        let answered =
            accept.exchange.succeeded().then(|| agreed_version(accept.exchange)).flatten().filter(given);
        let shown = peer_shown(trace, label);
        let recorded = shown.and_then(|(n, peer)| Some((n, on_record(peer).filter(|it| given(it))?)));
        let places = [
            answered.as_ref().map(|version| format!("{version} in the answer")),
            recorded.map(|(_, version)| format!("{version} on record")),
        ];
        let places: Vec<String> = places.into_iter().flatten().collect();
        if places.is_empty() {
            return None;
        }
        let requested = requested_version(accept.exchange);
        let text = format!(
            "contract_version {requested}: {}; contract_version_agreed is {}",
            reply_summary(accept.exchange),
            places.join(" and ")
        );
        let evidence = [accept.n()].into_iter().chain(recorded.map(|(n, _)| n)).collect();
        Some(Self {
            may_be_owed: names_a_version(&requested) && !accept.exchange.was_refused(),
            text,
            evidence,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::acknowledgement::fixture::{record, snapshot};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Adds the accept of a peer that names `version`, and gets this status and agreement.
    fn accept(builder: TraceBuilder, version: &Value, status: u16, agreed: &Value) -> TraceBuilder {
        let exchange = Exchange::to_target("peer")
            .on("POST", "accept")
            .sending(json!({"contract_version": version}))
            .answered_with(status, json!({"data": {"contract_version_agreed": agreed}}));
        builder.call("accept", exchange)
    }

    fn evaluated(builder: TraceBuilder, recorded: &Value, conforming: &Value) -> Verdict {
        let builder = snapshot(builder, "after", recorded);
        snapshot(builder, "conforming", conforming).verdict::<NoAcknowledgementRecorded>(json!({
            "call": "accept", "control": "control", "snapshot": "after",
            "conforming_snapshot": "conforming", "proposed_snapshot": "proposed",
        }))
    }

    #[test]
    fn an_acknowledgement_on_record_after_a_refusal_is_broken() {
        let refused = || accept(TraceBuilder::new(), &json!(1), 422, &Value::Null);
        let acknowledged = record(&json!(1));
        for (version, expected) in [(json!(null), Kept), (json!(0.0), Kept), (json!(1), Broken)] {
            assert_eq!(evaluated(refused(), &record(&version), &acknowledged), expected, "{version}");
        }
        assert_eq!(evaluated(refused(), &json!({}), &acknowledged), Kept);
        for status in [204, 408, 429, 503] {
            let put_off = accept(TraceBuilder::new(), &json!(1), status, &Value::Null);
            assert_eq!(evaluated(put_off, &json!({}), &acknowledged), Unproven, "{status}");
            let put_off = accept(TraceBuilder::new(), &json!(1), status, &Value::Null);
            assert_eq!(
                evaluated(put_off, &acknowledged, &acknowledged),
                Unproven,
                "{status}: it may be owed"
            );
        }
        assert_eq!(evaluated(refused(), &json!({}), &json!({"status": "active"})), Unproven);
        assert_eq!(evaluated(TraceBuilder::new(), &json!({}), &acknowledged), Unproven, "nothing was sent");
        let control = Exchange::to_target("peer").on("POST", "accept").answered(503);
        let busy = refused().call("control", control);
        assert_eq!(evaluated(busy, &json!({}), &acknowledged), Unproven, "no accept succeeded");
        let filled = snapshot(refused(), "proposed", &acknowledged);
        assert_eq!(evaluated(filled, &acknowledged, &acknowledged), Unproven);
    }

    #[test]
    fn an_accepted_accept_acknowledges_the_version_that_it_names_and_no_other() {
        let acknowledged = record(&json!(1));
        let verdict = |sent: Value, agreed: Value, recorded: &Value| {
            evaluated(accept(TraceBuilder::new(), &sent, 200, &agreed), recorded, &acknowledged)
        };
        for sent in [json!(null), json!(0), json!(-1), json!(1.9), json!("1"), json!("1abc"), json!(false)] {
            assert_eq!(verdict(sent.clone(), json!(1), &acknowledged), Broken, "{sent}");
            assert_eq!(verdict(sent.clone(), json!(1), &json!({})), Broken, "{sent} in the answer alone");
            assert_eq!(verdict(sent.clone(), json!(null), &json!({})), Kept, "{sent} without any record");
        }
        assert_eq!(verdict(json!(1), json!(1), &acknowledged), Unproven, "it was not refused");
    }

    #[test]
    fn the_evidence_names_what_was_sent_and_what_is_on_record() {
        let builder = accept(TraceBuilder::new(), &json!("1abc"), 200, &json!(1));
        let result = snapshot(builder, "after", &record(&json!(1))).result::<NoAcknowledgementRecorded>(json!({
            "call": "accept", "control": "control", "snapshot": "after", "conforming_snapshot": "x", "proposed_snapshot": "y",
        }));
        let expected = "contract_version \"1abc\": POST /accept answered 200; \
            contract_version_agreed is 1 in the answer and 1 on record";
        assert_eq!((result.actual.as_str(), result.evidence.len()), (expected, 2));
    }
}

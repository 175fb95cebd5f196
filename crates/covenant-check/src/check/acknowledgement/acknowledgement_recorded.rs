//! `acknowledgement-recorded`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::agreed::{accept, reported, snapshot};
use crate::check::arguments::Label;
use crate::check::c02::unless_ended_with_notice;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::Call;
use crate::check::versioning::agreement::{is_version_asked_for, on_record};
use covenant_model::transcript::Trace;

/// The contract version that an accept names is in the answer, and in the peer's record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct AcknowledgementRecorded {
    /// The accept.
    pub call: Label,
    /// The operator's snapshot of the peer.
    pub snapshot: Label,
    /// `true` if the operator did something after which a target may end the peering with a notice. Then a breach counts only where no
    /// notice came, and one could have arrived.
    #[serde(default)]
    pub may_end_with_notice: bool,
}

impl Check for AcknowledgementRecorded {
    const ID: &'static str = "acknowledgement-recorded";
    const EXPECTED: &'static [&'static str] = &["contract_version_agreed as requested"];
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let accept = accept(trace, &self.call)?;
        let outcome = self.recorded(trace, &accept);
        if self.may_end_with_notice {
            return unless_ended_with_notice(outcome, trace, &accept.exchange.peer);
        }
        outcome
    }
}

impl AcknowledgementRecorded {
    fn recorded(&self, trace: &Trace, accept: &Call<'_>) -> Outcome {
        let (shown, peer) = snapshot(trace, &self.snapshot)?;
        let evidence = [accept.n(), shown];
        let requested =
            accept.exchange.sent().map(|sent| sent["contract_version"].clone()).unwrap_or_default();
        let reported = reported(accept.exchange);
        let places = [("in the answer", reported.as_ref()), ("on record", on_record(peer))];
        for (place, version) in places {
            let Some(version) = version else { continue };
            let actual = || format!("requested {requested}, {place} {version}");
            match is_version_asked_for(version, &requested) {
                Some(true) => {}
                Some(false) => return Err(Stop::broken(actual(), evidence)),
                None => return Err(Stop::unproven(actual(), evidence)),
            }
        }
        match places.iter().find(|(_, version)| version.is_none()) {
            Some((place, _)) => Err(Stop::unproven(format!("no version is {place}"), evidence)),
            None => Ok(Pass::new("in the answer and on record", evidence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::acknowledgement::fixture::{accepted, record, snapshot};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    #[test]
    fn a_record_without_a_place_for_the_version_shows_nothing() {
        let evaluated = |reported: &Value, record: &Value| {
            snapshot(accepted(&json!(1), reported), "snapshot", record)
                .verdict::<AcknowledgementRecorded>(json!({"call": "accepted", "snapshot": "snapshot"}))
        };
        assert_eq!(evaluated(&json!(1), &record(&json!("1"))), Kept);
        assert_eq!(evaluated(&json!(1), &json!({"agreed_contract_version": 1.0})), Kept);
        assert_eq!(evaluated(&json!(1), &json!({"status": "active"})), Unproven);
        assert_eq!(evaluated(&json!(1), &record(&json!(null))), Broken);
        assert_eq!(evaluated(&json!(2), &record(&json!(1))), Broken);
        for (written, verdict) in
            [("v1", Kept), ("1.0", Kept), ("V1", Kept), ("v2", Broken), ("", Broken), ("2026-05", Unproven)]
        {
            assert_eq!(evaluated(&json!(1), &record(&json!(written))), verdict, "{written:?}");
        }
    }
    #[test]
    fn a_record_of_a_peering_that_ended_with_a_notice_shows_nothing() {
        let verdict = |notice: Option<Value>, is_open: bool| {
            let builder = snapshot(accepted(&json!(1), &json!(1)), "snapshot", &record(&json!(null)));
            let beat = |peer: &str, sent: Value| {
                Exchange::from_target(peer)
                    .on("POST", "heartbeat")
                    .sending(sent)
                    .answered_with(200, json!({}))
            };
            let builder = if is_open { builder.call_from_target(beat("bob", json!({}))) } else { builder };
            let peer = builder.trace().exchanges_labelled("accepted").map(|(_, it)| it.peer.clone()).next();
            let notice = notice.map(|sent| beat(&peer.expect("an accept"), sent));
            let builder = notice.into_iter().fold(builder, TraceBuilder::call_from_target);
            builder.verdict::<AcknowledgementRecorded>(
                json!({"call": "accepted", "snapshot": "snapshot", "may_end_with_notice": true}),
            )
        };
        let ended = json!({"events": [{"id": "1", "kind": "platform.peer.revoked", "payload": {}}]});
        assert_eq!(verdict(None, true), Broken);
        assert_eq!(verdict(None, false), Unproven, "a notice could not arrive");
        assert_eq!(verdict(Some(ended), true), Unproven);
        assert_eq!(verdict(Some(json!({"status": "superseded"})), true), Unproven);
        assert_eq!(verdict(Some(json!({"status": "active"})), true), Broken);
    }
}

//! `acknowledgement-recorded`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::agreed::{accept, reported, snapshot};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
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
}

impl Check for AcknowledgementRecorded {
    const ID: &'static str = "acknowledgement-recorded";
    const EXPECTED: &'static [&'static str] = &["contract_version_agreed as requested"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let accept = accept(trace, &self.call)?;
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
}

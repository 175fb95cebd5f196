//! `join-acknowledges-contract`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, peer_shown};
use crate::check::versioning::agreement::{is_version_asked_for, on_record};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The reason for which the check ends without an accept.
const NO_ACCEPT: &str = "the target did not call accept";

/// A target that joins names a contract version, and has it in the peer's record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct JoinAcknowledgesContract {
    /// The peer that the target joins.
    pub peer: PeerName,
    /// The operator's snapshot of the peer.
    pub snapshot: Label,
}

impl Check for JoinAcknowledgesContract {
    const ID: &'static str = "join-acknowledges-contract";
    const EXPECTED: &'static [&'static str] = &["a contract version above zero, sent and on record"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let accepts = || calls(trace).of(&self.peer).made_by_target().on(Route::Accept);
        // A peer that is refused may correct itself the next time.
        let accepted = accepts().accepted().next_back().or_else(|| accepts().next_back());
        let accept = accepted.or_unproven(NO_ACCEPT)?;
        let body = accept.exchange.sent().or_unproven(NO_ACCEPT)?;
        let requested = body.get("contract_version").unwrap_or(&Value::Null);
        let number = requested.as_f64();
        let is_absent = requested.is_null() || *requested == false;
        if is_absent || number.is_some_and(|number| number <= 0.0) {
            return Err(Stop::broken(format!("it joins with {requested}"), [accept.n()]));
        }
        let record = peer_shown(trace, &self.snapshot).and_then(|(n, peer)| Some((n, on_record(peer)?)));
        let (Some(_), Some((shown, kept))) = (number, record) else {
            let actual = format!("it joins with {requested}, and no record shows it");
            return Err(Stop::unproven(actual, [accept.n()]));
        };
        let evidence = [accept.n(), shown];
        let actual = || format!("it joins with {requested}, on record {kept}");
        match is_version_asked_for(kept, requested) {
            Some(true) => Ok(Pass::new("sent and on record", evidence)),
            Some(false) => Err(Stop::broken(actual(), evidence)),
            None => Err(Stop::unproven(actual(), evidence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::acknowledgement::fixture::{record, snapshot};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    #[test]
    fn a_join_is_evaluated_by_the_accept_that_succeeded() {
        let accept = |builder: TraceBuilder, requested: Value, status: u16| {
            let accept = Exchange::from_target("alice").on("POST", "accept");
            let accept = accept.sending(json!({ "contract_version": requested }));
            builder.call_from_target(accept.answered_with(status, json!({"data": {}})))
        };
        let evaluated = |builder: TraceBuilder| {
            snapshot(builder, "snapshot", &record(&json!(1)))
                .verdict::<JoinAcknowledgesContract>(json!({"peer": "alice", "snapshot": "snapshot"}))
        };
        let none = TraceBuilder::new;
        assert_eq!(evaluated(accept(accept(none(), json!(null), 422), json!(1), 200)), Kept);
        assert_eq!(evaluated(accept(accept(none(), json!(1), 422), json!(null), 200)), Broken);
        assert_eq!(evaluated(accept(none(), json!(2), 200)), Broken);
        assert_eq!(evaluated(none()), Unproven);
    }
}

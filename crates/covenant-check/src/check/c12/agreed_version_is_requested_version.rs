//! `agreed-version-is-requested-version`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, peer_id, peer_shown};
use crate::check::versioning::agreement::{
    agreed_version, contracts_listed, is_listed, is_unacknowledged, is_version_asked_for, on_record,
    requested_digest, requested_version,
};
use covenant_model::transcript::Trace;

/// The contract version to which the target agrees is the requested one, and one that the target has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct AgreedVersionIsRequestedVersion {
    /// The accepts, of every version.
    pub call: Label,
    /// The `contract.list` of the operator. Without it, only the request and the answer are compared.
    pub contracts: Option<Label>,
    /// The `peer.show` of each peer after its accept: a target whose answer agrees to nothing may still have recorded a version.
    pub recorded: Option<Labels>,
}

impl Check for AgreedVersionIsRequestedVersion {
    const ID: &'static str = "agreed-version-is-requested-version";
    const EXPECTED: &'static [&'static str] =
        &["contract_version_agreed equal to the version asked for, and listed; or a refusal"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let contracts = self.contracts.as_ref().map(|label| contracts_listed(trace, label)).transpose()?;
        let listed: Vec<u64> = contracts.iter().map(|(n, _)| *n).collect();
        let with_list = |call: &Call<'_>| listed.iter().copied().chain([call.n()]).collect::<Vec<u64>>();
        let has = |version: &Value, digest: Option<&str>| {
            contracts.map_or(Some(true), |(_, rows)| is_listed(rows, version, digest))
        };
        let accepts: Vec<Call<'_>> = calls(trace).labelled(&self.call).collect();
        // Agreeing to nothing is as good as a refusal, unless the peer's record has a version (`binding.md`, reading 74).
        let agrees_to_nothing = |call: &Call<'_>| {
            let agreed = agreed_version(call.exchange).unwrap_or_default();
            is_unacknowledged(&agreed) && self.recorded(trace, call).is_none()
        };
        let succeeded =
            || accepts.iter().filter(|call| call.exchange.succeeded() && !agrees_to_nothing(call));
        let mut open = None;
        for call in succeeded() {
            let requested = requested_version(call.exchange);
            let answered = agreed_version(call.exchange).filter(|version| !is_unacknowledged(version));
            let agreed = answered.or_else(|| self.recorded(trace, call)).unwrap_or_default();
            // A.1 evaluates whether a text asks for a version at all.
            let actual = || format!("asked for {requested}, agreed to {agreed}");
            match is_version_asked_for(&agreed, &requested) {
                Some(true) => {}
                Some(false) => return Err(Stop::final_breach(actual(), with_list(call))),
                None => return Err(Stop::unproven(actual(), with_list(call))),
            }
            match has(&requested, requested_digest(call.exchange)) {
                Some(true) => {}
                Some(false) => {
                    let actual = format!("agreed to {agreed}, which it does not have");
                    return Err(Stop::broken(actual, with_list(call)));
                }
                None => {
                    let actual = format!("agreed to {agreed}; its own versions are listed as no numbers");
                    open.get_or_insert_with(|| Stop::unproven(actual, with_list(call)));
                }
            }
        }
        if let Some(open) = open {
            return Err(open);
        }
        let is_open = |call: &&Call<'_>| !call.exchange.succeeded() && !call.exchange.was_refused();
        if let Some(call) = accepts.iter().find(is_open) {
            return Err(Stop::unproven(call.summary(), with_list(call)));
        }
        let agreed = succeeded().count();
        if agreed == 0 {
            return Err(Stop::unproven("no accept agreed to a version", listed));
        }
        let actual = format!("{agreed} of {} accepts agreed, each as asked", accepts.len());
        Ok(Pass::new(actual, listed.into_iter().chain(accepts.iter().map(Call::n))))
    }
}

impl AgreedVersionIsRequestedVersion {
    /// Returns the version in the record of the peer that accepted, if it has one.
    fn recorded(&self, trace: &Trace, accept: &Call<'_>) -> Option<Value> {
        let id = peer_id(trace, &accept.exchange.peer)?;
        let mut shown = self.recorded.iter().flat_map(Labels::iter).filter_map(|label| {
            let (_, shown) = trace.operation(label)?;
            (shown.parameters["peer_id"] == *id).then(|| peer_shown(trace, label))?
        });
        let (_, peer) = shown.next()?;
        on_record(peer).filter(|version| !is_unacknowledged(version)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::contract::V1_2026_05;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    fn verdict(asked: &Value, status: u16, agreed: &Value) -> Verdict {
        verdict_where(&json!([{"version": "1"}]), asked, status, agreed)
    }

    /// Returns the verdict on a target that lists these versions, agrees to 1 for one peer, and answers
    /// another one like this.
    fn verdict_where(listed: &Value, asked: &Value, status: u16, agreed: &Value) -> Verdict {
        let accept = |asked: &Value, status: u16, agreed: &Value| {
            let answer = json!({"success": true, "data": {"contract_version_agreed": agreed}});
            Exchange::to_target("alice")
                .sending(json!({"contract_version": asked, "contract_digest": V1_2026_05.digest}))
                .answered_with(status, answer)
        };
        TraceBuilder::new()
            .operation("listed", "contract.list", json!({ "contracts": listed }))
            .call("call", accept(&json!(1), 200, &json!(1)))
            .call("call", accept(asked, status, agreed))
            .verdict::<AgreedVersionIsRequestedVersion>(json!({"call": "call", "contracts": "listed"}))
    }

    #[test]
    fn agreeing_to_another_version_or_to_one_that_the_target_does_not_have_is_broken() {
        assert_eq!(verdict(&json!(2), 422, &Value::Null), Kept);
        assert_eq!(verdict(&json!(2), 200, &json!(1)), Broken);
        assert_eq!(verdict(&json!(2), 200, &json!(2)), Broken);
        for text in ["1abc", "v1", "1.0"] {
            assert_eq!(verdict(&json!(text), 200, &json!(1)), Broken, "{text}");
        }
        assert_eq!(verdict(&json!("1"), 200, &json!(1)), Kept);
        for written in ["1", "v1", "1.0"] {
            assert_eq!(verdict(&json!(1), 200, &json!(written)), Kept, "{written}");
        }
        assert_eq!(verdict(&json!(1), 200, &json!("v2")), Broken);
        assert_eq!(verdict(&json!(1), 200, &json!("the first")), Unproven);
    }

    #[test]
    fn a_version_may_be_listed_under_another_name() {
        let agreed_to = |listed: Value| verdict_where(&listed, &json!(1), 200, &json!(1));
        for written in ["v1", "1.0"] {
            assert_eq!(agreed_to(json!([{"version": written}])), Kept, "{written}");
        }
        assert_eq!(agreed_to(json!([{"version": "2026-05", "digest": V1_2026_05.digest}])), Kept);
        assert_eq!(agreed_to(json!([{"version": "2026-05"}])), Unproven);
        assert_eq!(agreed_to(json!([{"version": 7}])), Broken);
    }
    #[test]
    fn agreeing_to_nothing_is_broken_only_if_the_record_has_a_version() {
        let verdict = |asked: u64, agreed: &Value, on_record: Option<Value>| {
            let accept = |peer: &str, asked: u64, agreed: &Value| {
                let data = json!({"peer_id": peer, "contract_version_agreed": agreed});
                Exchange::to_target(peer)
                    .on("POST", "accept")
                    .sending(json!({"contract_version": asked, "contract_digest": V1_2026_05.digest}))
                    .answered_with(200, json!({"success": true, "data": data}))
            };
            let builder = TraceBuilder::new()
                .operation("listed", "contract.list", json!({"contracts": [{"version": "1"}]}))
                .call("call", accept("alice", 1, &json!(1)))
                .call("call", accept("bob", asked, agreed));
            let row = on_record.map(|version| json!({"peer": {"contract_version_agreed": version}}));
            let builder = row.into_iter().fold(builder, |builder, row| {
                builder.operation_with("bobs", "peer.show", json!({"peer_id": "bob"}), row)
            });
            builder.verdict::<AgreedVersionIsRequestedVersion>(
                json!({"call": "call", "contracts": "listed", "recorded": ["alices", "bobs"]}),
            )
        };
        for nothing in [json!(null), json!(0), json!(""), json!("0")] {
            for asked in [1, 99] {
                assert_eq!(verdict(asked, &nothing, None), Kept, "{asked} {nothing}");
                assert_eq!(verdict(asked, &nothing, Some(nothing.clone())), Kept, "{asked} {nothing}");
            }
            assert_eq!(verdict(99, &nothing, Some(json!(99))), Broken, "{nothing}");
            assert_eq!(verdict(99, &nothing, Some(json!(1))), Broken, "{nothing}");
            assert_eq!(verdict(1, &nothing, Some(json!(1))), Kept, "{nothing}");
        }
        assert_eq!(verdict(99, &json!(99), None), Broken);
    }

    #[test]
    fn a_target_that_agrees_to_nothing_at_all_shows_nothing() {
        let accept = Exchange::to_target("alice").sending(json!({"contract_version": 1}));
        let verdict = TraceBuilder::new()
            .call("call", accept.answered_with(200, json!({"data": {"status": "accepted"}})))
            .verdict::<AgreedVersionIsRequestedVersion>(json!({"call": "call"}));
        assert_eq!(verdict, Unproven);
    }
}

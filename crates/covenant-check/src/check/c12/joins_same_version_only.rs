//! `joins-same-version-only`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::peer_list::{address_of, id_of, is_joined, joined_id, rows_in};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::is_admitted;
use covenant_model::transcript::{Operation, Trace};

/// As the joining side, the target refuses an answer that agrees to another contract version or text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct JoinsSameVersionOnly {
    /// The join whose answer agrees to another version or text.
    pub call: Label,
    /// A join with a valid answer.
    pub control: Label,
    /// The `peer.list` before the joins.
    pub before: Option<Label>,
    /// The `peer.list` after the joins.
    pub after: Label,
}

impl Check for JoinsSameVersionOnly {
    const ID: &'static str = "joins-same-version-only";
    const EXPECTED: &'static [&'static str] =
        &["the join refused, or its peer left short of enrolled; the rightly answered one enrolled"];
    const CONTROL: Option<&'static str> =
        Some("the list of peers shows the peer of a rightly answered join as admitted");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let made = |label: &str| trace.operation(label).or_unproven("the joins were not made");
        let (wrong, join) = made(&self.call)?;
        let (shown, after) = made(&self.after)?;
        let before = self.before.as_ref().and_then(|label| trace.operation(label));
        let known = before.map(|(_, list)| rows_in(list)).unwrap_or_default();
        // An address that a peer had before may occur again.
        let is_new = |peer: &Value| known.iter().all(|old| id_of(old) != id_of(peer));
        let new: Vec<&Value> = rows_in(after).iter().filter(|peer| is_new(peer)).collect();
        let row_of = |join: &Operation| new.iter().find(|peer| is_joined(peer, join)).copied();
        let misled = row_of(join).map(|peer| (&peer["status"], is_admitted(&peer["status"])));
        // It needs no control: the peer is admitted on terms that the target did not ask for.
        if let Some((status, Some(true))) = misled {
            return Err(Stop::final_breach(format!("the peer is {status}"), [wrong, shown]));
        }
        let (right, control) = made(&self.control)?;
        let evidence = [right, wrong, shown];
        if row_of(control).and_then(|peer| is_admitted(&peer["status"])) != Some(true) {
            let actual = "a join that was answered rightly did not enrol either";
            return Err(Stop::unproven(actual, evidence));
        }
        if let Some((status, admitted)) = misled {
            if admitted.is_none() {
                let actual = format!("the peer is {status}, which is no status of the wire");
                return Err(Stop::unproven(actual, evidence));
            }
        } else if joined_id(join).is_none() {
            let may_be_it = |peer: &&&Value| {
                !is_joined(peer, control)
                    && is_admitted(&peer["status"]) != Some(false)
                    && address_of(peer).is_none()
            };
            if let Some(peer) = new.iter().find(may_be_it) {
                let actual = format!("a new peer is {}, and its record shows no address", peer["status"]);
                return Err(Stop::unproven(actual, evidence));
            }
        }
        Ok(Pass::new("the join was refused, and the rightly answered one enrolled", evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::What;
    use serde_json::json;

    /// Returns the verdict if the wrong join has this result and the peers are listed like this.
    fn joined(wrong: Option<Value>, listed: Value) -> Verdict {
        joined_since(&json!([]), wrong, listed)
    }

    fn joined_since(known: &Value, wrong: Option<Value>, listed: Value) -> Verdict {
        let operations = [
            ("control", json!({"base_url": "https://a/"}), Some(json!({"peer_id": "1"}))),
            ("call", json!({"base_url": "https://b/"}), wrong),
            ("after", json!({}), Some(listed)),
            ("before", json!({}), Some(known.clone())),
        ];
        let add = |builder: TraceBuilder, (label, parameters, result)| {
            let operation = Operation { method: "x".into(), parameters, result, failure: None };
            builder.entry(label, What::Operation(operation))
        };
        let builder = operations.into_iter().fold(TraceBuilder::new(), add);
        builder.verdict::<JoinsSameVersionOnly>(
            json!({"control": "control", "call": "call", "after": "after", "before": "before"}),
        )
    }

    #[test]
    fn a_peer_that_answered_another_version_and_is_enrolled_is_broken() {
        let right = json!({"peer_id": "1", "status": "active"});
        let wrong = |status: &str| json!({"id": "2", "status": status, "remote_instance_url": "https://b"});
        for listed in [json!({"peers": [right, wrong("proposed")]}), json!([right, wrong("revoked")])] {
            assert_eq!(joined(Some(json!({"peer_id": "2"})), listed.clone()), Kept);
            assert_eq!(joined(None, listed), Kept);
        }
        let listed = json!({"data": {"items": [right, wrong("enrolled")]}});
        assert_eq!(joined(Some(json!({"peer_id": "2"})), listed.clone()), Broken);
        assert_eq!(joined(None, listed), Broken);
        assert_eq!(joined(None, json!([wrong("proposed")])), Unproven);
        assert_eq!(joined(None, json!([wrong("enrolled")])), Broken, "it needs no control");
        assert_eq!(joined(None, json!([right, wrong("connected")])), Unproven, "no status of the wire");
        let nowhere = json!({"id": "2", "status": "active"});
        assert_eq!(joined(None, json!([right, nowhere])), Unproven);
        assert_eq!(joined_since(&json!([nowhere]), None, json!([right, nowhere])), Kept);
        assert_eq!(joined(Some(json!({"peer_id": "3"})), json!([right, nowhere])), Kept);
        let reached = json!({"id": "2", "status": "active", "endpoints": [{"url": "https://b/federation"}]});
        assert_eq!(joined(None, json!([right, reached])), Broken);
        let elsewhere = json!({"id": "2", "status": "active", "remote_instance_url": "https://c"});
        assert_eq!(joined(None, json!([right, elsewhere])), Kept);
        let old = json!({"id": "0", "status": "active", "remote_instance_url": "https://b"});
        assert_eq!(joined_since(&json!([old]), None, json!([old, right])), Kept);
    }
}

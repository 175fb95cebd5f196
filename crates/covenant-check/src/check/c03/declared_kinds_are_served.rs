//! `declared-kinds-are-served`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::declaration::{declared_in, last_of_own_accord};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls};
use crate::check::query::{is_denied, last_put};
use covenant_model::transcript::Trace;
use covenant_model::wire::capability::{Capability, Direction};
use covenant_model::wire::path::Route;

/// The holder of a grant is served every kind that the target declares.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct DeclaredKindsAreServed {
    /// An accept or heartbeat whose response has the target's capabilities. Where none has them, the last heartbeat of the
    /// target's own to the same peer counts.
    pub declaration: Label,
    /// The fetches, one or more for each declared kind.
    pub call: Label,
}

impl Check for DeclaredKindsAreServed {
    const ID: &'static str = "declared-kinds-are-served";
    const EXPECTED: &'static [&'static str] = &["200 for every declared kind, under a grant for it"];
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let answers = || calls(trace).labelled(&self.declaration);
        let answered = answers().filter_map(|call| Some((call.n(), declared_in(call.exchange)?))).next_back();
        // A target may declare its kinds in heartbeats of its own alone.
        let of_own_accord = || last_of_own_accord(trace, &answers().next()?.exchange.peer);
        let declared = answered.or_else(of_own_accord);
        let (declared_n, document) = declared.or_unproven("the target sent no capability document")?;
        if document.resource_kinds.is_empty() {
            return Err(Stop::unproven("the target declares nothing", [declared_n]));
        }
        let mut evidence = vec![declared_n];
        let mut served = BTreeSet::new();
        for call in calls(trace).labelled(&self.call) {
            let Some(Route::Resource { kind, id }) = call.route() else { continue };
            if document.row(&kind).is_none_or(|row| !is_served_outward(row)) {
                continue;
            }
            let breach = |actual| Err(Stop::broken(actual, [declared_n, call.n()]));
            if call.exchange.succeeded() && is_denied(trace, call.n(), call.exchange) {
                return breach(format!("{kind} is declared, and the target denies a record that exists"));
            }
            let exists = last_put(trace, call.n(), &kind, &id).is_some();
            if call.exchange.status().is_some_and(|status| is_not_served(status, exists)) {
                return breach(format!("{kind} is declared, and {}", call.summary()));
            }
            if call.exchange.succeeded() {
                evidence.push(call.n());
                served.insert(kind);
            }
        }
        let mut due = document.resource_kinds.iter().filter(|row| is_served_outward(row));
        if let Some(row) = due.find(|row| !served.contains(&row.kind)) {
            return Err(Stop::unproven(format!("no record of {} was fetched", row.kind), evidence));
        }
        if served.is_empty() {
            return Err(Stop::unproven("no kind is declared whose records can be read", evidence));
        }
        Ok(Pass::new(format!("{} declared kinds are served", served.len()), evidence))
    }
}

/// Returns whether a row declares that records can be read. A kind that only comes in, or only migrates, need
/// not be served.
fn is_served_outward(row: &Capability) -> bool {
    !matches!(
        row.direction,
        Some(Direction::PullRemoteToLocal | Direction::MigrationOnly | Direction::Other(_))
    )
}

/// Returns whether a response says that the kind is not served. The absence of one record says nothing about
/// its kind.
fn is_not_served(status: u16, exists: bool) -> bool {
    match status {
        404 => exists,
        422 | 500 | 501 => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    /// Returns the verdict on a target that declares agents in this direction, has the record `there`, and
    /// gives this answer to a read.
    fn verdict(direction: &str, id: &str, status: u16, exists: bool) -> Verdict {
        let rows =
            json!([{"kind": "agent", "schema_version": 1, "direction": direction, "policy": "manual"}]);
        let declared = Exchange::to_target("alice")
            .on("POST", "heartbeat")
            .answered_with(200, json!({"data": {"capabilities": {"resource_kinds": rows}}}));
        let read = Exchange::to_target("alice")
            .on("GET", &format!("resources/agent/{id}"))
            .answered_with(status, json!({"data": {"kind": "agent", "id": id, "exists": exists}}));
        let put = json!({"kind": "agent", "id": "there", "record": {"name": "a"}});
        TraceBuilder::new()
            .call("declared", declared)
            .operation_with("put", "resource.put", put, json!({}))
            .call("tried", read)
            .verdict::<DeclaredKindsAreServed>(json!({"declaration": "declared", "call": "tried"}))
    }

    #[test]
    fn a_declared_kind_is_one_whose_records_can_be_read() {
        assert_eq!(verdict("bidirectional", "there", 200, true), Kept);
        assert_eq!(verdict("bidirectional", "there", 200, false), Broken, "it hides what is there");
        assert_eq!(verdict("push_local_to_remote", "there", 404, false), Broken);
        assert_eq!(verdict("bidirectional", "absent", 422, false), Broken);
    }

    #[test]
    fn an_absent_record_and_a_kind_that_only_comes_in_need_not_be_served() {
        assert_eq!(verdict("bidirectional", "absent", 404, false), Unproven);
        assert_eq!(verdict("bidirectional", "there", 503, false), Unproven);
        for direction in ["pull_remote_to_local", "migration_only", "sideways"] {
            assert_eq!(verdict(direction, "there", 422, false), Unproven, "{direction}");
        }
    }

    #[test]
    fn a_declaration_in_a_heartbeat_of_the_targets_own_counts_where_no_answer_has_one() {
        let verdict = |answered: Value, sent: Option<Value>, status: u16| {
            let answer = Exchange::to_target("alice").on("POST", "heartbeat").answered_with(200, answered);
            let mut builder = TraceBuilder::new().call("declared", answer);
            if let Some(sent) = sent {
                let beat = Exchange::from_target("alice").on("POST", "heartbeat").sending(sent);
                builder =
                    builder.call_from_target(beat.answered_with(200, json!({"data": {"status": "active"}})));
            }
            let read = Exchange::to_target("alice").on("GET", "resources/agent/there");
            let put = json!({"kind": "agent", "id": "there", "record": {"name": "a"}});
            builder
                .operation_with("put", "resource.put", put, json!({}))
                .call("tried", read.answered_with(status, json!({"data": {"exists": status == 200}})))
                .verdict::<DeclaredKindsAreServed>(json!({"declaration": "declared", "call": "tried"}))
        };
        let declares = |kind: &str| {
            let row =
                json!({"kind": kind, "schema_version": 1, "direction": "bidirectional", "policy": "manual"});
            json!({"capabilities": {"resource_kinds": [row]}})
        };
        let silent = || json!({"data": {"status": "active"}});
        assert_eq!(verdict(silent(), Some(declares("agent")), 200), Kept);
        assert_eq!(verdict(silent(), Some(declares("agent")), 404), Broken);
        assert_eq!(verdict(silent(), Some(json!({"status": "active"})), 404), Unproven);
        assert_eq!(verdict(silent(), None, 404), Unproven);
        assert_eq!(
            verdict(json!({"data": declares("agent")}), Some(declares("note")), 404),
            Broken,
            "the answer"
        );
    }
}

//! `received-migration-has-grace`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, records, succeeded_operation};
use covenant_model::transcript::{NoteKind, Trace, What};

/// A migration of which the target had received the first half when it revoked is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ReceivedMigrationHasGrace {
    /// The migration that is sent in halves.
    pub migration: Label,
    /// The operation that revokes, between the halves.
    pub revoke: Label,
    /// A migration that is sent in halves without a revocation between them.
    pub control: Label,
    /// The operator's list of records afterwards.
    pub records: Option<Label>,
}

impl Check for ReceivedMigrationHasGrace {
    const ID: &'static str = "received-migration-has-grace";
    const EXPECTED: &'static [&'static str] = &["the migration accepted, though the peering ended meanwhile"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let control = calls(trace).labelled(&self.control).last_or("no migration was sent in halves")?;
        if call_outcome(control.exchange) != CallOutcome::Admitted {
            let actual =
                format!("a migration that is sent in halves is not accepted either: {}", control.summary());
            return Err(Stop::unproven(actual, [control.n()]));
        }
        let (revoked, _) = succeeded_operation(trace, &self.revoke, "the operator did not revoke")?;
        let half_sent = half_sent(trace, &self.migration).filter(|half| *half < revoked);
        let half = half_sent.or_unproven_at("no half was sent before the revocation", &[revoked])?;
        let migration = calls(trace).labelled(&self.migration).after(revoked);
        let migration = migration.last_or("the migration was answered before the revocation")?;
        let evidence = [control.n(), half, revoked, migration.n()];
        if call_outcome(migration.exchange) == CallOutcome::Refused {
            // What was sent may lie in the buffers of a busy machine.
            if !is_head_received(trace, half) {
                let actual = format!(
                    "{}, and nothing shows that the target had begun to receive it: no 100 Continue came before the \
                     revocation",
                    migration.summary()
                );
                return Err(Stop::unproven(actual, evidence));
            }
            let actual =
                format!("half of it was received before the revocation, and {}", migration.summary());
            return Err(Stop::broken(actual, evidence));
        }
        if call_outcome(migration.exchange) != CallOutcome::Admitted {
            let actual = format!("neither accepted nor refused: {}", migration.summary());
            return Err(Stop::unproven(actual, evidence));
        }
        if let Some((listed, id)) = self.lost_record(trace, &migration) {
            let actual = format!("{}, and {id} is not there", migration.summary());
            return Err(Stop::broken(actual, evidence.into_iter().chain([listed])));
        }
        Ok(Pass::new(format!("received at the revocation, {}", migration.summary()), evidence))
    }
}

impl ReceivedMigrationHasGrace {
    /// Returns the record of the migration if the operator's list lacks it, with the entry of the list.
    fn lost_record(&self, trace: &Trace, migration: &Call<'_>) -> Option<(u64, String)> {
        let (listed, records) = records(trace, self.records.as_deref()?)?;
        let plan = migration.exchange.sent()?;
        let (kind, id) = (plan["root_resource_kind"].as_str()?, plan["root_resource_id"].as_str()?);
        let is_there = records.contains_key(&(kind.to_owned(), id.to_owned()));
        (!is_there).then_some((*listed.first()?, id.to_owned()))
    }
}

/// Returns whether the note of the first half says that the target had read the head: it asked for the body.
fn is_head_received(trace: &Trace, half: u64) -> bool {
    let note = trace.entries().iter().find(|entry| entry.n == half);
    note.is_some_and(
        |entry| matches!(&*entry.what, What::Note(note) if note.facts["is_head_received"] == true),
    )
}

/// Returns the entry that notes the first half of a migration.
fn half_sent(trace: &Trace, label: &str) -> Option<u64> {
    let mut notes = trace.labelled(label).filter_map(|entry| match &*entry.what {
        What::Note(note) if note.kind == NoteKind::HalfSent => Some(entry.n),
        _ => None,
    });
    notes.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, Note};
    use serde_json::{Value, json};

    fn migrate(status: u16) -> Exchange {
        let plan = json!({"root_resource_kind": "skill", "root_resource_id": "a"});
        let call = Exchange::to_target("alice").on("POST", "migrations").sending(plan);
        call.answered_with(status, json!({"data": {"migration_id": "m", "status": "completed"}}))
    }

    /// Returns the verdict on a migration that gets this status after a revocation.
    fn received(control: u16, is_head_received: Option<bool>, status: u16, listed: &Value) -> Verdict {
        let facts = json!({ "is_head_received": is_head_received });
        let note = Note { kind: NoteKind::HalfSent, message: String::new(), facts };
        let mut builder = TraceBuilder::new().call("control", migrate(control));
        if is_head_received.is_some() {
            builder = builder.entry("migration", What::Note(note));
        }
        builder
            .operation("revoked", "peer.revoke", json!({}))
            .call("migration", migrate(status))
            .operation("records", "resource.list", json!({ "resources": listed }))
            .verdict::<ReceivedMigrationHasGrace>(json!({
                "migration": "migration", "revoke": "revoked", "control": "control", "records": "records",
            }))
    }

    #[test]
    fn a_migration_that_is_cut_in_its_middle_is_broken() {
        let there = json!([{"kind": "skill", "id": "a", "record": {"id": "a"}}]);
        assert_eq!(received(201, Some(true), 201, &there), Kept);
        assert_eq!(received(201, Some(true), 401, &there), Broken);
        assert_eq!(received(201, Some(true), 201, &json!([])), Broken, "it was lost");
        assert_eq!(received(201, Some(true), 500, &there), Unproven);
        assert_eq!(received(422, Some(true), 401, &there), Unproven, "the control was refused");
        assert_eq!(received(201, None, 401, &there), Unproven, "nothing was sent");
        assert_eq!(received(201, Some(false), 401, &there), Unproven, "nothing may have arrived");
        assert_eq!(received(201, Some(false), 201, &there), Kept);
    }
}

//! `originals-kept`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Place, Records, records};
use covenant_model::operator::{OperatorMethod, migration};
use covenant_model::transcript::Trace;

/// As the source of a migration that failed, the target keeps its originals.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OriginalsKept {
    /// The operation that sent the migration.
    pub migration: Label,
    /// The snapshot of the records before the migration.
    pub before: Label,
    /// The snapshots of the records after the migration.
    pub after: Labels,
}

impl Check for OriginalsKept {
    const ID: &'static str = "originals-kept";
    const EXPECTED: &'static [&'static str] = &["every original as it was before"];
    const CONTROL: Option<&'static str> = Some("the originals were listed before the migration");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        const UNREADABLE: &str = "the originals could not be read";
        let (n, _) = trace.operation(&self.migration).or_unproven("the target sent no migration")?;
        let later: Option<Vec<(Vec<u64>, Records)>> =
            self.after.iter().map(|label| records(trace, label)).collect();
        let (seen_before, before) = records(trace, &self.before).or_unproven_at(UNREADABLE, &[n])?;
        let later = later.or_unproven_at(UNREADABLE, &[n])?;
        let seen_after = later.iter().flat_map(|(seen, _)| seen).copied();
        let evidence = seen_before.into_iter().chain([n]).chain(seen_after);
        if before.is_empty() {
            return Err(Stop::unproven("there was no original", evidence));
        }
        let others = self.sent_by_others(trace);
        let is_gone = |place: &&Place| later.iter().any(|(_, after)| !after.contains_key(*place));
        let mut originals = before.keys().filter(|(_, id)| !others.iter().any(|other| *other == id));
        if let Some((kind, id)) = originals.find(is_gone) {
            return Err(Stop::broken(format!("the original {kind} {id} is gone"), evidence));
        }
        Ok(Pass::new("the originals are there", evidence))
    }
}

impl OriginalsKept {
    /// Returns the ids of the records that other steps sent. These may be gone without a breach.
    fn sent_by_others<'a>(&self, trace: &'a Trace) -> Vec<&'a Value> {
        let others = trace.entries().iter().filter(|entry| entry.label.as_deref() != Some(&self.migration));
        let operations = others.filter_map(|entry| entry.operation());
        let sent = operations.filter(|operation| operation.is(migration::SendMigration::METHOD));
        sent.map(|operation| &operation.parameters["root_resource_id"]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept};
    use crate::check::c07::migration_traces::{listed, row};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    fn sent(builder: TraceBuilder, label: &str, parameters: Value) -> TraceBuilder {
        builder.operation_with(label, "migration.send", parameters, json!({}))
    }

    #[test]
    fn an_original_that_goes_later_is_gone() {
        let evaluated = |later: &Value| {
            let builder = listed(TraceBuilder::new(), "before", &json!([row("1")]));
            let builder = listed(sent(builder, "sent", json!({})), "after", &json!([row("1")]));
            let with = json!({"migration": "sent", "before": "before", "after": ["after", "later"]});
            listed(builder, "later", later).verdict::<OriginalsKept>(with)
        };
        assert_eq!((evaluated(&json!([row("1")])), evaluated(&json!([]))), (Kept, Broken));
    }

    #[test]
    fn an_original_of_another_migration_may_go() {
        let evaluated = |other: &str| {
            let builder = sent(TraceBuilder::new(), "other", json!({"root_resource_id": other}));
            let builder = listed(builder, "before", &json!([row("1"), row("2")]));
            let builder = sent(builder, "sent", json!({"root_resource_id": "1"}));
            let with = json!({"migration": "sent", "before": "before", "after": "after"});
            listed(builder, "after", &json!([row("1")])).verdict::<OriginalsKept>(with)
        };
        assert_eq!((evaluated("2"), evaluated("3")), (Kept, Broken));
    }
}

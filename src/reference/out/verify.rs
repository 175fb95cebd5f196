//! Reading back what a destination claims of a migration (7.2, 7.3, 7.4, detection).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::line::call;
use crate::reference::operate::OperatorError;
use crate::reference::platform::Platform;
use crate::reference::store::rows::Peer;
use crate::wire::migration::{Conflict, MigrationRequest, MigrationView, Step};
use crate::wire::path::Route;

/// Members that a destination rewrites or drops.
const OWN_MEMBERS: [&str; 3] = ["account_id", "created_at", "updated_at"];

/// What was read back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// What turned out not to be true.
    pub(crate) untruths: Vec<Untruth>,
    /// Whether each record could be read.
    pub(crate) is_whole: bool,
}

/// Something that is not true of a destination's claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub(crate) enum Untruth {
    /// A record that is claimed is not there under its id (7.2, 7.4).
    Missing { resource_kind: String, resource_id: String },
    /// A record is there with other content, and no conflict was told (7.3, 7.4).
    Changed { resource_kind: String, resource_id: String },
    /// The counts do not add up to the steps (7.2).
    Miscounted { steps: usize, claimed: u64 },
    /// A conflict is told of a step, or with a record, that there is not (7.3).
    Invented { step_order: i64 },
}

/// Reads every record of a plan back, with the same grant.
pub(crate) async fn verify(
    platform: &Arc<Platform>,
    peer: &Peer,
    plan: &MigrationRequest,
    view: &MigrationView,
    token: Option<&str>,
) -> Result<Reading, OperatorError> {
    let conflicts = view.conflict_log.as_deref().unwrap_or_default();
    let mut reading = Reading { untruths: vec![], is_whole: true };
    for step in &plan.steps {
        match read(platform, peer, &step.resource_kind, &step.resource_id, token).await? {
            None => reading.is_whole = false,
            Some(stored) => reading.untruths.extend(judge(step, &stored, conflicts)),
        }
    }
    for conflict in conflicts {
        if is_invented(platform, peer, plan, conflict, token).await? {
            reading.untruths.push(Untruth::Invented { step_order: conflict.step_order });
        }
    }
    reading.untruths.extend(miscounted(plan, view));
    Ok(reading)
}

/// Whether a record is there, and what it is where that is told.
enum Stored {
    Absent,
    Present(Option<Map<String, Value>>),
}

/// None where it can't be read: the grant may have no such scope.
async fn read(
    platform: &Arc<Platform>,
    peer: &Peer,
    kind: &str,
    id: &str,
    token: Option<&str>,
) -> Result<Option<Stored>, OperatorError> {
    let route = Route::Resource { kind: kind.to_owned(), id: id.to_owned() };
    let called = call(platform, peer, &route, None, token).await?;
    let data = called.data();
    Ok(match (called.succeeded(), data["exists"].as_bool()) {
        (true, Some(true)) => Some(Stored::Present(data["record"].as_object().cloned())),
        (true, Some(false)) => Some(Stored::Absent),
        _ => None,
    })
}

fn judge(step: &Step, stored: &Stored, conflicts: &[Conflict]) -> Option<Untruth> {
    let (resource_kind, resource_id) = (step.resource_kind.clone(), step.resource_id.clone());
    let told = conflicts.iter().any(|conflict| conflict.step_order == step.step_order);
    match stored {
        Stored::Absent => Some(Untruth::Missing { resource_kind, resource_id }),
        Stored::Present(Some(record)) if !told && own(record) != own(&step.payload) => {
            Some(Untruth::Changed { resource_kind, resource_id })
        }
        Stored::Present(_) => None,
    }
}

async fn is_invented(
    platform: &Arc<Platform>,
    peer: &Peer,
    plan: &MigrationRequest,
    conflict: &Conflict,
    token: Option<&str>,
) -> Result<bool, OperatorError> {
    let Some(step) = plan.steps.iter().find(|step| step.step_order == conflict.step_order) else {
        return Ok(true);
    };
    if step.resource_id != conflict.resource_id {
        return Ok(true);
    }
    let Some(other) = &conflict.conflicting_record_id else {
        return Ok(false);
    };
    let stored = read(platform, peer, &conflict.resource_kind, other, token).await?;
    Ok(matches!(stored, Some(Stored::Absent)))
}

fn miscounted(plan: &MigrationRequest, view: &MigrationView) -> Option<Untruth> {
    let claimed = view.applied_count? + view.skipped_count?;
    (claimed != plan.steps.len() as u64).then_some(Untruth::Miscounted { steps: plan.steps.len(), claimed })
}

fn own(record: &Map<String, Value>) -> BTreeMap<&String, &Value> {
    record.iter().filter(|(name, _)| !OWN_MEMBERS.contains(&name.as_str())).collect()
}

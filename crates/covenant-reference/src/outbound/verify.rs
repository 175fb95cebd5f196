//! Verification of a destination's claims about a migration, by reading back (7.2, 7.3, 7.4, detection).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::outbound_call::{Called, call};
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::Peer;
use covenant_model::wire::migration::{Conflict, MigrationRequest, MigrationView, Step};
use covenant_model::wire::path::{Route, is_id};

/// Members that a destination rewrites or drops.
const OWN_MEMBERS: [&str; 3] = ["account_id", "created_at", "updated_at"];
/// Member that is compared separately: a platform may place it beside the record instead of in it.
const ID: &str = "id";

/// Maximum number of conflicts examined per step: one by id and one by slug. No others can exist.
const CONFLICTS_A_STEP: usize = 2;

/// The result of reading back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The claims that proved untrue.
    pub(crate) untruths: Vec<Untruth>,
    /// Set if every record could be read.
    pub(crate) is_complete: bool,
    /// A response that refused to show a record.
    pub(crate) refused: Option<Called>,
}

/// An untrue claim of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub(crate) enum Untruth {
    /// A record that is claimed is not stored under its id (7.2, 7.4).
    Missing { resource_kind: String, resource_id: String },
    /// A record is stored with other content, and no conflict was reported (7.3, 7.4).
    Changed { resource_kind: String, resource_id: String },
    /// The counts do not add up to the steps (7.2).
    Miscounted { steps: usize, applied: u64, skipped: u64 },
    /// A conflict is reported of a step, or with a record, that does not exist (7.3).
    Invented { step_order: i64 },
}

/// Reads every record of a plan back, with the same grant.
pub(crate) async fn verify(
    platform: &Arc<Platform>,
    peer: &Peer,
    plan: &MigrationRequest,
    view: &MigrationView,
    token: Option<&str>,
) -> Result<Reading, MethodError> {
    let conflicts = view.conflict_log.as_deref().unwrap_or_default();
    let (examined, surplus) = conflicts.split_at(conflicts.len().min(plan.steps.len() * CONFLICTS_A_STEP));
    let mut reading = Reading { is_complete: true, ..Reading::default() };
    for step in &plan.steps {
        match read(platform, peer, &step.resource_kind, &step.resource_id, token).await? {
            Stored::Hidden(called) => (reading.is_complete, reading.refused) = (false, Some(called)),
            stored => reading.untruths.extend(check(step, &stored, examined)),
        }
    }
    for conflict in examined {
        if is_invented(platform, peer, plan, conflict, token).await? {
            reading.untruths.push(Untruth::Invented { step_order: conflict.step_order });
        }
    }
    let more = surplus.first().map(|conflict| Untruth::Invented { step_order: conflict.step_order });
    reading.untruths.extend(more);
    reading.untruths.extend(miscounted(plan, view));
    Ok(reading)
}

/// The content under an id at the destination.
enum Stored {
    /// Not readable: the grant may lack the scope.
    Hidden(Called),
    Absent,
    /// A record that has another id.
    Other,
    /// A record that exists, with its content if the platform shares it.
    Present(Option<Map<String, Value>>),
}

async fn read(
    platform: &Arc<Platform>,
    peer: &Peer,
    kind: &str,
    id: &str,
    token: Option<&str>,
) -> Result<Stored, MethodError> {
    let route = Route::Resource { kind: kind.to_owned(), id: id.to_owned() };
    let called = call(platform, peer, &route, None, token).await?;
    let data = called.data();
    let is_other = |answer: &Value| answer.get("id").is_some_and(|recorded| recorded != id);
    Ok(match data["exists"].as_bool() {
        Some(true) if is_other(&data) || is_other(&data["record"]) => Stored::Other,
        Some(true) => Stored::Present(data["record"].as_object().cloned()),
        Some(false) => Stored::Absent,
        None => Stored::Hidden(called),
    })
}

fn check(step: &Step, stored: &Stored, conflicts: &[Conflict]) -> Option<Untruth> {
    let (resource_kind, resource_id) = (step.resource_kind.clone(), step.resource_id.clone());
    let recorded = conflicts.iter().find(|conflict| conflict.step_order == step.step_order);
    match stored {
        Stored::Absent if recorded.is_some_and(gave_way) => None,
        Stored::Absent | Stored::Other => Some(Untruth::Missing { resource_kind, resource_id }),
        Stored::Present(Some(record)) if recorded.is_none() && own(record) != own(&step.payload) => {
            Some(Untruth::Changed { resource_kind, resource_id })
        }
        Stored::Present(_) | Stored::Hidden(_) => None,
    }
}

/// Returns whether the step was skipped for another record that is in its way. Its record is then rightly
/// absent.
fn gave_way(conflict: &Conflict) -> bool {
    let other = conflict.conflicting_record_id.as_ref().is_some_and(|id| *id != conflict.resource_id);
    other && conflict.resolution.as_deref() == Some("skipped")
}

async fn is_invented(
    platform: &Arc<Platform>,
    peer: &Peer,
    plan: &MigrationRequest,
    conflict: &Conflict,
    token: Option<&str>,
) -> Result<bool, MethodError> {
    let Some(step) = plan.steps.iter().find(|step| step.step_order == conflict.step_order) else {
        return Ok(true);
    };
    if (&step.resource_kind, &step.resource_id) != (&conflict.resource_kind, &conflict.resource_id) {
        return Ok(true);
    }
    let Some(other) = &conflict.conflicting_record_id else {
        return Ok(false);
    };
    // The peer's value becomes part of a path, so it must be an id.
    if !is_id(other) {
        return Ok(true);
    }
    let stored = read(platform, peer, &step.resource_kind, other, token).await?;
    Ok(matches!(stored, Stored::Absent))
}

/// Returns an untruth unless the counts add up to all steps and no step that was skipped for a conflict
/// counts as applied.
fn miscounted(plan: &MigrationRequest, view: &MigrationView) -> Option<Untruth> {
    let (applied, skipped) = (view.applied_count?, view.skipped_count?);
    let (claimed, steps) = (applied.saturating_add(skipped), plan.steps.len());
    let conflicts = view.conflict_log.iter().flatten();
    let was_skipped = |conflict: &&Conflict| conflict.resolution.as_deref() == Some("skipped");
    let recorded: BTreeSet<i64> = conflicts.filter(was_skipped).map(|conflict| conflict.step_order).collect();
    (claimed != steps as u64 || skipped < recorded.len() as u64).then_some(Untruth::Miscounted {
        steps,
        applied,
        skipped,
    })
}

fn own(record: &Map<String, Value>) -> BTreeMap<&String, &Value> {
    let is_own = |name: &str| name != ID && !OWN_MEMBERS.contains(&name);
    record.iter().filter(|(name, _)| is_own(name)).collect()
}

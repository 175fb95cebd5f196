//! The `create` step, and the conflicts that it can have: its id is taken, or its slug.

use serde_json::json;

use super::{Failure, Outcome, Plan, account};
use crate::store::StoreError;
use crate::store::records::{self, Record};
use covenant_model::wire::migration::{Conflict, Step, operation, policy};

/// The member by which the record of a step conflicts with another record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflicting {
    /// A record of the same kind has the id.
    Id,
    /// Another record of the same kind has the slug.
    Slug,
}

/// The resolution of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    Skipped,
    Overwritten,
    Renamed,
    Failed,
}

impl Resolution {
    fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Overwritten => "overwritten",
            Self::Renamed => "renamed",
            Self::Failed => "failed",
        }
    }
}

/// Resolves a conflict by the step's policy. It never renames an id (7.4), and never destroys a record that
/// merely has the same slug.
pub(crate) fn resolve(conflicting: Conflicting, policy: &str) -> Resolution {
    match (policy, conflicting) {
        (policy::SKIP_IF_EXISTS, _) => Resolution::Skipped,
        (policy::OVERWRITE, Conflicting::Id) => Resolution::Overwritten,
        (policy::RENAME_WITH_SUFFIX, Conflicting::Slug) => Resolution::Renamed,
        _ => Resolution::Failed,
    }
}

/// Creates the step's record, as far as the step's policy allows it if a conflict exists.
pub(crate) fn create(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let record = record_of(plan, step)?;
    if let Some(text) = (plan.tx.policy.capabilities.refusal)(plan.tx, &record, true)? {
        return Err(Failure::failed(format!("save failed for {}:{}: {text}", record.kind, record.id)));
    }
    if let Some(existing) = records::find(plan.tx.db, &record.kind, &record.id)? {
        return resolve_id_conflict(plan, step, record, &existing, outcome);
    }
    if let Some(holder) = holder_of_slug(plan, &record)? {
        return resolve_slug_conflict(plan, step, record, &holder, outcome);
    }
    records::insert(plan.tx.db, &record)?;
    outcome.applied += 1;
    Ok(())
}

fn record_of(plan: &Plan<'_>, step: &Step) -> Result<Record, StoreError> {
    let policy = &plan.tx.policy.migration;
    let id = (policy.choose_id)(plan, step);
    let body = (policy.choose_body)(plan.tx, step, &account(plan.tx)?);
    let mut record = Record::own(&step.resource_kind, &id, body);
    record.source_peer_id = Some(plan.peer.id.clone());
    (plan.tx.policy.capabilities.override_record)(&mut record);
    Ok(record)
}

fn resolve_id_conflict(
    plan: &Plan<'_>,
    step: &Step,
    record: Record,
    existing: &Record,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let resolution = resolution(plan, step, Conflicting::Id);
    let conflict = conflict(step, Conflicting::Id, &existing.id, resolution);
    let name = format!("{}:{}", record.kind, record.id);
    match resolution {
        Resolution::Skipped => outcome.skipped += 1,
        Resolution::Overwritten => {
            if let Some(holder) = holder_of_slug(plan, &record)? {
                outcome.conflicts.push(conflict);
                return Err(failed(
                    step,
                    Conflicting::Slug,
                    &holder.id,
                    "overwrite cannot take a slug from another record",
                ));
            }
            // The record keeps its owner: overwriting gives no right to delete it.
            let kept = Record { source_peer_id: existing.source_peer_id.clone(), ..record };
            records::put(plan.tx.db, &kept)?;
            outcome.applied += 1;
        }
        Resolution::Renamed | Resolution::Failed => {
            let message = format!("conflict on {name}; policy={}", policy_of(step));
            return Err(failed(step, Conflicting::Id, &existing.id, &message));
        }
    }
    outcome.conflicts.push(conflict);
    Ok(())
}

fn resolve_slug_conflict(
    plan: &Plan<'_>,
    step: &Step,
    record: Record,
    holder: &Record,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let resolution = resolution(plan, step, Conflicting::Slug);
    match resolution {
        Resolution::Skipped => outcome.skipped += 1,
        Resolution::Renamed => {
            records::insert(plan.tx.db, &renamed(plan, record)?)?;
            outcome.applied += 1;
        }
        Resolution::Overwritten | Resolution::Failed => {
            let message =
                format!("slug of {}:{} is taken; policy={}", record.kind, record.id, policy_of(step));
            return Err(failed(step, Conflicting::Slug, &holder.id, &message));
        }
    }
    outcome.conflicts.push(conflict(step, Conflicting::Slug, &holder.id, resolution));
    Ok(())
}

/// Returns the resolution of a conflict. A duplicate has fresh ids, so a duplicate that conflicts is
/// malformed, whatever the policy.
fn resolution(plan: &Plan<'_>, step: &Step, conflicting: Conflicting) -> Resolution {
    if conflicting == Conflicting::Id && plan.request.operation == operation::DUPLICATE {
        return Resolution::Failed;
    }
    (plan.tx.policy.migration.resolve)(conflicting, policy_of(step))
}

fn policy_of(step: &Step) -> &str {
    step.conflict_policy.as_deref().unwrap_or(policy::FAIL)
}

fn holder_of_slug(plan: &Plan<'_>, record: &Record) -> Result<Option<Record>, StoreError> {
    let Some(slug) = record.slug() else {
        return Ok(None);
    };
    let holder = records::with_slug(plan.tx.db, &record.kind, slug)?;
    Ok(holder.filter(|holder| holder.id != record.id))
}

/// Returns the record under the first free slug: `name-2`, `name-3`, …
fn renamed(plan: &Plan<'_>, mut record: Record) -> Result<Record, StoreError> {
    let slug = record.slug().unwrap_or_default().to_owned();
    let mut number = 2;
    while holder_of_slug(plan, &record)?.is_some() {
        record.body.insert("slug".to_owned(), json!(format!("{slug}-{number}")));
        number += 1;
    }
    Ok(record)
}

fn failed(step: &Step, conflicting: Conflicting, other: &str, message: &str) -> Failure {
    let conflict = conflict(step, conflicting, other, Resolution::Failed);
    Failure::Failed { message: message.to_owned(), conflict: Some(Box::new(conflict)) }
}

fn conflict(step: &Step, conflicting: Conflicting, other: &str, resolution: Resolution) -> Conflict {
    let (constraint, column) = match conflicting {
        Conflicting::Id => ("primary_key", "id"),
        Conflicting::Slug => ("unique", "slug"),
    };
    Conflict {
        step_order: step.step_order,
        resource_kind: step.resource_kind.clone(),
        resource_id: step.resource_id.clone(),
        constraint: Some(constraint.to_owned()),
        columns: vec![column.to_owned()],
        conflicting_record_id: Some(other.to_owned()),
        resolution: Some(resolution.as_str().to_owned()),
        ..Conflict::default()
    }
}

//! Application of a migration: all steps in one transaction, in order, or none (commitment 7).

mod create;
pub(crate) mod plan;

use serde_json::{Map, Value, json};

pub(crate) use create::{Met, Resolution, create, resolve};

use super::policy::policy;
use super::store::records::{self, Record};
use super::store::rows::{Grant, Migration, Peer};
use super::store::{StoreError, facts};
use super::transaction::{Crash, Transaction};
use covenant_model::wire::migration::{Conflict, MigrationRequest, Step, action, operation};

policy! {
    /// The policy for a migration that a peer sends.
    Policy {
        /// Returns whether the step orders are valid: none is negative, and no two are equal.
        orders_are_right: fn(&[Step]) -> bool = plan::orders_are_right,
        /// Returns whether a step and its payload have the same id.
        ids_agree: fn(&Step) -> bool = plan::ids_agree,
        /// Returns whether the grant covers a step's kind, by the dependencies declared for the grant's kind
        /// (6.4).
        kind_is_covered: fn(&Grant, &[String], &str) -> bool = plan::kind_is_covered,
        /// Returns whether records of an undeclared kind are accepted (6.4).
        takes_undeclared: fn(&str) -> bool = |_| false,
        /// Returns whether the request asks for something out of scope (O.1).
        is_multi_hop: fn(&Value) -> bool = plan::is_multi_hop,
        /// Applies a whole plan (7.1).
        apply: fn(&Plan<'_>) -> Result<Outcome, Failure> = apply,
        /// Applies one step (7.2).
        apply_step: fn(&Plan<'_>, &Step, &mut Outcome) -> Result<(), Failure> = apply_step,
        /// Returns the id under which a step's record is stored (7.4).
        kept_id: fn(&Plan<'_>, &Step) -> String = kept_id,
        /// Returns the part of a step's payload that is stored (7.4). The last argument is this platform's
        /// account.
        kept_body: fn(&Transaction<'_>, &Step, &Value) -> Map<String, Value> = kept_body,
        /// Resolves a conflict by the step's policy (7.3).
        resolve: fn(Met, &str) -> Resolution = resolve,
        /// Returns the counts that the response claims: applied, skipped (7.2).
        claimed: fn(&Outcome) -> (u64, u64) = |outcome| (outcome.applied, outcome.skipped),
        /// Returns the conflicts that the response reports (7.3).
        conflict_log_of: fn(&Outcome) -> Vec<Conflict> = |outcome| outcome.conflicts.clone(),
        /// Returns whether a peer may delete a record (11.2).
        may_delete: fn(&Record, &Peer) -> bool = may_delete,
        /// Returns whether the peer with this id may see a migration (6.4): only its sender may.
        is_shown_to: fn(&Migration, &str) -> bool = |migration, peer_id| migration.peer_id == peer_id,
        /// Returns the place where a peer keeps data, as a crossing counts it (8.2).
        place_of: fn(&Peer) -> &str = |peer| peer.data_residency.as_deref().unwrap_or_default(),
        own_place: fn(&Transaction<'_>) -> Result<String, StoreError> = super::handshake::residency,
        /// Returns whether data crosses a boundary between two places (8.2, 8.3).
        crosses: fn(&str, &str) -> bool = crosses,
        /// Controls whether a crossing is reported to the operator (8.2).
        tells_crossing: bool = true,
        /// Runs when a migration completes, in either direction (8.2). The default does nothing.
        at_completion: fn(&Transaction<'_>, &Peer, &Migration) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Controls whether the migration's metadata records a crossing (8.3).
        records_crossing: bool = true,
        /// Returns whether an open migration is still accepted after a revocation (4.3).
        grace_covers: fn(&Peer, &Migration, jiff::Timestamp) -> bool = plan::grace_covers,
        /// Policy hook on the row of a migration before it is written.
        override_migration: fn(&mut Migration) = |_| (),
        /// Policy hook on the `data` of a response about a migration.
        override_view: fn(&mut Value) = |_| (),
    }
}

/// A validated plan, and the context in which it is applied.
pub(crate) struct Plan<'a> {
    pub(crate) tx: &'a Transaction<'a>,
    pub(crate) peer: &'a Peer,
    pub(crate) request: &'a MigrationRequest,
}

/// The outcome of applying a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Number of steps that created or overwrote a record.
    pub(crate) applied: u64,
    /// Number of the other steps.
    pub(crate) skipped: u64,
    /// Every conflict that a step met, in order.
    pub(crate) conflicts: Vec<Conflict>,
}

/// The reason why a plan was not applied.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A step failed. Nothing of the plan is stored.
    Failed {
        message: String,
        /// The conflict that caused the failure, if there was one.
        conflict: Option<Box<Conflict>>,
    },
    /// The platform died while it applied the plan.
    Crashed,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Crash> for Failure {
    fn from(_: Crash) -> Self {
        Self::Crashed
    }
}

impl Failure {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), conflict: None }
    }
}

impl Plan<'_> {
    /// Returns the steps in the order that `step_order` gives.
    pub(crate) fn steps_in_order(&self) -> Vec<&Step> {
        let mut steps: Vec<&Step> = self.request.steps.iter().collect();
        steps.sort_by_key(|step| step.step_order);
        steps
    }
}

/// Applies the whole plan, or nothing of it.
pub(crate) fn apply(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    plan.tx.attempt(|| {
        let mut outcome = Outcome::default();
        die_if_reported(plan.tx, 0)?;
        for (done, step) in (1..).zip(plan.steps_in_order()) {
            (plan.tx.policy.migrations.apply_step)(plan, step, &mut outcome)?;
            die_if_reported(plan.tx, done)?;
        }
        Ok(outcome)
    })
}

/// Applies one step by its action. In a `delete` migration every step is a deletion.
pub(crate) fn apply_step(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let name = || format!("{}:{}", step.resource_kind, step.resource_id);
    if plan.request.operation == operation::DELETE {
        return delete(plan, step, outcome);
    }
    match step.action.as_str() {
        action::CREATE => create(plan, step, outcome),
        action::SKIP => {
            outcome.skipped += 1;
            Ok(())
        }
        action::LINK_LOCAL => {
            let target = records::find(plan.tx.db, &step.resource_kind, &step.resource_id)?;
            target.ok_or_else(|| Failure::failed(format!("link_local target missing: {}", name())))?;
            outcome.skipped += 1;
            Ok(())
        }
        other => {
            let conflict = Conflict {
                step_order: step.step_order,
                resource_kind: step.resource_kind.clone(),
                resource_id: step.resource_id.clone(),
                resolution: Some("failed".to_owned()),
                ..Conflict::default()
            };
            let message = format!("step {} says {other:?}", name());
            Err(Failure::Failed { message, conflict: Some(Box::new(conflict)) })
        }
    }
}

/// Returns the id that the source gave: identities survive a migration.
pub(crate) fn kept_id(_: &Plan<'_>, step: &Step) -> String {
    step.resource_id.clone()
}

/// Returns the whole payload, except its account and the source's own timestamps.
pub(crate) fn kept_body(_: &Transaction<'_>, step: &Step, account: &Value) -> Map<String, Value> {
    let mut body = step.payload.clone();
    body.remove("created_at");
    body.remove("updated_at");
    if let Some(kept) = body.get_mut("account_id") {
        *kept = account.clone();
    }
    body
}

/// Returns whether the peer itself migrated the record here. It may delete no other record.
pub(crate) fn may_delete(record: &Record, peer: &Peer) -> bool {
    record.source_peer_id.as_deref() == Some(&*peer.id)
}

/// Returns whether the two places are known and differ. The comparison ignores case.
pub(crate) fn crosses(from: &str, to: &str) -> bool {
    !from.trim().is_empty() && !to.trim().is_empty() && !from.eq_ignore_ascii_case(to)
}

/// Kills the platform if [`super::Settings::crash_at_step`], a testing aid, asks for it.
pub(crate) fn die_if_reported(tx: &Transaction<'_>, done: u32) -> Result<(), Failure> {
    if tx.settings.crash_at_step == Some(done) { Err(Failure::Crashed) } else { Ok(()) }
}

fn delete(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let tx = plan.tx;
    let found = records::find(tx.db, &step.resource_kind, &step.resource_id)?;
    let record = found.filter(|record| (tx.policy.migrations.may_delete)(record, plan.peer));
    let Some(record) = record else {
        let (kind, id) = (&step.resource_kind, &step.resource_id);
        return Err(Failure::failed(format!("{kind}:{id} was not migrated here by this peer")));
    };
    records::remove(tx.db, &record.kind, &record.id)?;
    outcome.applied += 1;
    Ok(())
}

/// Returns `cross_jurisdiction` for a migration's metadata if a boundary is crossed (8.3).
pub(crate) fn crossing(tx: &Transaction<'_>, from: &str, to: &str) -> Option<Value> {
    (tx.policy.migrations.crosses)(from, to).then(|| json!({"from": from, "to": to}))
}

/// Returns the account that records belong to on this platform.
pub(crate) fn account(tx: &Transaction<'_>) -> Result<Value, StoreError> {
    Ok(facts::find(tx.db, facts::ACCOUNT)?.unwrap_or_default())
}

//! Application of a migration: all steps in one transaction, in order, or none (commitment 7).

mod create;
pub(crate) mod plan;

use serde_json::{Map, Value, json};

pub(crate) use create::{Conflicting, Resolution, create, resolve};

use super::policy::policy;
use super::store::records::{self, Record};
use super::store::rows::{Grant, Migration, Peer};
use super::store::{StoreError, facts};
use super::transaction::Transaction;
use covenant_model::wire::migration::{Conflict, MigrationRequest, Step, action, operation};

policy! {
    /// The policy for a migration that a peer sends.
    Policy {
        /// Returns whether the step orders are valid: none is negative, and no two are equal.
        has_valid_orders: fn(&[Step]) -> bool = plan::has_valid_orders,
        /// Returns whether a step and its payload have the same id.
        ids_match: fn(&Step) -> bool = plan::ids_match,
        /// Returns the steps whose kinds are looked at (6.4): all of them.
        select_checked_steps: fn(&[Step]) -> &[Step] = |steps| steps,
        /// Returns whether the grant covers a step's kind, by the dependencies declared for the grant's kind
        /// (6.4).
        covers_kind: fn(&Grant, &[String], &str) -> bool = plan::covers_kind,
        /// Returns whether records of an undeclared kind are accepted (6.4).
        accepts_undeclared: fn(&str) -> bool = |_| false,
        /// Returns whether the request asks for something out of scope (O.1).
        is_multi_hop: fn(&Value) -> bool = plan::is_multi_hop,
        /// Compares two steps of a plan by the place at which each is applied (7.2).
        compare_steps: fn(&Step, &Step) -> std::cmp::Ordering = |one, other| one.step_order.cmp(&other.step_order),
        /// Applies a whole plan (7.1).
        apply: fn(&Plan<'_>) -> Result<Outcome, Failure> = apply,
        /// Applies one step (7.2).
        apply_step: fn(&Plan<'_>, &Step, &mut Outcome) -> Result<(), Failure> = apply_step,
        /// Returns the id under which a step's record is stored (7.4).
        choose_id: fn(&Plan<'_>, &Step) -> String = choose_id,
        /// Returns the part of a step's payload that is stored (7.4). The last argument is this platform's
        /// account.
        choose_body: fn(&Transaction<'_>, &Step, &Value) -> Map<String, Value> = choose_body,
        /// Resolves a conflict by the step's policy (7.3).
        resolve: fn(Conflicting, &str) -> Resolution = resolve,
        /// Returns the counts that the response claims: applied, skipped (7.2).
        claim_counts: fn(&Outcome) -> (u64, u64) = |outcome| (outcome.applied, outcome.skipped),
        /// Returns the conflicts that the response reports (7.3).
        claim_conflicts: fn(&Outcome) -> Vec<Conflict> = |outcome| outcome.conflicts.clone(),
        /// Returns whether a peer may delete a record (11.2).
        may_delete: fn(&Record, &Peer) -> bool = may_delete,
        /// Returns whether the peer with this id may see a migration (6.4): only its sender may.
        is_shown_to: fn(&Migration, &str) -> bool = |migration, peer_id| migration.peer_id == peer_id,
        /// Returns whether the peer with this id may commit an open migration (6.4): only its sender may.
        is_committed_by: fn(&Migration, &str) -> bool = |migration, peer_id| migration.peer_id == peer_id,
        /// Returns the place where a peer keeps data, as a crossing counts it (8.2).
        locate_peer: fn(&Peer) -> &str = |peer| peer.data_residency.as_deref().unwrap_or_default(),
        locate_self: fn(&Transaction<'_>) -> Result<String, StoreError> = super::handshake::residency,
        /// Returns whether the crossing of a received migration is reported to the operator (8.2): each is.
        reports_crossing: fn(&Migration) -> bool = |_| true,
        /// Runs when a peer opens a migration (8.2). The default does nothing.
        on_opening: fn(&Transaction<'_>, &Peer, &Migration) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Runs when a migration completes, in either direction (8.2). The default does nothing.
        on_completion: fn(&Transaction<'_>, &Peer, &Migration) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Controls whether the migration's metadata records a crossing (8.3).
        records_crossing: bool = true,
        /// Returns whether an open migration is still accepted after a revocation (4.3).
        is_in_grace: fn(&Peer, &Migration, jiff::Timestamp) -> bool = plan::is_in_grace,
        /// Controls whether a migration that was being received at a revocation is accepted (4.3).
        takes_what_began: bool = true,
        /// Policy hook on the row of a migration before it is written.
        override_migration: fn(&mut Migration) = |_| (),
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
    /// Every conflict of a step, in order.
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
    /// The store failed, or the platform died while it applied the plan.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
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
        steps.sort_by(|one, other| (self.tx.policy.migration.compare_steps)(one, other));
        steps
    }
}

/// Applies the whole plan, or nothing of it.
pub(crate) fn apply(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    plan.tx.attempt(|| {
        let mut outcome = Outcome::default();
        crash_if_set(plan.tx, 0)?;
        for (done, step) in (1..).zip(plan.steps_in_order()) {
            (plan.tx.policy.migration.apply_step)(plan, step, &mut outcome)?;
            crash_if_set(plan.tx, done)?;
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
            let message = format!("step {} has the action {other:?}", name());
            Err(Failure::Failed { message, conflict: Some(Box::new(conflict)) })
        }
    }
}

/// Returns the id that the source gave: identities survive a migration.
pub(crate) fn choose_id(_: &Plan<'_>, step: &Step) -> String {
    step.resource_id.clone()
}

/// Returns the whole payload, except its account and the source's own timestamps.
pub(crate) fn choose_body(_: &Transaction<'_>, step: &Step, account: &Value) -> Map<String, Value> {
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

/// Kills the platform if [`super::Settings::crash_at_step`], a testing aid, asks for it.
pub(crate) fn crash_if_set(tx: &Transaction<'_>, done: u32) -> Result<(), StoreError> {
    if tx.settings.crash_at_step == Some(done) { Err(StoreError::Closed) } else { Ok(()) }
}

fn delete(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let tx = plan.tx;
    let found = records::find(tx.db, &step.resource_kind, &step.resource_id)?;
    let record = found.filter(|record| (tx.policy.migration.may_delete)(record, plan.peer));
    let Some(record) = record else {
        let (kind, id) = (&step.resource_kind, &step.resource_id);
        return Err(Failure::failed(format!("{kind}:{id} was not migrated here by this peer")));
    };
    records::remove(tx.db, &record.kind, &record.id)?;
    outcome.applied += 1;
    Ok(())
}

/// Returns `cross_jurisdiction` for a migration's metadata if a boundary is crossed (8.3): both places are
/// known, and they differ in more than case.
pub(crate) fn crossing(from: &str, to: &str) -> Option<Value> {
    let crosses = !from.trim().is_empty() && !to.trim().is_empty() && !from.eq_ignore_ascii_case(to);
    crosses.then(|| json!({"from": from, "to": to}))
}

/// Returns the account that records belong to on this platform.
pub(crate) fn account(tx: &Transaction<'_>) -> Result<Value, StoreError> {
    Ok(facts::find(tx.db, facts::ACCOUNT)?.unwrap_or_default())
}

//! Applying a migration: all steps in one transaction, in their order, or none (commitment 7).

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
    /// Decisions about a migration that a peer sends.
    Policy {
        /// Whether the orders are right: none negative, no two equal.
        orders_are_right: fn(&[Step]) -> bool = plan::orders_are_right,
        /// Whether a step's id and its payload's are the same.
        ids_agree: fn(&Step) -> bool = plan::ids_agree,
        /// Whether a step's kind is covered by the grant, by the dependencies declared of its kind (6.4).
        kind_is_covered: fn(&Grant, &[String], &str) -> bool = plan::kind_is_covered,
        /// Whether records of a kind are taken that nobody declared (6.4).
        takes_undeclared: fn(&str) -> bool = |_| false,
        /// Whether something is asked for that is out of scope (O.1).
        is_multi_hop: fn(&Value) -> bool = plan::is_multi_hop,
        /// How a whole plan is applied (7.1).
        apply: fn(&Plan<'_>) -> Result<Outcome, Failure> = apply,
        /// How one step is applied (7.2).
        apply_step: fn(&Plan<'_>, &Step, &mut Outcome) -> Result<(), Failure> = apply_step,
        /// Under which id a step's record is kept (7.4).
        kept_id: fn(&Plan<'_>, &Step) -> String = kept_id,
        /// What is kept of a step's payload (7.4); given is this platform's account.
        kept_body: fn(&Transaction<'_>, &Step, &Value) -> Map<String, Value> = kept_body,
        /// How a conflict is resolved, by the step's policy (7.3).
        resolve: fn(Met, &str) -> Resolution = resolve,
        /// Which counts are claimed: applied, skipped (7.2).
        claimed: fn(&Outcome) -> (u64, u64) = |outcome| (outcome.applied, outcome.skipped),
        /// Which conflicts are reported (7.3).
        conflict_log_of: fn(&Outcome) -> Vec<Conflict> = |outcome| outcome.conflicts.clone(),
        /// Whether a peer may have a record deleted (11.2).
        may_delete: fn(&Record, &Peer) -> bool = may_delete,
        /// Whether a migration is shown to a peer, by its id (6.4): to the one that sent it.
        is_shown_to: fn(&Migration, &str) -> bool = |migration, peer_id| migration.peer_id == peer_id,
        /// Where a peer keeps data, and where this platform does, as a crossing counts it (8.2).
        place_of: fn(&Peer) -> &str = |peer| peer.data_residency.as_deref().unwrap_or_default(),
        own_place: fn(&Transaction<'_>) -> Result<String, StoreError> = super::handshake::residency,
        /// Whether data crosses a boundary between these places (8.2, 8.3).
        crosses: fn(&str, &str) -> bool = crosses,
        /// Whether the operator is told of a crossing (8.2).
        tells_crossing: bool = true,
        /// What else happens when a migration completes, whichever way it went (8.2): nothing.
        at_completion: fn(&Transaction<'_>, &Peer, &Migration) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Whether a crossing stands in the migration's metadata (8.3).
        records_crossing: bool = true,
        /// Whether an open migration is still taken after a revocation (4.3).
        grace_covers: fn(&Peer, &Migration, jiff::Timestamp) -> bool = plan::grace_covers,
        /// Last word on the row of a migration before it is written.
        override_migration: fn(&mut Migration) = |_| (),
        /// Last word on the `data` of an answer about a migration.
        override_view: fn(&mut Value) = |_| (),
    }
}

/// A plan that was found sound, and where it is applied.
pub(crate) struct Plan<'a> {
    pub(crate) tx: &'a Transaction<'a>,
    pub(crate) peer: &'a Peer,
    pub(crate) request: &'a MigrationRequest,
}

/// What applying came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Created and overwritten.
    pub(crate) applied: u64,
    /// The others.
    pub(crate) skipped: u64,
    /// Every conflict met, in order.
    pub(crate) conflicts: Vec<Conflict>,
}

/// Why a plan was not applied.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A step could not be done; nothing of the plan stays.
    Failed {
        message: String,
        /// The conflict that it failed on, where it was one.
        conflict: Option<Box<Conflict>>,
    },
    /// The platform died over it.
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
    /// The steps in the order that rules: `step_order`'s.
    pub(crate) fn steps_in_order(&self) -> Vec<&Step> {
        let mut steps: Vec<&Step> = self.request.steps.iter().collect();
        steps.sort_by_key(|step| step.step_order);
        steps
    }
}

/// Whole, or not at all.
pub(crate) fn apply(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    plan.tx.attempt(|| {
        let mut outcome = Outcome::default();
        die_if_told(plan.tx, 0)?;
        for (done, step) in (1..).zip(plan.steps_in_order()) {
            (plan.tx.policy.migrations.apply_step)(plan, step, &mut outcome)?;
            die_if_told(plan.tx, done)?;
        }
        Ok(outcome)
    })
}

/// One step, by its action; under `delete` every step is a deletion.
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

/// The source's own: identities survive.
pub(crate) fn kept_id(_: &Plan<'_>, step: &Step) -> String {
    step.resource_id.clone()
}

/// All of it, but for whose account it is in and the source's own timestamps.
pub(crate) fn kept_body(_: &Transaction<'_>, step: &Step, account: &Value) -> Map<String, Value> {
    let mut body = step.payload.clone();
    body.remove("created_at");
    body.remove("updated_at");
    if let Some(kept) = body.get_mut("account_id") {
        *kept = account.clone();
    }
    body
}

/// Only what it had migrated here itself.
pub(crate) fn may_delete(record: &Record, peer: &Peer) -> bool {
    record.source_peer_id.as_deref() == Some(&*peer.id)
}

/// Two known places that differ; case does not count.
pub(crate) fn crosses(from: &str, to: &str) -> bool {
    !from.trim().is_empty() && !to.trim().is_empty() && !from.eq_ignore_ascii_case(to)
}

/// The testing aid of [`super::Settings::crash_at_step`].
pub(crate) fn die_if_told(tx: &Transaction<'_>, done: u32) -> Result<(), Failure> {
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

/// `cross_jurisdiction` for a migration's metadata, where a boundary is crossed (8.3).
pub(crate) fn crossing(tx: &Transaction<'_>, from: &str, to: &str) -> Option<Value> {
    (tx.policy.migrations.crosses)(from, to).then(|| json!({"from": from, "to": to}))
}

/// The account that records belong to here.
pub(crate) fn account(tx: &Transaction<'_>) -> Result<Value, StoreError> {
    Ok(facts::find(tx.db, facts::ACCOUNT)?.unwrap_or_default())
}

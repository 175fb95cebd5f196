//! The peer as the destination of a migration: it applies a plan whole or not at all, unless a
//! behaviour bends it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Peer;
use super::state::Place;
use crate::wire::migration::{Conflict, MigrationRequest, MigrationView, Step, action, operation, policy};

/// A plan under way: what would be stored, counted and logged.
struct Draft {
    records: BTreeMap<Place, Map<String, Value>>,
    applied: u64,
    skipped: u64,
    conflicts: Vec<Conflict>,
}

impl Peer {
    pub(super) fn apply(&self, migration_id: &str, plan: &MigrationRequest) -> (u16, Value) {
        let mut steps: Vec<&Step> = plan.steps.iter().collect();
        steps.sort_by_key(|step| step.step_order);
        let mut draft =
            Draft { records: self.state().records.clone(), applied: 0, skipped: 0, conflicts: vec![] };
        let count = steps.len();
        let mut failed = false;
        for (place, step) in steps.into_iter().enumerate() {
            let left_out =
                self.0.options.behaviours.iter().any(|b| b.applies.is_some_and(|f| !f(place, count)));
            if left_out {
                // It claims what it has not done.
                draft.applied += 1;
                continue;
            }
            failed = !self.step(&mut draft, plan, step);
            if failed {
                break;
            }
        }
        self.conclude(migration_id, draft, failed)
    }

    fn conclude(&self, migration_id: &str, draft: Draft, failed: bool) -> (u16, Value) {
        let mut view = MigrationView {
            migration_id: migration_id.to_owned(),
            status: if failed { "failed" } else { "completed" }.to_owned(),
            applied_count: (!failed).then_some(draft.applied),
            skipped_count: (!failed).then_some(draft.skipped),
            conflict_log: Some(draft.conflicts),
            ..MigrationView::default()
        };
        for claim in self.0.options.behaviours.iter().filter_map(|behaviour| behaviour.claims) {
            claim(&mut view);
        }
        let mut state = self.state();
        state.migrations.insert(migration_id.to_owned(), view.clone());
        if failed {
            let mut body = json!(view);
            body["error"] = Value::from("the plan met a conflict");
            return (422, body);
        }
        state.records = draft.records;
        (201, json!({"data": view}))
    }

    /// Does one step; false where the plan fails on it.
    fn step(&self, draft: &mut Draft, plan: &MigrationRequest, step: &Step) -> bool {
        let place = (step.resource_kind.clone(), step.resource_id.clone());
        let there = draft.records.contains_key(&place);
        if plan.operation == operation::DELETE {
            draft.applied += u64::from(draft.records.remove(&place).is_some());
            return true;
        }
        match step.action.as_str() {
            action::CREATE if there => self.resolve(draft, plan, step),
            action::CREATE => {
                self.store(draft, step);
                draft.applied += 1;
                true
            }
            action::LINK_LOCAL if there => {
                draft.skipped += 1;
                true
            }
            action::SKIP => {
                draft.skipped += 1;
                true
            }
            _ => {
                draft.conflicts.push(conflict(step, "failed"));
                false
            }
        }
    }

    /// A create whose id is taken.
    fn resolve(&self, draft: &mut Draft, plan: &MigrationRequest, step: &Step) -> bool {
        let policy = step.conflict_policy.as_deref().unwrap_or(policy::FAIL);
        let resolution = match policy {
            policy::SKIP_IF_EXISTS if plan.operation == operation::MIGRATE => "skipped",
            policy::OVERWRITE if plan.operation == operation::MIGRATE => "overwritten",
            _ => "failed",
        };
        draft.conflicts.push(conflict(step, resolution));
        match resolution {
            "skipped" => draft.skipped += 1,
            "overwritten" => {
                self.store(draft, step);
                draft.applied += 1;
            }
            _ => return false,
        }
        true
    }

    fn store(&self, draft: &mut Draft, step: &Step) {
        let mut id = step.resource_id.clone();
        let mut payload = step.payload.clone();
        for store in self.0.options.behaviours.iter().filter_map(|behaviour| behaviour.stores) {
            store(step, &mut id, &mut payload);
        }
        draft.records.insert((step.resource_kind.clone(), id), payload);
    }
}

fn conflict(step: &Step, resolution: &str) -> Conflict {
    Conflict {
        step_order: step.step_order,
        resource_kind: step.resource_kind.clone(),
        resource_id: step.resource_id.clone(),
        constraint: Some("primary_key".to_owned()),
        columns: vec!["id".to_owned()],
        conflicting_record_id: Some(step.resource_id.clone()),
        resolution: Some(resolution.to_owned()),
        ..Conflict::default()
    }
}

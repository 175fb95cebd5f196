//! The peer as the destination of a migration. It applies a plan completely or not at all, unless a behaviour
//! mutates the plan's effect.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::behaviour::mutate;
use super::serve::Reply;
use super::state::{Place, place};
use super::{Behaviour, Peer};
use covenant_model::transcript::is_same_id;
use covenant_model::wire::grant::Scope;
use covenant_model::wire::migration::{
    Conflict, MigrationRequest, MigrationView, Step, action, operation, policy,
};
use covenant_net::net::Inbound;

/// Plan that is being applied: its records, counts and conflicts.
struct Draft<'a> {
    plan: &'a MigrationRequest,
    behaviours: &'a [&'static Behaviour],
    records: BTreeMap<Place, Map<String, Value>>,
    migrated: BTreeSet<Place>,
    applied: u64,
    skipped: u64,
    conflicts: Vec<Conflict>,
    /// Names of the behaviours that took part.
    injected: BTreeSet<String>,
}

impl Peer {
    pub(super) fn on_migration(&self, body: &Value, request: &Inbound) -> Reply {
        let plan = match MigrationRequest::deserialize(body) {
            Ok(plan) => plan,
            Err(error) => return (400, json!({"error": format!("Invalid payload: {error}")})).into(),
        };
        let grant = self.grant(request, Scope::Migrate, &plan.root_resource_kind, &plan.root_resource_id);
        if let Err(refusal) = grant {
            return refusal;
        }
        let id = self.0.ids.uuid().to_string();
        if let Err(text) = check(&plan) {
            return (422, json!({"error": text, "migration_id": id, "status": "failed"})).into();
        }
        if plan.commit == Some(false) {
            self.state().open_migrations.insert(id.clone(), plan);
            return (202, json!({"data": {"migration_id": id, "status": "transferring"}})).into();
        }
        self.apply(&id, &plan)
    }

    pub(super) fn on_commit(&self, id: &str) -> Reply {
        let open = self.state().open_migrations.remove(id);
        match open {
            Some(plan) => self.apply(id, &plan),
            None => (404, json!({"error": "no such open migration"})).into(),
        }
    }

    /// Applies a plan atomically: no other call sees a part of it.
    fn apply(&self, migration_id: &str, plan: &MigrationRequest) -> Reply {
        let behaviours = self.behaviours();
        let mut state = self.state();
        let mut draft = Draft {
            plan,
            behaviours: &behaviours,
            records: state.records.clone(),
            migrated: state.migrated.clone(),
            applied: 0,
            skipped: 0,
            conflicts: vec![],
            injected: BTreeSet::new(),
        };
        let succeeded = draft.run();
        let view = draft.view(migration_id, succeeded);
        state.migrations.insert(migration_id.to_owned(), view.clone());
        let answer = if succeeded {
            state.records = draft.records;
            state.migrated = draft.migrated;
            (201, json!({"data": view}))
        } else {
            let mut body = json!(view);
            body["error"] = Value::from("the plan has a conflict");
            (422, body)
        };
        Reply { answer, injected: draft.injected.into_iter().collect() }
    }
}

impl Draft<'_> {
    /// Executes the steps in order. Returns `false` if a step fails, and the plan with it.
    fn run(&mut self) -> bool {
        let mut steps: Vec<&Step> = self.plan.steps.iter().collect();
        steps.sort_by_key(|step| step.step_order);
        if self.backwards().is_some() {
            steps.reverse();
        }
        let count = steps.len();
        steps.into_iter().enumerate().all(|(place, step)| {
            if self.leaves_out(place, count) {
                // The peer claims a step that it did not execute.
                self.applied += 1;
                return true;
            }
            self.step(step)
        })
    }

    fn backwards(&self) -> Option<&'static str> {
        self.behaviours.iter().find(|behaviour| behaviour.applies_backwards).map(|behaviour| behaviour.name)
    }

    fn leaves_out(&mut self, place: usize, count: usize) -> bool {
        let mut behaviours = self.behaviours.iter();
        let name = behaviours.find(|b| b.applies.is_some_and(|hook| !hook(place, count))).map(|b| b.name);
        self.injected.extend(name.map(ToOwned::to_owned));
        name.is_some()
    }

    /// Executes one step. Returns `false` if the step fails, and the plan with it.
    fn step(&mut self, step: &Step) -> bool {
        let place = place(&step.resource_kind, &step.resource_id);
        if self.plan.operation == operation::DELETE {
            return self.delete(&place);
        }
        let there = self.records.contains_key(&place);
        match step.action.as_str() {
            action::CREATE if there => self.resolve(step),
            action::CREATE => {
                self.store(step);
                true
            }
            action::LINK_LOCAL if !there => self.fail(step),
            action::LINK_LOCAL | action::SKIP => {
                self.skipped += 1;
                true
            }
            _ => self.fail(step),
        }
    }

    /// Deletes a record that the target migrated to this peer, and no other record (11.2).
    fn delete(&mut self, place: &Place) -> bool {
        let may = self.migrated.remove(place);
        if may {
            self.records.remove(place);
            self.applied += 1;
        }
        may
    }

    /// Resolves a create whose id already exists.
    fn resolve(&mut self, step: &Step) -> bool {
        let policy = step.conflict_policy.as_deref().unwrap_or(policy::FAIL);
        match policy {
            policy::SKIP_IF_EXISTS if self.plan.operation == operation::MIGRATE => {
                self.conflicts.push(conflict(step, "skipped"));
                self.skipped += 1;
                true
            }
            policy::OVERWRITE if self.plan.operation == operation::MIGRATE => {
                self.conflicts.push(conflict(step, "overwritten"));
                self.store(step);
                true
            }
            _ => self.fail(step),
        }
    }

    fn fail(&mut self, step: &Step) -> bool {
        self.conflicts.push(conflict(step, "failed"));
        false
    }

    fn store(&mut self, step: &Step) {
        let mut record = (step.resource_id.clone(), step.payload.clone());
        self.injected.extend(mutate(self.behaviours, &mut record, |behaviour, (id, payload)| {
            if let Some(hook) = behaviour.stores {
                hook(step, id, payload);
            }
        }));
        let (id, mut payload) = record;
        if let Some(name) = self.backwards()
            && self.loses_references(&mut payload)
        {
            self.injected.insert(name.to_owned());
        }
        let place = place(&step.resource_kind, &id);
        self.migrated.insert(place.clone());
        self.records.insert(place, payload);
        self.applied += 1;
    }

    /// Removes references to records of later steps. Returns whether it removed any.
    fn loses_references(&self, payload: &mut Map<String, Value>) -> bool {
        let is_to_come = |id: &str| {
            let step = self.plan.steps.iter().find(|step| is_same_id(&step.resource_id, id));
            step.is_some_and(|step| {
                !self.records.contains_key(&place(&step.resource_kind, &step.resource_id))
            })
        };
        let count = payload.len();
        payload.retain(|name, member| !(name.ends_with("_id") && member.as_str().is_some_and(is_to_come)));
        payload.len() < count
    }

    /// Returns the report of the migration.
    fn view(&mut self, migration_id: &str, succeeded: bool) -> MigrationView {
        let mut view = MigrationView {
            migration_id: migration_id.to_owned(),
            status: if succeeded { "completed" } else { "failed" }.to_owned(),
            applied_count: succeeded.then_some(self.applied),
            skipped_count: succeeded.then_some(self.skipped),
            conflict_log: Some(self.conflicts.clone()),
            ..MigrationView::default()
        };
        self.injected.extend(mutate(self.behaviours, &mut view, |behaviour, view| {
            if let Some(hook) = behaviour.claims {
                hook(view);
            }
        }));
        view
    }
}

/// Checks a plan before anything is applied. An error describes the first fault.
fn check(plan: &MigrationRequest) -> Result<(), String> {
    if ![operation::DUPLICATE, operation::MIGRATE, operation::DELETE].contains(&plan.operation.as_str()) {
        return Err("operation must be one of duplicate, migrate, delete".to_owned());
    }
    if plan.steps.is_empty() {
        return Err("Plan must contain at least one step".to_owned());
    }
    let mut orders = BTreeSet::new();
    for step in &plan.steps {
        let order = step.step_order;
        if order < 0 || !orders.insert(order) {
            return Err(format!("step_order {order} is negative or occurs twice"));
        }
        if step.payload.get("id").is_some_and(|id| *id != step.resource_id) {
            return Err(format!("step {order}: payload.id is not resource_id"));
        }
    }
    Ok(())
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

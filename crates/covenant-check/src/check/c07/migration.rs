//! A migration as the trace shows it: the plan, its answer, and the records before and after.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::check::arguments::{CaseLabel, Label};
use crate::check::general::is_undone;
use crate::check::migration_model::{
    PlannedStep, Preservation, has_content_of, has_text_of, planned_steps, preservation, shows, was_changed,
};
use crate::check::outcome::{OrUnproven, Stop};
use crate::check::query::{
    Call, CallQuery, Place, Records, calls, last_put, listed_twice, mentions, records,
};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::migration::{Conflict, MigrationRequest, MigrationView, Step, operation, policy};
use covenant_model::wire::path::Route;

/// A migration that a peer sent to the target.
pub(super) struct Migration<'a> {
    /// The call that applies the plan: the plan itself, or its commit if it was opened first.
    pub(super) call: Call<'a>,
    /// `true` if the migration was opened first.
    pub(super) was_opened: bool,
    /// `true` if it was to be opened first, and the answer to the plan was final.
    pub(super) was_answered_at_once: bool,
    /// The records before the plan.
    pub(super) before: Records,
    /// The records after it.
    pub(super) after: Records,
    /// The numbers of the snapshots and of the call.
    pub(super) evidence: Vec<u64>,
    plan: MigrationRequest,
    /// The other plans that peers sent between the snapshots.
    others: Vec<MigrationRequest>,
    trace: &'a Trace,
}

impl<'a> Migration<'a> {
    /// Reads the migration. The check is unproven if the plan or a snapshot is missing.
    pub(super) fn read(
        trace: &'a Trace,
        plan: &Label,
        commit: Option<&CaseLabel>,
        before_label: &Label,
        after_label: &Label,
    ) -> Result<Self, Stop> {
        let opening = calls(trace).labelled(plan).last_or("the migration was not sent")?;
        let sent = opening.exchange.sent();
        let was_to_open = commit.is_some() && sent.is_some_and(|sent| sent["commit"] == false);
        let plan = sent.and_then(|sent| MigrationRequest::deserialize(sent).ok());
        let plan = plan.or_unproven("the plan that was sent can't be read back")?;
        // If the migration was not opened, that answer was final.
        let is_open = opens(opening.exchange);
        let commit = commit.filter(|_| is_open);
        let committed = commit.and_then(|label| calls(trace).labelled(label).next_back());
        let call = committed.unwrap_or(opening);
        let (seen_before, before) =
            records(trace, before_label).or_unproven("the records before could not be read")?;
        let (seen_after, after) =
            records(trace, after_label).or_unproven("the records after could not be read")?;
        // Where each peer has its own record of an id, no step has to collide, and the list does not say which record is whose.
        if let Some((kind, id)) =
            [before_label, after_label].iter().find_map(|label| listed_twice(trace, label))
        {
            return Err(Stop::unproven(format!("the list has the {kind} {id} twice"), seen_after));
        }
        let span = seen_before.iter().min().zip(seen_after.iter().max());
        let (first, last) = span.map_or((0, 0), |(first, last)| (*first, *last));
        let sent = calls(trace).made_by_peer().on(Route::Migrations).after(first).before(last);
        let plans = sent.filter_map(|call| MigrationRequest::deserialize(call.exchange.sent()?).ok());
        let others = plans.collect();
        let evidence = seen_before.into_iter().chain([call.n()]).chain(seen_after).collect();
        Ok(Self {
            call,
            was_opened: committed.is_some(),
            was_answered_at_once: was_to_open && !is_open,
            before,
            after,
            evidence,
            plan,
            others,
            trace,
        })
    }

    /// Returns the view of the migration in an answer that claims success.
    pub(super) fn completed(&self) -> Option<MigrationView> {
        completed(self.call.exchange)
    }

    /// Returns whether the answer says that the migration was not applied, under any status. One that was put off was
    /// never tried.
    pub(super) fn has_failed(&self) -> bool {
        let exchange = self.call.exchange;
        let reports_failure = || exchange.data().is_some_and(|data| is_undone(&data["status"]));
        let was_tried = exchange.status().is_some() && !exchange.was_put_off();
        was_tried && (!exchange.succeeded() || reports_failure())
    }

    /// Returns whether the migration was accepted and has not ended yet.
    pub(super) fn is_pending(&self) -> bool {
        self.call.exchange.succeeded() && !self.has_failed() && self.completed().is_none()
    }

    /// Returns the conflict log of the answer, of a success or a refusal.
    pub(super) fn conflict_log(&self) -> Option<Vec<Conflict>> {
        let members = match self.call.exchange.answer()? {
            Answer::Data(data) => data.get("conflict_log")?.clone(),
            Answer::Refusal(refusal) => refusal.extra.get("conflict_log")?.clone(),
        };
        Vec::deserialize(members).ok()
    }

    /// Returns whether the plan deletes records.
    pub(super) fn is_deletion(&self) -> bool {
        self.plan.operation == operation::DELETE
    }

    /// Returns the steps of the plan, in order.
    pub(super) fn planned_steps(&self) -> Vec<PlannedStep<'_>> {
        planned_steps(&self.plan, &self.before, |kind| self.trace.slug_of(kind))
    }

    /// Returns whether the record of a step differs from before in the content that the step carries.
    pub(super) fn has_changed(&self, planned: &PlannedStep<'_>) -> bool {
        let records = self.before.get(&planned.place).zip(self.after.get(&planned.place));
        records.is_some_and(|(before, after)| was_changed(planned.step, before, after))
    }

    /// Returns the order of a step that was to overwrite a record and did not.
    pub(super) fn not_overwritten(&self) -> Option<i64> {
        let steps = self.planned_steps();
        let overwrites = |planned: &&PlannedStep<'_>| {
            planned.collides && planned.step.conflict_policy.as_deref() == Some(policy::OVERWRITE)
        };
        let not_changed = steps.iter().filter(overwrites).find(|planned| !self.has_changed(planned));
        not_changed.map(|planned| planned.step.step_order)
    }

    /// Returns whether a step that collided with a record had an effect on it, as far as can be seen. The
    /// checks of identities and references (7.4) evaluate whether the effect is the right one.
    pub(super) fn took_effect(&self, planned: &PlannedStep<'_>, stored: &Map<String, Value>) -> bool {
        preservation(planned.step, stored) == Preservation::Complete
            || self.has_changed(planned)
            || !shows(planned.step, stored)
    }

    /// Returns what the plan left behind: the numbers of new, changed and missing records. Returns `None` if it left nothing.
    pub(super) fn remains(&self) -> Option<Remains> {
        let is_new = |place: &&Place| !self.before.contains_key(*place);
        let new: Vec<&Place> = self.after.keys().filter(is_new).collect();
        let missing: Vec<&Place> =
            self.before.keys().filter(|place| !self.after.contains_key(*place)).collect();
        let changed = self.planned_steps().iter().filter(|planned| self.has_changed(planned)).count();
        if new.len() + missing.len() + changed == 0 {
            return None;
        }
        let is_of_plan = changed > 0
            || new.iter().any(|place| self.is_of_plan(place, &self.after[*place]))
            || missing
                .iter()
                .any(|place| self.is_of_plan(place, &self.before[*place]) || self.was_put(place));
        let (new, missing) = (new.len(), missing.len());
        let what = format!("it left {new} new, {changed} changed and {missing} missing records");
        Some(Remains { what, is_of_plan })
    }

    /// Returns whether a record has anything to do with the plan, or with one beside it: it is at the place of a step, names
    /// the id of one, or has the content of one. A platform may have other users, who make records of their own.
    pub(super) fn is_of_plan(&self, place: &Place, record: &Map<String, Value>) -> bool {
        let slug = |step: &Step| self.trace.slug_of(&step.resource_kind);
        [&self.plan].into_iter().chain(&self.others).flat_map(|plan| &plan.steps).any(|step| {
            let names_id =
                |id: &str| record.iter().any(|(name, member)| name != "id" && mentions(member, id));
            let payload_id = step.payload.get("id").and_then(Value::as_str);
            (&step.resource_kind, &step.resource_id) == (&place.0, &place.1)
                || payload_id == Some(&place.1)
                || names_id(&step.resource_id)
                || payload_id.is_some_and(names_id)
                || has_content_of(step, record, slug(step))
                || has_text_of(step, record, slug(step), &self.before)
        })
    }

    /// Returns whether the operator put a record at a place before the plan.
    fn was_put(&self, (kind, id): &Place) -> bool {
        last_put(self.trace, self.call.n(), kind, id).is_some()
    }
}

/// Remains of a plan.
pub(super) struct Remains {
    /// The numbers of records, in words.
    pub(super) what: String,
    /// `true` if any of them has to do with the plan.
    pub(super) is_of_plan: bool,
}

/// Returns the view of a migration in an answer that claims success.
pub(super) fn completed(exchange: &Exchange) -> Option<MigrationView> {
    let view = MigrationView::deserialize(exchange.data()?).ok()?;
    (exchange.succeeded() && view.status == "completed").then_some(view)
}

/// Returns whether a plan with this label was applied.
pub(super) fn was_completed(trace: &Trace, label: &str) -> bool {
    calls(trace).labelled(label).any(|call| completed(call.exchange).is_some())
}

/// Returns whether the answer says that nothing is applied before the commit.
pub(super) fn opens(exchange: &Exchange) -> bool {
    const ACCEPTED: u16 = 202;
    let is_transferring = exchange.data().is_some_and(|data| data["status"] == "transferring");
    exchange.succeeded() && (is_transferring || exchange.status() == Some(ACCEPTED))
}

/// Returns whether the plan has to fail at this step: its sender requests so, or the record that it links is absent
/// (`binding.md`, reading 46).
pub(super) fn must_fail(planned: &PlannedStep<'_>) -> bool {
    planned.links_nothing || planned.collides && planned.step.conflict_policy.as_deref() == Some(policy::FAIL)
}

/// Returns whether a plan can't go on at this step: the record that it links is absent; or it collides with a record, and its
/// sender gave no resolution.
pub(super) fn stops(planned: &PlannedStep<'_>) -> bool {
    let is_resolvable =
        matches!(planned.step.conflict_policy.as_deref(), Some(policy::SKIP_IF_EXISTS | policy::OVERWRITE));
    planned.links_nothing || planned.collides && !is_resolvable
}

/// Returns whether no other step of a plan is about the record of this one. If another step is, only the last
/// of them shows in the records.
pub(super) fn is_alone(planned: &PlannedStep<'_>, all: &[PlannedStep<'_>]) -> bool {
    all.iter().filter(|other| other.place == planned.place).count() == 1
}

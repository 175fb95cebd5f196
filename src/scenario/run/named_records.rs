//! The records that the user names, for a target whose operator can store none.

use super::super::format::{Put, Scenario, Step};
use super::runner::ScenarioRunner;
use crate::operator::NamedRecord;

impl ScenarioRunner<'_> {
    /// Gives the records that the user names the ids by which the scenario refers to them. A scenario that changes
    /// records takes none: they are the user's.
    pub(super) fn take_named_records(&mut self, scenario: &Scenario) {
        let steps = || scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
        if steps().any(Step::changes_records) {
            return;
        }
        let mut free = self.run_context.records.clone();
        let puts = steps().filter_map(|step| if let Step::Put(put) = step { Some(put) } else { None });
        for put in puts.filter(|put| !self.named_records.contains_key(&put.id)).collect::<Vec<_>>() {
            let Some(place) = free.iter().position(|record| record.kind == put.kind) else { continue };
            let record = free.remove(place);
            if self.values.name_id(&put.id, &record.id) {
                self.named_records.insert(put.id.clone(), record);
            }
        }
    }

    /// Returns the record of the user that a step stores, the first time that it does.
    pub(super) fn named_record(&mut self, put: &Put) -> Option<NamedRecord> {
        self.named_records.remove(&put.id)
    }
}

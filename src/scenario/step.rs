//! The members of a step that code asks for, whatever its kind, and the stages that a scenario needs.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::format::{Scenario, Step};
use crate::Stage;
use crate::operator::{Method, OperatorMethod, governance, grant, peer, platform, resource};
use crate::transcript::Addition;

impl Scenario {
    /// Returns the stages that the steps need, beyond the handshake. The scenario of a stage needs none.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<Stage> {
        if self.stage.is_some() {
            return BTreeSet::new();
        }
        self.steps.iter().flat_map(|step| step.get_ref().flatten()).filter_map(Step::stage).collect()
    }
}

impl Scenario {
    /// Returns whether a check rests on an addition of the binding.
    #[must_use]
    pub fn rests_on(&self, addition: Addition) -> bool {
        self.checks.iter().any(|check| check.get_ref().rests_on.contains(&addition))
    }

    /// Returns the stages that show whether the target speaks what the checks rest on.
    #[must_use]
    pub fn shown_in(&self) -> BTreeSet<Stage> {
        Addition::ALL
            .into_iter()
            .filter(|addition| self.rests_on(*addition))
            .filter_map(Addition::stage)
            .collect()
    }
}

impl Step {
    /// Returns the label of the step.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Federate(step) => step.label.as_deref(),
            Self::Propose(step) | Self::Join(step) | Self::Revoke(step) => step.label.as_deref(),
            Self::InjectOnConnect(step) => step.label.as_deref(),
            Self::Accept(step) | Self::Heartbeat(step) => step.label.as_deref(),
            Self::Fetch(step) => step.label.as_deref(),
            Self::Migrate(step) => step.label.as_deref(),
            Self::Commit(step) | Self::ShowMigration(step) => step.label.as_deref(),
            Self::Sync(step) => step.label.as_deref(),
            Self::Excerpt(step) => step.label.as_deref(),
            Self::Call(step) => step.label.as_deref(),
            Self::Flood(step) => step.label.as_deref(),
            Self::Notify(step) => step.label.as_deref(),
            Self::Hold(step) => step.label.as_deref(),
            Self::AwaitDeclaration(step) => step.label.as_deref(),
            Self::Operator(step) => step.label.as_deref(),
            Self::Grant(step) => Some(&step.label),
            Self::Scan(step) => Some(&step.label),
            Self::TryKinds(step) => Some(&step.label),
            Self::TryMigrations(step) => Some(&step.label),
            Self::EndGrant(_)
            | Self::PeerPut(_)
            | Self::Stop(_)
            | Self::Start(_)
            | Self::Move(_)
            | Self::CloseConnections(_)
            | Self::Put(_)
            | Self::Advance(_)
            | Self::Expect(_)
            | Self::Wait(_)
            | Self::Repeat(_) => None,
        }
    }

    /// Returns the peer that the step is about.
    #[must_use]
    pub fn peer(&self) -> Option<&str> {
        match self {
            Self::Federate(step) => Some(&step.peer),
            Self::Propose(step) | Self::Join(step) | Self::Revoke(step) => Some(&step.peer),
            Self::InjectOnConnect(step) => Some(&step.peer),
            Self::Accept(step) | Self::Heartbeat(step) => Some(&step.peer),
            Self::Fetch(step) => Some(&step.peer),
            Self::Migrate(step) => Some(&step.peer),
            Self::Commit(step) | Self::ShowMigration(step) => Some(&step.peer),
            Self::Sync(step) => Some(&step.peer),
            Self::Excerpt(step) => Some(&step.peer),
            Self::Call(step) => Some(&step.peer),
            Self::Flood(step) => Some(&step.peer),
            Self::Notify(step) => Some(&step.peer),
            Self::Hold(step) => Some(&step.peer),
            Self::EndGrant(step) => Some(&step.peer),
            Self::PeerPut(step) => Some(&step.peer),
            Self::Stop(step) | Self::Start(step) | Self::Move(step) | Self::CloseConnections(step) => {
                Some(&step.peer)
            }
            Self::AwaitDeclaration(step) => Some(&step.peer),
            Self::Grant(step) => Some(&step.peer),
            Self::TryKinds(step) => Some(&step.peer),
            Self::TryMigrations(step) => Some(&step.peer),
            Self::Scan(step) => step.until_about.as_deref(),
            Self::Wait(step) => Some(&step.peer),
            Self::Operator(_) | Self::Put(_) | Self::Advance(_) | Self::Expect(_) | Self::Repeat(_) => None,
        }
    }

    /// Returns the stage that the step needs, beyond the handshake.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Heartbeat(_) => Some(Stage::Heartbeat),
            Self::Flood(flood) if !flood.handshakes => Some(Stage::Heartbeat),
            Self::Fetch(_) | Self::TryKinds(_) => Some(Stage::Read),
            Self::InjectOnConnect(step) if step.read.is_some() => Some(Stage::Read),
            Self::Migrate(_) | Self::TryMigrations(_) | Self::Commit(_) | Self::ShowMigration(_) => {
                Some(Stage::Migrate)
            }
            Self::Sync(_) => Some(Stage::Sync),
            Self::Notify(_) | Self::EndGrant(_) => Some(Stage::Notice),
            Self::Revoke(_) => Some(Stage::Revoke),
            _ => None,
        }
    }

    /// Returns the operator method that the step calls.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        match self {
            Self::Operator(step) => Method::parse(&step.method),
            Self::Advance(_) => Some(platform::Advance::METHOD),
            Self::Federate(_) | Self::Propose(_) => Some(peer::Propose::METHOD),
            Self::Join(_) => Some(peer::Join::METHOD),
            Self::Grant(_) => Some(grant::Issue::METHOD),
            Self::Hold(_) => Some(grant::Hold::METHOD),
            Self::Put(_) => Some(resource::Put::METHOD),
            Self::Scan(_) => Some(governance::Scan::METHOD),
            _ => None,
        }
    }

    /// Returns true if the scenario goes on where the operator client lacks the method of the step.
    #[must_use]
    pub fn can_be_left_out(&self) -> bool {
        let is_operation = matches!(self, Self::Operator(_) | Self::Hold(_));
        is_operation && self.method().is_some_and(Method::can_be_left_out)
    }

    /// Returns true if the step may change a record of the target, other than by storing it for the scenario.
    #[must_use]
    pub fn changes_records(&self) -> bool {
        match self {
            Self::Migrate(_) | Self::Commit(_) | Self::Sync(_) => true,
            Self::Call(step) => step.method != "GET",
            Self::Operator(step) => {
                step.method.starts_with("resource.") || step.method.starts_with("migration.")
            }
            _ => false,
        }
    }

    /// Returns true if the step uses the result of the step with this label: `${label.…}`.
    #[must_use]
    pub fn refers_to(&self, label: &str) -> bool {
        if let Self::Expect(expect) = self
            && expect.of.as_deref() == Some(label)
        {
            return true;
        }
        let text = serde_json::to_string(self).unwrap_or_default();
        [".", "}", "?"].iter().any(|end| text.contains(&format!("${{{label}{end}")))
    }

    /// Returns the further peers that the step is about.
    #[must_use]
    pub fn other_peers(&self) -> &[String] {
        match self {
            Self::Scan(step) => &step.and_about,
            Self::Wait(step) => &step.also,
            Self::Call(step) => step.issuer.as_slice(),
            _ => &[],
        }
    }

    /// Iterates over this step and the steps within it.
    pub fn flatten(&self) -> Box<dyn Iterator<Item = &Step> + '_> {
        let within: &[Step] = match self {
            Self::Repeat(repeat) => &repeat.step,
            Self::Migrate(migrate) => &migrate.meanwhile,
            _ => &[],
        };
        Box::new(std::iter::once(self).chain(within.iter().flat_map(Self::flatten)))
    }
}

/// Returns the step with a change of its members. A change of texts leaves a step what it is.
pub(super) fn changed(step: &Spanned<Step>, change: impl FnOnce(&mut Value)) -> Spanned<Step> {
    let mut members = serde_json::to_value(step.get_ref()).unwrap_or_default();
    change(&mut members);
    let changed = Step::deserialize(members).unwrap_or_else(|_| step.get_ref().clone());
    Spanned::new(step.span(), changed)
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;

    fn scenario(steps: &str) -> Scenario {
        let source = format!("title = \"x\"\n[[peer]]\nname = \"alice\"\n{steps}");
        load("x", "x.toml", &source).expect("a sound scenario").scenario
    }

    #[test]
    fn a_scenario_needs_the_stages_of_its_steps_and_of_those_that_it_repeats() {
        let steps = "[[step]]\nfederate = { peer = \"alice\" }\n\
                     [[step]]\nrepeat = { times = 2, step = [{ heartbeat = { peer = \"alice\" } }] }\n\
                     [[step]]\nrevoke = { peer = \"alice\" }\n";
        assert_eq!(scenario(steps).needs(), [Stage::Heartbeat, Stage::Revoke].into());
        let stage = Scenario { stage: Some(Stage::Revoke), ..scenario(steps) };
        assert_eq!(stage.needs(), BTreeSet::new());
    }

    #[test]
    fn a_step_on_whose_change_others_rely_is_not_left_out_and_a_reference_is_found() {
        let steps = "[[step]]\noperator = { method = \"peer.list\", as = \"peers\" }\n\
                     [[step]]\noperator = { method = \"peer.suspend\", with = { peer_id = \"${peers.0.id}\" } }\n";
        let steps = scenario(steps).steps;
        let step = |place: usize| steps[place].get_ref();
        assert_eq!((step(0).can_be_left_out(), step(1).can_be_left_out()), (true, false));
        assert_eq!((step(1).refers_to("peers"), step(1).refers_to("peer")), (true, false));
    }
}

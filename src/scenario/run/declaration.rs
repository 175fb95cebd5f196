//! The capabilities that the target declares to a peer, in an answer or in a heartbeat of its own.

use serde_json::{Value, json};

use covenant_model::Blame;

use super::super::format::AwaitDeclaration;
use super::StepError;
use super::runner::ScenarioRunner;
use crate::operator::{OperatorMethod, capability, peer};
use crate::peer::{Received, StepContext};
use crate::transcript::Exchange;
use crate::wire::capability::CapabilityDocument;

/// The time within which a target sends a heartbeat by its own timer, every 60 s (`binding.md`, "Numbers"), and as much again.
const HEARTBEAT_WITHIN_SECONDS: i64 = 120;

impl ScenarioRunner<'_> {
    /// Waits until the target has declared its capabilities to a peer. A target that declares them at times of its own has the
    /// occasion: its operator is asked for a heartbeat, and the clock is moved. Nothing else depends on either.
    pub(super) async fn await_declaration(
        &mut self,
        context: &StepContext,
        step: &AwaitDeclaration,
    ) -> Result<(), StepError> {
        let outcome = self.wait_for_declaration(context, &step.peer).await;
        if let Some((kind, label)) = step.kind.as_ref().zip(step.label.as_ref()) {
            let version = self.schema_version_of(&step.peer, kind);
            self.values.set(label, json!({ "kind": kind, "schema_version": version }));
        }
        outcome
    }

    async fn wait_for_declaration(&mut self, context: &StepContext, name: &str) -> Result<(), StepError> {
        let peer = self.peer_named(name)?.clone();
        if self.last_declaration(name, true).is_some() {
            return Ok(());
        }
        let unlabelled = StepContext { label: None, ..context.clone() };
        let asked = peer::SendHeartbeat { peer_id: peer.id_at_target().unwrap_or_default() };
        // A platform that sends none on request sends one by its timer.
        let _ = self.ask(&unlabelled, &asked).await;
        let since = self.last_declared_by_operator();
        let declares =
            |received: &Received| received.n > since && is_document(&received.body["capabilities"]);
        if peer.wait_for(declares, self.poll_timeout()).await.is_some() {
            return Ok(());
        }
        // Where no method moves the clock, this wait counts towards what the user allows, and is left out beyond that.
        let waited = self.clock_seconds;
        self.clock_seconds += HEARTBEAT_WITHIN_SECONDS.unsigned_abs();
        if let Err(error) = self.advance(&unlabelled, HEARTBEAT_WITHIN_SECONDS).await {
            self.clock_seconds = waited;
            return match error {
                StepError::Fault(fault) if fault.blame != Blame::Target => Err(fault.into()),
                _ => Ok(()),
            };
        }
        peer.wait_for(declares, self.poll_timeout()).await;
        Ok(())
    }

    /// Returns the schema version of a kind that the target declares to a peer, or else the one that its operator declared.
    fn schema_version_of(&self, peer: &str, kind: &str) -> Value {
        let document = self.last_declaration(peer, true).and_then(|given| CapabilityDocument::read(&given));
        let declared = document.and_then(|document| Some(document.row(kind)?.schema_version.clone()));
        let by_operator = || {
            let trace = self.recorder.trace();
            let mut declares = trace.operations([capability::Declare::METHOD]).rev();
            let declare = declares.find(|(_, declare)| declare.parameters["resource_kind"] == kind);
            declare.map(|(_, declare)| declare.parameters["schema_version"].clone()).unwrap_or_default()
        };
        declared.filter(is_schema_version).unwrap_or_else(by_operator)
    }

    /// Returns the capabilities that the target last declared to a peer; only what it declared since its operator declared a
    /// kind, if `is_current`.
    pub(super) fn last_declaration(&self, peer: &str, is_current: bool) -> Option<Value> {
        let trace = self.recorder.trace();
        let since = if is_current { self.last_declared_by_operator() } else { 0 };
        let declared = |exchange: &Exchange| exchange.capabilities_of_target().filter(is_document);
        let mut of_peer =
            trace.exchanges().rev().filter(|(entry, exchange)| entry.n > since && exchange.peer == peer);
        of_peer.find_map(|(_, exchange)| declared(exchange))
    }

    /// Returns the entry in which the operator last declared a kind; 0 if there is none.
    fn last_declared_by_operator(&self) -> u64 {
        let trace = self.recorder.trace();
        trace.operations([capability::Declare::METHOD]).next_back().map_or(0, |(n, _)| n)
    }
}

/// Returns whether a value is an integer, or a text of one to three numbers (`binding.md`, reading 18). What another form means is
/// open, so no plan carries it.
fn is_schema_version(version: &Value) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match version {
        Value::String(text) => text.split('.').count() <= 3 && text.split('.').all(is_number),
        other => other.is_u64(),
    }
}

fn is_document(capabilities: &Value) -> bool {
    CapabilityDocument::read(capabilities).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_version_is_an_integer_or_one_to_three_numbers() {
        for version in [json!(1), json!("2"), json!("3.0"), json!("1.2.3")] {
            assert!(is_schema_version(&version), "{version}");
        }
        for other in [
            json!(null),
            json!(1.5),
            json!(-1),
            json!(""),
            json!(">=2"),
            json!("v2"),
            json!("1."),
            json!("1.2.3.4"),
        ] {
            assert!(!is_schema_version(&other), "{other}");
        }
    }
}

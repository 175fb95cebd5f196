//! The capabilities that the target declares to a peer, in an answer or in a heartbeat of its own.

use serde_json::Value;

use covenant_model::Blame;

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
        name: &str,
    ) -> Result<(), StepError> {
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

fn is_document(capabilities: &Value) -> bool {
    CapabilityDocument::read(capabilities).is_some()
}

//! The restart of one platform while the two federate. Both of them federate afterwards as before.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::play::Pair;
use super::steps::{Granted, IS_CUT, JOINER, PROPOSER, StepOutcome};
use crate::gate::relay::RelayError;
use crate::operator::platform::{Kill, Start, Stop};
use crate::operator::{Method, OperatorMethod};

/// The time for which the relay refuses connections, where no method ends the platform.
const OUTAGE: Duration = Duration::from_secs(2);

/// What the names of the steps afterwards have.
const AFTERWARDS: &str = "after a restart of the joiner";

impl Pair {
    /// The joiner is killed, or stopped, while the proposer calls it, and starts again. Where its operator client has
    /// neither method, the relay is what does not answer.
    pub(super) async fn restarted(
        &mut self,
        grants: &[(Option<Granted>, Option<String>)],
    ) -> Result<(), RelayError> {
        let is_ended = self.ended().await;
        if !is_ended {
            self.relay.close(JOINER).await;
        }
        self.heartbeat(PROPOSER, &format!("{IS_CUT} by the end of the joiner")).await;
        if is_ended {
            let begun = self.peer_of(JOINER).map(|_| json!({}));
            let started = self.operate(JOINER, Start::METHOD, "again", begun).await;
            self.follow_address(started.as_ref());
        } else {
            let _ = tokio::time::timeout(OUTAGE, std::future::pending::<()>()).await;
            self.relay.open(JOINER)?;
            self.note_outage().await;
        }
        for who in [JOINER, PROPOSER] {
            self.heartbeat(who, AFTERWARDS).await;
        }
        for (owner, (_, record)) in grants.iter().enumerate() {
            self.fetch(1 - owner, record.clone(), AFTERWARDS).await;
        }
        Ok(())
    }

    /// Kills the joiner, or stops it. Returns whether the operator client has one of the two methods.
    async fn ended(&mut self) -> bool {
        let parameters = self.peer_of(JOINER).map(|_| json!({}));
        self.operate(JOINER, Kill::METHOD, IS_CUT, parameters.clone()).await;
        if self.is_unsupported() {
            // It takes the number of the other one: each play has the same steps.
            self.steps.pop();
            self.operate(JOINER, Stop::METHOD, IS_CUT, parameters).await;
        }
        !self.is_unsupported()
    }

    fn is_unsupported(&self) -> bool {
        self.steps.last().is_some_and(|step| matches!(step.outcome, StepOutcome::Unsupported(_)))
    }

    /// The platform may have started at another address.
    fn follow_address(&mut self, started: Option<&Value>) {
        let text = |name: &str| started.and_then(|started| started[name].as_str());
        if let Some(base_url) = text("base_url").and_then(|url| url.parse::<Url>().ok()) {
            self.relay.started_again(JOINER, base_url, text("ca_bundle_pem").map(ToOwned::to_owned));
        }
    }

    /// Notes in the place of the start that no method ends the platform.
    async fn note_outage(&mut self) {
        self.operate(JOINER, Start::METHOD, "again", None).await;
        let [kill, stop] = [Kill::METHOD, Stop::METHOD].map(Method::name);
        self.set_last(StepOutcome::Replaced(format!(
            "the operator client has neither {kill} nor {stop}; for {} seconds the relay refused every call of the \
             platform instead",
            OUTAGE.as_secs()
        )));
    }
}

//! The restart of one platform while the two federate. Both of them federate afterwards as before.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::play::{Pair, PairPlay};
use super::steps::{Granted, IS_CUT, JOINER, PROPOSER, PairStep, StepOutcome};
use crate::gate::relay::RelayError;
use crate::operator::OperatorMethod;
use crate::operator::platform::{Kill, Start, Stop};

/// The time for which the relay refuses connections, where no method ends the platform.
const OUTAGE: Duration = Duration::from_secs(2);

/// Suffix of the names of the steps afterwards.
const AFTERWARDS: &str = "after a restart of the joiner";

/// Suffix of the name of the start afterwards.
const AGAIN: &str = "again";

/// Why what follows a restart is held against nothing.
const NEVER_ENDED: &str = "the old release was never ended and started again, so what follows the restart of the new one is held \
                           against nothing";
const LOST: &str = "the old release was restarted and lost something, and the new one was not restarted, so what follows is held \
                    against nothing";
const NO_CONTROL: &str = "no two of the old release show what it keeps over a restart, so what follows the restart is held against \
                          nothing";

impl Pair {
    /// The joiner is killed, or stopped, while the proposer calls it, and starts again. Where its operator client does
    /// neither, the relay is what does not answer.
    pub(super) async fn restarted(
        &mut self,
        grants: &[(Option<Granted>, Option<String>)],
    ) -> Result<(), RelayError> {
        let why_running = self.why_running().await;
        if why_running.is_some() {
            self.relay.close(JOINER).await;
        }
        self.heartbeat(PROPOSER, &format!("{IS_CUT} by the end of the joiner")).await;
        if let Some(why) = why_running {
            let _ = tokio::time::timeout(OUTAGE, std::future::pending::<()>()).await;
            self.relay.open(JOINER)?;
            self.note_outage(&why).await;
        } else {
            let begun = self.peer_of(JOINER).map(|_| json!({}));
            let started = self.operate(JOINER, Start::METHOD, AGAIN, begun).await;
            self.follow_address(started.as_ref());
        }
        for who in [JOINER, PROPOSER] {
            self.heartbeat(who, AFTERWARDS).await;
        }
        for (owner, (_, record)) in grants.iter().enumerate() {
            self.fetch(1 - owner, record.clone(), AFTERWARDS).await;
        }
        Ok(())
    }

    /// Kills the joiner, or stops it. Returns why it runs on, if its operator client has neither method or refuses both:
    /// such a platform was not restarted.
    async fn why_running(&mut self) -> Option<String> {
        let parameters = self.peer_of(JOINER).map(|_| json!({}));
        let mut why: Vec<String> = vec![];
        for method in [Kill::METHOD, Stop::METHOD] {
            if !why.is_empty() {
                // This one takes the number of the other: each play has the same steps.
                self.steps.pop();
            }
            self.operate(JOINER, method, IS_CUT, parameters.clone()).await;
            why.push(match &self.steps.last()?.outcome {
                StepOutcome::Unsupported(_) => format!("has no method {method}"),
                StepOutcome::Refused(reason) => format!("refuses {method} ({reason})"),
                _ => return None,
            });
        }
        Some(why.join(" and "))
    }

    /// The platform may have started at another address.
    fn follow_address(&mut self, started: Option<&Value>) {
        let text = |name: &str| started.and_then(|started| started[name].as_str());
        if let Some(base_url) = text("base_url").and_then(|url| url.parse::<Url>().ok()) {
            self.relay.started_again(JOINER, base_url, text("ca_bundle_pem").map(ToOwned::to_owned));
        }
    }

    /// Notes in the place of the start that no method ended the platform.
    async fn note_outage(&mut self, why: &str) {
        self.operate(JOINER, Start::METHOD, AGAIN, None).await;
        self.set_last(StepOutcome::Replaced(format!(
            "the operator client {why}; for {} seconds the relay refused every call of the platform instead",
            OUTAGE.as_secs()
        )));
    }
}

/// Returns the step from which a play is held against nothing, with the reason: one of the two releases was ended in its
/// place and started again, and the other one was not, so that what it lost or kept says nothing. Without two of the old
/// release nobody knows what that one keeps.
pub(super) fn restarted_alone(
    control: Option<&[PairPlay; 2]>,
    play: &PairPlay,
) -> Option<(u32, &'static str)> {
    let now = play.start_again()?;
    let is_ended = was_ended(now)?;
    let Some(control) = control else {
        return is_ended.then_some((now.number, NO_CONTROL));
    };
    let before = || control.iter().filter_map(|play| was_ended(play.start_again()?));
    let why = if is_ended {
        before().any(|is_ended| !is_ended).then_some(NEVER_ENDED)
    } else {
        (before().any(|is_ended| is_ended) && control.iter().any(PairPlay::lost_something)).then_some(LOST)
    };
    why.map(|why| (now.number, why))
}

/// Returns whether the joiner was ended before it was started; `None` if nothing says so.
fn was_ended(start: &PairStep) -> Option<bool> {
    match start.outcome {
        StepOutcome::Replaced(_) => Some(false),
        StepOutcome::Done | StepOutcome::Refused(_) => Some(true),
        _ => None,
    }
}

impl PairPlay {
    fn start_again(&self) -> Option<&PairStep> {
        let begin = format!("{} ({AGAIN})", Start::METHOD);
        self.steps.iter().find(|step| step.name.ends_with(&begin))
    }

    /// Returns whether something was refused after the restart. A step that has no method, or was left out, lost nothing.
    fn lost_something(&self) -> bool {
        let is_served = |status: Option<u64>| status.is_some_and(|status| (200..300).contains(&status));
        let refuses = |step: &PairStep| {
            let passed = self.views.iter().flat_map(|view| &view.passed);
            let mut of_step = passed.filter(|(number, _)| *number == step.number);
            of_step.any(|(_, template)| !is_served(template.status()))
        };
        let mut afterwards = self.steps.iter().filter(|step| step.name.contains(AFTERWARDS));
        afterwards.any(|step| matches!(step.outcome, StepOutcome::Refused(_)) || refuses(step))
    }
}

//! An authenticated audit of someone else's platform: conforming, slow, and with a list of what it leaves
//! behind.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::plan::announce;
use super::{Run, RunError};
use crate::clock::Seed;
use crate::contract::HeldText;
use crate::operator::{Address, AuditClient};
use crate::scenario::{Loaded, RunContext, load};
use crate::transcript::{Direction, Reading, Trace, What};
use crate::wire::path::Route;

const CONFORMING: &str = include_str!("../../audits/conforming.toml");
const INTRUSIVE: &str = include_str!("../../audits/intrusive.toml");

/// The settings of an authenticated audit.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The seed of every choice.
    pub seed: Seed,
    /// The address of the target.
    pub address: Address,
    /// The acceptance token from the target's operator. The audit uses it up.
    pub token: String,
    /// True if the peer misbehaves too.
    pub intrusive: bool,
    /// The contract text that the target is held to. The token is good for one accept, so no one is asked.
    pub contract: HeldText,
    /// The run context.
    pub run_context: RunContext,
    /// The arguments that name the same target again on a command line.
    pub arguments: Vec<String>,
}

impl Audit {
    /// Prepares the run of the audit. `stop` becomes true to end it.
    pub fn prepare(self, transcript: PathBuf, stop: watch::Receiver<bool>) -> Result<Run, RunError> {
        let loaded = scenario(self.intrusive)?;
        let settings = [
            ("audit".to_owned(), json!(true)),
            ("intrusive".to_owned(), json!(self.intrusive)),
            ("poll_timeout_seconds".to_owned(), json!(self.run_context.poll_timeout.as_secs())),
            (
                "milliseconds_between_calls".to_owned(),
                json!(self.run_context.pace.map(|pace| pace.as_millis())),
            ),
        ];
        let mut start =
            announce(self.seed, self.address.base_url.to_string(), self.arguments, self.contract.clone());
        start.settings = settings.into_iter().collect();
        start.scenarios = vec![loaded.id.clone()];
        start.partial = true;
        Ok(Run {
            start,
            contract: Some(self.contract),
            sanity: None,
            scenarios: vec![loaded],
            properties: vec![],
            shrinks: 0,
            targets: Arc::new(AuditClient::new(self.address, self.token)),
            run_context: self.run_context,
            jobs: 1,
            transcript,
            stop,
        })
    }
}

fn scenario(intrusive: bool) -> Result<Loaded, RunError> {
    let (id, source) =
        if intrusive { ("audit/intrusive", INTRUSIVE) } else { ("audit/conforming", CONFORMING) };
    load(id, &format!("{id}.toml"), source).map_err(|error| RunError::Library(error.into()))
}

/// A peer that an audit leaves at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// The id under which the target keeps the peer.
    pub peer_id: String,
    /// True if the target accepted the notice that the peer leaves.
    pub notified_of_leave: bool,
    /// The entry that shows the peer.
    pub entry: u64,
}

/// Returns the peers that an audit leaves at the target: those that accepted.
#[must_use]
pub fn left_behind(reading: &Reading) -> Vec<LeftBehind> {
    let mut left: Vec<LeftBehind> = Vec::new();
    for entry in reading.traces.iter().flat_map(Trace::entries) {
        let What::Exchange(exchange) = &*entry.what else { continue };
        if exchange.direction != Direction::ToTarget || !exchange.succeeded() {
            continue;
        }
        match exchange.route() {
            Some(Route::Accept) => {
                let data = exchange.data().unwrap_or(Value::Null);
                let peer_id = data["peer_id"].as_str().unwrap_or("(it gave no id)").to_owned();
                left.push(LeftBehind { peer_id, notified_of_leave: false, entry: entry.n });
            }
            Some(Route::Heartbeat) if exchange.sent().is_some_and(|sent| sent["status"] == "revoked") => {
                for peer in &mut left {
                    peer.notified_of_leave = true;
                }
            }
            _ => {}
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_audit_scenarios_load_and_one_is_intrusive() {
        assert!(!scenario(false).expect("a scenario").scenario.intrusive);
        assert!(scenario(true).expect("a scenario").scenario.intrusive);
    }
}

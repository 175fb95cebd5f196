//! An authenticated audit of someone else's platform: conforming, slow, and with a list of what it leaves
//! behind.

mod clean;
mod clean_run;
mod dry_run;
mod kept;
mod left_behind;
mod outside;
mod peering;
mod watch;

pub use clean::{CleanError, Cleaned, Cleaning, was_cleaned};
pub use clean_run::{EndedPeer, RunPeer, end_peers, left_by_run};
pub use dry_run::{Asked, Caller, DryRun, DryRunOf, PlannedCall, PlannedWait};
pub use left_behind::{LeftBehind, left_behind, left_behind_text};
pub use outside::Outside;
pub use watch::{Watch, WatchError, Watched};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch::Receiver;

use self::peering::PeeringFile;
use crate::clock::Seed;
use crate::contract::HeldText;
use crate::operator::{Address, AuditClient};
use crate::runner::{Run, RunError, announce, way_back_setting};
use crate::scenario::{Loaded, RunContext, load};

#[cfg(test)]
pub(crate) use watch::scenario as watch_scenario;

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
    /// The addresses, timeouts and limits.
    pub run_context: RunContext,
}

impl Audit {
    /// Prepares the run of the audit. `stop` becomes true to end it.
    ///
    /// The folder of the transcript keeps the keys of the peer until it has left.
    pub fn prepare(mut self, transcript: PathBuf, stop: Receiver<bool>) -> Result<Run, RunError> {
        let loaded = scenario(self.intrusive)?;
        let folder = transcript.parent().unwrap_or(Path::new("."));
        let keeper = PeeringFile::in_folder(folder, &self.address.base_url);
        self.run_context.keeper = Some(Arc::new(keeper));
        let settings = [
            ("audit".to_owned(), json!(true)),
            ("intrusive".to_owned(), json!(self.intrusive)),
            ("poll_timeout_seconds".to_owned(), json!(self.run_context.poll_timeout.as_secs())),
            (
                "milliseconds_between_calls".to_owned(),
                json!(self.run_context.pace.map(|pace| pace.as_millis())),
            ),
        ];
        let url = self.address.base_url.to_string();
        let mut start = announce(self.seed, url.clone(), vec![url], self.contract.clone());
        start.settings = settings.into_iter().chain(way_back_setting(&self.run_context)).collect();
        start.scenarios = vec![loaded.id.clone()];
        start.partial = true;
        Ok(Run {
            start,
            contract: Some(self.contract),
            stages: vec![],
            scenarios: vec![loaded],
            properties: vec![],
            shrinks: 0,
            retries: 0,
            targets: Arc::new(AuditClient::new(self.address, self.token)),
            run_context: self.run_context,
            jobs: 1,
            fail_fast: BTreeSet::new(),
            deadline: None,
            transcript,
            stop,
        })
    }
}

/// Returns the texts of the scenarios of audits.
pub(crate) fn audit_sources() -> Vec<String> {
    let watches = [false, true].into_iter().filter_map(|has_grant| watch::scenario(has_grant).ok());
    let others = [CONFORMING, INTRUSIVE, outside::ANONYMOUS, clean::CLEAN].map(ToOwned::to_owned);
    watches.map(|loaded| loaded.source).chain(others).collect()
}

fn scenario(intrusive: bool) -> Result<Loaded, RunError> {
    let (id, source) =
        if intrusive { ("audit/intrusive", INTRUSIVE) } else { ("audit/conforming", CONFORMING) };
    load(id, &format!("{id}.toml"), source).map_err(|error| RunError::Library(error.into()))
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

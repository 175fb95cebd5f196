//! Records golden exchanges of the embedded reference platform, and compares a folder of them with it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde_json::json;
use thiserror::Error;

use super::{Difference, Golden, Which, compare};
use crate::clock::Seed;
use crate::input::{self, InputError};
use crate::nearest::did_you_mean;
use crate::operator::{Embedded, EmbeddedOptions};
use crate::peer::PermittedChoices;
use crate::reference::Patch;
use crate::runner::{library, run_context};
use crate::scenario::{LibraryError, RunContext, play_scenario};
use crate::transcript::{Outcome, Trace, Transcript};

/// The seed of recorded goldens. Normalisation removes every trace of it.
const SEED: Seed = Seed(1);

/// The longest golden that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// An error that occurs when goldens are compared or recorded.
#[derive(Debug, Error)]
pub enum GoldenError {
    /// A file or folder that cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A folder without goldens.
    #[error("{0}: no golden there: a golden is a .json file; `covenant golden record` makes one")]
    Empty(String),
    /// A file that is not a golden.
    #[error("{path}: not a golden exchange")]
    Json {
        /// The path of the file.
        path: String,
        /// The error of the parser.
        source: serde_json::Error,
    },
    /// The scenarios are invalid.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The scenario does not exist.
    #[error("no scenario is called {name}; `covenant list scenarios` lists them{hint}")]
    Scenario {
        /// The name as given.
        name: String,
        /// The nearest id.
        hint: String,
    },
    /// The scenario has no such exchange.
    #[error("scenario {scenario}: no exchange is {which}")]
    Exchange {
        /// The id of the scenario.
        scenario: String,
        /// A description of the exchange.
        which: String,
    },
    /// The scenario did not complete.
    #[error("scenario {scenario} did not complete: {outcome:?}")]
    Incomplete {
        /// The id of the scenario.
        scenario: String,
        /// The way in which it ended.
        outcome: Outcome,
    },
}

/// A golden and the current exchange of the platform.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The path of the golden.
    pub path: PathBuf,
    /// The current exchange.
    pub now: Golden,
    /// The differences between the two.
    pub differences: Vec<Difference>,
}

/// Compares every golden of a folder with the current exchange of the patched platform.
pub async fn compare_goldens(
    folder: &Path,
    patches: &[&'static Patch],
) -> Result<Vec<Compared>, GoldenError> {
    let goldens = read_all(folder)?;
    let wanted: BTreeSet<&str> = goldens.values().map(|golden| golden.scenario.as_str()).collect();
    let mut traces = BTreeMap::new();
    for scenario in wanted {
        traces.insert(scenario.to_owned(), trace(scenario, patches).await?);
    }
    goldens
        .iter()
        .map(|(path, golden)| {
            let now = take(&traces[&golden.scenario], &golden.which)?;
            let differences = compare(&golden.exchange, &now.exchange);
            Ok(Compared { path: path.clone(), now, differences })
        })
        .collect()
}

/// Records a golden.
pub async fn record_golden(scenario: &str, which: &Which) -> Result<Golden, GoldenError> {
    take(&trace(scenario, &[]).await?, which)
}

fn take(trace: &Trace, which: &Which) -> Result<Golden, GoldenError> {
    let missing =
        || GoldenError::Exchange { scenario: trace.scenario().to_owned(), which: which.to_string() };
    Golden::take(trace, which).ok_or_else(missing)
}

/// Plays a scenario with the plainest permitted choices.
async fn trace(scenario: &str, patches: &[&'static Patch]) -> Result<Trace, GoldenError> {
    let library = library(None)?;
    let loaded = library.scenario(scenario).ok_or_else(|| GoldenError::Scenario {
        name: scenario.to_owned(),
        hint: did_you_mean(scenario, library.iter().map(|loaded| loaded.id.as_str())),
    })?;
    let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let targets = Embedded::new(EmbeddedOptions { listen, patches: patches.to_vec(), settings: json!({}) });
    let plain = RunContext { permitted_choices: Some(PermittedChoices::plain()), ..run_context(listen) };
    let trace = play_scenario(loaded, &targets, &Transcript::in_memory(), SEED, &plain).await;
    match trace.outcome() {
        Some(Outcome::Completed) => Ok(trace),
        outcome => Err(GoldenError::Incomplete {
            scenario: scenario.to_owned(),
            outcome: outcome.cloned().unwrap_or(Outcome::Interrupted),
        }),
    }
}

fn read_all(folder: &Path) -> Result<BTreeMap<PathBuf, Golden>, GoldenError> {
    let mut goldens = BTreeMap::new();
    for path in input::files_in(folder, "json", false)? {
        let text = input::read(&path, FILE_BYTES_MAX)?;
        let golden = serde_json::from_slice(&text)
            .map_err(|source| GoldenError::Json { path: path.display().to_string(), source })?;
        goldens.insert(path, golden);
    }
    if goldens.is_empty() {
        return Err(GoldenError::Empty(folder.display().to_string()));
    }
    Ok(goldens)
}

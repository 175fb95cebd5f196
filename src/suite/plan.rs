//! What a run is to do, and how it is made ready: for the program, for tests and for the selftest.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use thiserror::Error;
use tokio::sync::watch;

use super::{Fault, Observer, Run, Selection, SelectionError, Target, assess, library, play};
use crate::clock::Seed;
use crate::contract::{BINDING_VERSION, ClauseId, REGISTER_V1};
use crate::net::Limits;
use crate::property::{PROPERTIES, Property};
use crate::report::Report;
use crate::scenario::{LibraryError, RunContext};
use crate::transcript::{FORMAT, ReadError, RunStart, read};

/// How long something that is due is waited for, in seconds (`binding.md`, "Numbers").
const POLL_TIMEOUT_SECONDS: u64 = 10;

/// Cases of a property that is checked in passing.
const CASES_IN_PASSING: u32 = 2;

/// Cases of each property where nothing else is asked for: few enough for a run to stay quick.
pub const CASES: u32 = 12;

/// How often a case that breaks is made smaller at most, where nothing else is asked for.
pub(super) const SHRINKS: u32 = 400;

/// What a run is to do. The defaults check all of the embedded reference platform, undisturbed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Fixes every choice.
    pub seed: Seed,
    /// What is evaluated.
    pub target: Target,
    /// Which part of the suite.
    pub selection: Selection,
    /// How many cases of each property; 0 checks none.
    pub cases: u32,
    /// What persons say of clauses that no wire can show.
    pub attested: BTreeMap<ClauseId, String>,
    /// Commitments whose properties are checked in full; the others in two cases each. None is all.
    pub thorough: Option<BTreeSet<u8>>,
    /// How often a case that breaks is made smaller at most.
    pub shrinks: u32,
    /// Scenarios of the user's own: a folder or a file.
    pub scenarios: Option<PathBuf>,
    /// What scenarios are played in; an embedded target listens where the peers do.
    pub run_context: RunContext,
    /// How many scenarios are played side by side.
    pub jobs: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: Seed(1),
            target: Target::default(),
            selection: Selection::default(),
            cases: CASES,
            attested: BTreeMap::new(),
            thorough: None,
            shrinks: SHRINKS,
            scenarios: None,
            run_context: run_context(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            jobs: 4,
        }
    }
}

/// Why a run could not be made, or its transcript not be read.
#[derive(Debug, Error)]
pub enum RunError {
    /// The scenarios are not sound.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// No such part of the suite.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The program's own scenarios lack the sanity one.
    #[error("no scenario is the sanity one")]
    NoSanity,
    /// It could not be written.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It could not be read back.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Plan {
    fn cases_of(&self, property: &Property) -> u32 {
        let in_full = self.thorough.as_ref().is_none_or(|thorough| thorough.contains(&property.commitment));
        if in_full { self.cases } else { self.cases.min(CASES_IN_PASSING) }
    }

    /// The run, ready to be played. `stop` becomes true when it is to end.
    pub fn prepare(&self, transcript: PathBuf, stop: watch::Receiver<bool>) -> Result<Run, RunError> {
        let built_in = library(None)?;
        let sanity =
            built_in.iter().find(|loaded| loaded.scenario.sanity).cloned().ok_or(RunError::NoSanity)?;
        let library = match &self.scenarios {
            Some(path) => library(Some(path))?,
            None => built_in,
        };
        let scenarios: Vec<_> = self.selection.of(&library)?.into_iter().cloned().collect();
        let own = self.scenarios.is_some();
        let properties = PROPERTIES.iter().filter(|property| !own && self.selection.takes_property(property));
        let properties: Vec<_> = properties
            .filter(|_| self.cases > 0)
            .map(|property| (property, self.cases_of(property)))
            .collect();
        let told = properties.iter().map(|(property, _)| property.trace());
        let start = self.start(scenarios.iter().map(|loaded| loaded.id.clone()).chain(told).collect());
        Ok(Run {
            start,
            sanity: Some(sanity),
            scenarios,
            properties,
            shrinks: self.shrinks,
            targets: self.target.targets(self.run_context.listen),
            run_context: self.run_context.clone(),
            jobs: self.jobs,
            transcript,
            stop,
        })
    }

    /// Plays the run to its end in a folder that goes away, and gives its report.
    pub async fn run_to_report(&self) -> Result<Report, RunError> {
        let folder = tempfile::tempdir().map_err(|error| Fault::Write(error.to_string()))?;
        let transcript = folder.path().join("transcript.jsonl");
        let (_running, stop) = watch::channel(false);
        let run = self.prepare(transcript.clone(), stop)?;
        play(run, Arc::new(NoOne)).await?;
        Ok(assess(&read(&transcript)?))
    }

    fn start(&self, scenarios: Vec<String>) -> RunStart {
        RunStart {
            settings: BTreeMap::from([
                ("attested".to_owned(), json!(self.attested)),
                ("cases".to_owned(), json!(self.cases)),
                ("poll_timeout_seconds".to_owned(), json!(self.run_context.poll_timeout.as_secs())),
            ]),
            scenarios,
            partial: self.selection.is_partial() || self.scenarios.is_some(),
            ..announce(self.seed, self.target.name(), self.target_arguments())
        }
    }

    /// What names the same target again on a command line.
    fn target_arguments(&self) -> Vec<String> {
        let scenarios = self.scenarios.iter().map(|path| format!("--scenarios '{}'", path.display()));
        self.target.arguments().into_iter().chain(scenarios).collect()
    }
}

/// The first line of a run's transcript, before it is said what will be played.
pub(super) fn announce(seed: Seed, target: String, target_arguments: Vec<String>) -> RunStart {
    RunStart {
        format: FORMAT,
        covenant: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        contract_version: REGISTER_V1.contract_version,
        contract_digest: REGISTER_V1.digest.to_owned(),
        binding: BINDING_VERSION.to_owned(),
        target,
        target_arguments,
        settings: BTreeMap::new(),
        scenarios: vec![],
        partial: false,
    }
}

/// What scenarios are played in where nothing else is asked for.
#[must_use]
pub fn run_context(listen: IpAddr) -> RunContext {
    RunContext {
        listen,
        advertise: None,
        poll_timeout: Duration::from_secs(POLL_TIMEOUT_SECONDS),
        limits: Limits::default(),
        pace: None,
        permitted_choices: None,
        release: None,
    }
}

/// Shows nothing.
struct NoOne;

impl Observer for NoOne {
    fn event(&self, _: super::Event) {}
}

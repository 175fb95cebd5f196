//! The plan of a run, and its preparation, for the program, the tests and the self-test.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::watch;

use super::retries::RETRIES;
use super::{
    Deadline, NoObserver, Partition, Run, Selection, SelectionError, Target, assess, library, play,
    property_case,
};
use crate::clock::Seed;
use crate::contract::{Aspect, BINDING_VERSION, Basis, ClauseId, HeldText, TextSource, V1_2026_05};
use crate::net::Limits;
use crate::property::{PROPERTIES, Property};
use crate::reference::DEFECTS;
use crate::report::Report;
use crate::scenario::{Library, LibraryError, Loaded, Pauses, RealTime, RunContext, Scenario};
use crate::transcript::{FORMAT, ReadError, RunStart, read};
use crate::wire::canonical::sha256_hex;
use crate::{Fault, Stage};

/// The default poll timeout, in seconds (`binding.md`, "Numbers").
pub(super) const POLL_TIMEOUT_SECONDS: u64 = 10;

/// The default of the seconds that one scenario may wait in real time.
pub(crate) const MAX_WAIT_SECONDS: u64 = 15;

/// The number of cases of a property that is not checked thoroughly.
const CASES_IN_PASSING: u32 = 2;

/// The default number of cases of each property, small enough for a quick run.
pub const CASES: u32 = 12;

/// The default maximum of shrinking steps for a case that breaks.
pub(super) const SHRINKS: u32 = 400;

/// The setting that names the partition of a run.
pub(super) const PARTITION: &str = "partition";
/// The setting with the digest of what all partitions together play.
pub(super) const PARTITIONED: &str = "partitioned_sha256";
/// The setting by which a partition records that the whole is a part of the suite, too.
pub(super) const PARTITION_OF_PART: &str = "partition_of_part";

/// The plan of a run. By default it checks all of the embedded reference platform, without patches.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed of every choice.
    pub seed: Seed,
    /// The platform under test.
    pub target: Target,
    /// The selected part of the suite.
    pub selection: Selection,
    /// The number of cases of each property; 0 skips properties.
    pub cases: u32,
    /// The attestations of persons, by clause.
    pub attested: BTreeMap<ClauseId, String>,
    /// The commitments whose properties run all cases; the others run two cases each. `None` selects all
    /// commitments.
    pub thorough: Option<BTreeSet<u8>>,
    /// The scenarios that are made of another one, which they play a second time, are played too.
    pub second_times: bool,
    /// The maximum number of shrinking steps for a case that breaks.
    pub shrinks: u32,
    /// The number of times that a scenario with a broken check is played again.
    pub retries: u32,
    /// The contract text that the target is held to. `None` finds it before the first accept.
    pub contract: Option<HeldText>,
    /// The user's own scenarios: a folder or a file.
    pub scenarios: Option<PathBuf>,
    /// The run context of the scenarios. An embedded target listens on the address of the peers.
    pub run_context: RunContext,
    /// The number of scenarios that run in parallel.
    pub jobs: usize,
    /// The bases whose first broken check ends the run. Empty: no breach ends it.
    pub fail_fast: BTreeSet<Basis>,
    /// The time that the run may take; `None` for as long as it takes.
    pub deadline: Option<Deadline>,
    /// The partition of the selected part to play; `None` for all of it.
    pub partition: Option<Partition>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: Seed(1),
            target: Target::default(),
            selection: Selection::default(),
            cases: CASES,
            attested: BTreeMap::new(),
            contract: None,
            thorough: None,
            second_times: true,
            shrinks: SHRINKS,
            retries: 0,
            scenarios: None,
            run_context: run_context(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            jobs: 4,
            fail_fast: BTreeSet::new(),
            deadline: None,
            partition: None,
        }
    }
}

/// An error that occurs when a run is prepared or its transcript is read.
#[derive(Debug, Error)]
pub enum RunError {
    /// The scenarios are invalid.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The selection is invalid.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The built-in scenarios lack the one of the handshake.
    #[error("no scenario is of the stage handshake")]
    NoHandshake,
    /// The transcript could not be written.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The transcript could not be read back.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Plan {
    fn cases_of(&self, property: &Property) -> u32 {
        let in_full = self.thorough.as_ref().is_none_or(|thorough| thorough.contains(&property.commitment));
        if in_full { self.cases } else { self.cases.min(CASES_IN_PASSING) }
    }

    /// Prepares the run. `stop` becomes true to end it.
    pub fn prepare(&self, transcript: PathBuf, stop: watch::Receiver<bool>) -> Result<Run, RunError> {
        let built_in = library(None)?;
        let stages = stages(&built_in)?;
        let library = match &self.scenarios {
            Some(path) => library(Some(path))?,
            None => built_in,
        };
        let with_properties = self.scenarios.is_none() && self.cases > 0;
        let scenarios = self.selection.of(&library, with_properties)?;
        let is_played = |loaded: &&Loaded| self.second_times || !loaded.second_time;
        let mut scenarios: Vec<_> = scenarios.into_iter().filter(is_played).cloned().collect();
        if !self.fail_fast.is_empty() {
            likeliest_first(&mut scenarios);
        }
        let mut properties: Vec<_> = PROPERTIES
            .iter()
            .filter(|property| with_properties && self.selection.takes_property(property))
            .map(|property| (property, self.cases_of(property)))
            .collect();
        // Each partition tries the stages of the whole, so that all of them know the same of the target.
        let stages = self.stages_needed(stages, &scenarios, &properties);
        let partitioned = self.partition.map(|_| digest(&scenarios, &properties));
        if let Some(partition) = self.partition {
            scenarios.retain(|loaded| partition.holds(&loaded.id));
            properties.retain(|(property, _)| partition.holds(&property.trace()));
        }
        let reported = properties.iter().map(|(property, _)| property.trace());
        let mut start =
            self.start(scenarios.iter().map(|loaded| loaded.id.clone()).chain(reported).collect());
        start.settings.extend(partitioned.map(|digest| (PARTITIONED.to_owned(), json!(digest))));
        Ok(Run {
            start,
            contract: self.contract.clone(),
            stages,
            scenarios,
            properties,
            // A run that ends at the first breach does not look for the shortest case.
            shrinks: if self.fail_fast.is_empty() { self.shrinks } else { 0 },
            retries: self.retries,
            targets: self.target.targets(self.run_context.listen),
            run_context: self.run_context.clone(),
            jobs: self.jobs,
            fail_fast: self.fail_fast.clone(),
            deadline: self.deadline.clone(),
            transcript,
            stop,
        })
    }

    /// Plays the run in a temporary folder and returns its report.
    pub async fn run_to_report(&self) -> Result<Report, RunError> {
        let folder = tempfile::tempdir().map_err(|error| Fault::of_environment(&error))?;
        let transcript = folder.path().join("transcript.jsonl");
        let (_running, stop) = watch::channel(false);
        let run = self.prepare(transcript.clone(), stop)?;
        play(run, Arc::new(NoObserver)).await?;
        Ok(assess(&read(&transcript)?))
    }

    /// Keeps the handshake, the stages that a scenario or a property of the run needs, and those that the user
    /// names.
    fn stages_needed(
        &self,
        stages: Vec<Loaded>,
        scenarios: &[Loaded],
        properties: &[(&'static Property, u32)],
    ) -> Vec<Loaded> {
        let cases = properties.iter().filter_map(|(property, _)| property_case(&property.trace()));
        let of = |scenario: &Scenario| scenario.needs().into_iter().chain(scenario.shown_in());
        let mut needed: BTreeSet<Stage> = cases.flat_map(|case| of(&case.scenario)).collect();
        needed.extend(scenarios.iter().flat_map(|loaded| of(&loaded.scenario)));
        needed.insert(Stage::Handshake);
        let is_needed = |loaded: &Loaded| {
            loaded.scenario.stage.is_some_and(|stage| needed.contains(&stage)) || self.selection.names(loaded)
        };
        stages.into_iter().filter(is_needed).collect()
    }

    fn start(&self, scenarios: Vec<String>) -> RunStart {
        RunStart {
            settings: self.settings(),
            scenarios,
            partial: self.partition.is_some() || self.is_partial(),
            reference: self.target.patch_names(),
            ..announce(
                self.seed,
                self.target.name(),
                self.target.arguments(),
                HeldText::unknown(TextSource::Nothing),
            )
        }
    }

    /// Returns whether the run covers a part of the suite only, whatever its partition.
    fn is_partial(&self) -> bool {
        self.selection.is_partial() || self.scenarios.is_some()
    }

    /// Returns the settings that a replay repeats. What depends on the user's machine and platform is not among
    /// them: addresses, and how the target is reached.
    fn settings(&self) -> BTreeMap<String, Value> {
        let own = &self.run_context;
        let is_external = matches!(self.target, Target::ExternalTarget(_));
        let usual = Limits::default().exchange_time_max;
        let time = Some(own.limits.exchange_time_max).filter(|time| *time != usual);
        let max_wait = Some(own.real_time.max_wait.as_secs());
        let max_wait = max_wait.filter(|seconds| is_external && *seconds != MAX_WAIT_SECONDS);
        let settings = [
            ("attested", Some(json!(self.attested))),
            ("cases", Some(json!(self.cases))),
            ("fail_fast", (!self.fail_fast.is_empty()).then_some(json!(true))),
            (PARTITION, self.partition.map(|partition| json!(partition.to_string()))),
            (PARTITION_OF_PART, (self.partition.is_some() && self.is_partial()).then_some(json!(true))),
            ("max_wait_seconds", max_wait.map(|seconds| json!(seconds))),
            ("poll_timeout_seconds", Some(json!(own.poll_timeout.as_secs()))),
            (RETRIES, (self.retries > 0).then_some(json!(self.retries))),
            ("release", own.release.as_ref().map(|release| json!(release.to_string()))),
            ("request_timeout_seconds", time.map(|time| json!(time.as_secs()))),
            ("scenarios", self.scenarios.as_ref().map(|path| json!(path.display().to_string()))),
        ];
        let given = settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.chain(way_back_setting(own)).collect()
    }
}

/// Puts first the scenarios that are likeliest to show a breach: those of the aspects that most seeded defects break.
fn likeliest_first(scenarios: &mut [Loaded]) {
    let mut defects: BTreeMap<(String, Aspect), usize> = BTreeMap::new();
    for (clause, aspect) in DEFECTS.iter().flat_map(|defect| defect.kind.breaks()) {
        *defects.entry(((*clause).to_owned(), *aspect)).or_default() += 1;
    }
    scenarios.sort_by_cached_key(|loaded| {
        let checks = loaded.scenario.checks.iter().map(toml::Spanned::get_ref);
        let aspects: BTreeSet<_> = checks.map(|check| (check.clause.to_string(), check.aspect)).collect();
        std::cmp::Reverse(aspects.iter().filter_map(|aspect| defects.get(aspect)).sum::<usize>())
    });
}

/// Returns the scenarios of the stages, the handshake first.
fn stages(library: &Library) -> Result<Vec<Loaded>, RunError> {
    let mut stages: Vec<Loaded> =
        library.iter().filter(|loaded| loaded.scenario.stage.is_some()).cloned().collect();
    stages.sort_by_key(|loaded| loaded.scenario.stage);
    match stages.first().and_then(|first| first.scenario.stage) {
        Some(Stage::Handshake) => Ok(stages),
        _ => Err(RunError::NoHandshake),
    }
}

/// Returns the setting by which a run records that the user states the way back; `None` if the user does not.
pub(crate) fn way_back_setting(run_context: &RunContext) -> Option<(String, Value)> {
    run_context.states_way_back().then(|| ("way_back_open".to_owned(), json!(true)))
}

/// Returns the first entry of a run's transcript, before the planned scenarios are added.
pub(crate) fn announce(
    seed: Seed,
    target: String,
    target_arguments: Vec<String>,
    contract: HeldText,
) -> RunStart {
    RunStart {
        format: FORMAT,
        reference: None,
        covenant: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        contract,
        binding: BINDING_VERSION.to_owned(),
        target,
        target_arguments,
        settings: BTreeMap::new(),
        scenarios: vec![],
        partial: false,
    }
}

/// Returns the default run context.
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
        target_release: None,
        contract_digest: Some(V1_2026_05.digest.to_owned()),
        way_back: None,
        spoken: BTreeMap::new(),
        server_identity: None,
        plain_http: false,
        host_names_checked: false,
        real_time: RealTime::default(),
        pauses: Pauses::default(),
        records: vec![],
        kinds: None,
        keeper: None,
        breaks_so_far: super::planned::breaks_so_far,
    }
}

/// Returns the digest of scenarios and properties: of their ids, their sources and the numbers of their cases.
fn digest(scenarios: &[Loaded], properties: &[(&'static Property, u32)]) -> String {
    let of_scenarios = scenarios.iter().map(|loaded| format!("{} {}", loaded.id, sha256_hex(&loaded.source)));
    let of_properties = properties.iter().map(|(property, cases)| format!("{} {cases}", property.trace()));
    let mut lines: Vec<String> = of_scenarios.chain(of_properties).collect();
    lines.sort();
    sha256_hex(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_records_what_the_user_set() {
        let mut plan = Plan { scenarios: Some(PathBuf::from("my scenarios")), ..Plan::default() };
        plan.run_context.release = Some(semver::Version::new(2, 0, 0));
        plan.run_context.limits.exchange_time_max = Duration::from_secs(3);
        let start = plan.start(vec![]);
        assert_eq!(start.settings["release"], "2.0.0");
        assert_eq!(start.settings["request_timeout_seconds"], 3);
        assert_eq!(start.settings["scenarios"], "my scenarios");
        let plain = Plan::default().start(vec![]);
        assert_eq!(plain.reference, Some(vec![]));
        let names: Vec<&str> = plain.settings.keys().map(String::as_str).collect();
        assert_eq!(names, ["attested", "cases", "poll_timeout_seconds"]);
    }
}

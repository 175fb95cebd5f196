//! Merges the partitions of a run: their traces give the report that the run would give on one machine.

use std::collections::BTreeMap;

use semver::Version;
use thiserror::Error;

use super::assess;
use super::catalogue::HANDSHAKE;
use super::evaluate::rank;
use super::partition::Partition;
use super::plan::{PARTITION, PARTITION_OF_PART, PARTITIONED};
use super::retries::Retries;
use crate::report::Report;
use crate::transcript::{Outcome, Reading, RunStart, StoredTrace};
use crate::wire::canonical::sha256_hex;

/// Runs that are not the partitions of one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MergeError {
    /// A run without a partition.
    #[error("{name}: the run was made without --partition, so it is no part of another")]
    Whole {
        /// The name of the run.
        name: String,
    },
    /// Runs that differ in more than their partition.
    #[error(
        "{name}: its {what} differs from that of {first}; the partitions of one run differ in --partition alone"
    )]
    Differs {
        /// The name of the run.
        name: String,
        /// The name of the first run.
        first: String,
        /// The difference: of seed, selection, target or release.
        what: &'static str,
    },
    /// Two runs of one partition.
    #[error("{name}: {partition} is there twice")]
    Twice {
        /// The name of the run.
        name: String,
        /// The partition.
        partition: String,
    },
    /// Partitions that are missing.
    #[error("{missing} missing; a part of the partitions is no report of the whole")]
    Missing {
        /// The partitions, and `is` or `are`.
        missing: String,
    },
}

/// Merges the partitions of one run, each with its name for messages, into the report of the whole.
pub fn merge(parts: Vec<(String, Reading)>) -> Result<Report, MergeError> {
    let partitions = partitions(&parts)?;
    same_run(&parts)?;
    let mut numbered: Vec<(u64, Reading)> = partitions
        .into_iter()
        .map(Partition::part)
        .zip(parts.into_iter().map(|(_, reading)| reading))
        .collect();
    numbered.sort_by_key(|(part, _)| *part);
    let readings: Vec<Reading> = numbered.into_iter().map(|(_, reading)| reading).collect();
    let Some(start) = readings.first().map(|reading| whole(&reading.start, &readings)) else {
        return Err(MergeError::Missing { missing: "every partition is".to_owned() });
    };
    let digests: Vec<&str> = readings.iter().map(|reading| reading.sha256.as_str()).collect();
    let sha256 = sha256_hex(digests.join("\n"));
    let began = readings.iter().map(|reading| reading.began).min().unwrap_or_default();
    let ended = readings.iter().map(|reading| reading.ended).max().flatten();
    let outcome = outcome(&readings);
    let cut = readings.iter().any(|reading| reading.cut);
    let stored = traces(readings, &start);
    Ok(assess(&Reading::of(start, (began, ended), stored, outcome, cut, sha256)))
}

/// Returns the partition of each run. Each of them is there once.
fn partitions(parts: &[(String, Reading)]) -> Result<Vec<Partition>, MergeError> {
    let mut found: Vec<Partition> = Vec::new();
    for (name, reading) in parts {
        let setting = reading.start.settings.get(PARTITION).and_then(serde_json::Value::as_str);
        let partition: Partition = setting
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| MergeError::Whole { name: name.clone() })?;
        if let Some((first, _)) = found
            .first()
            .zip(parts.first())
            .filter(|(one, _)| one.parts() != partition.parts())
            .map(|(_, part)| part)
        {
            let what = "number of partitions";
            return Err(MergeError::Differs { name: name.clone(), first: first.clone(), what });
        }
        if found.contains(&partition) {
            return Err(MergeError::Twice { name: name.clone(), partition: partition.to_string() });
        }
        found.push(partition);
    }
    let all = found.first().map_or(0, |partition| partition.parts());
    let missing: Vec<String> = (1..=all)
        .filter(|part| found.iter().all(|partition| partition.part() != *part))
        .map(|part| format!("hash:{part}/{all}"))
        .collect();
    match missing.as_slice() {
        [] => Ok(found),
        [one] => Err(MergeError::Missing { missing: format!("{one} is") }),
        several => Err(MergeError::Missing { missing: format!("{} are", several.join(", ")) }),
    }
}

/// Refuses runs that differ in more than their partition.
fn same_run(parts: &[(String, Reading)]) -> Result<(), MergeError> {
    let Some((first, one)) = parts.first() else { return Ok(()) };
    let settings = |start: &RunStart| {
        let mut settings = start.settings.clone();
        settings.remove(PARTITION);
        settings
    };
    let release = release_of_target(one);
    for (name, other) in &parts[1..] {
        let its_release = release_of_target(other);
        let has_release = its_release.is_none() || release.is_none() || its_release == release;
        let (one, other) = (&one.start, &other.start);
        let what = [
            ("seed", one.seed == other.seed),
            ("target", one.target == other.target && one.reference == other.reference),
            ("target's arguments", one.target_arguments == other.target_arguments),
            ("contract text", one.contract == other.contract),
            ("release of the target", has_release),
            ("version of covenant", one.covenant == other.covenant && one.binding == other.binding),
            ("selection", one.settings.get(PARTITIONED) == other.settings.get(PARTITIONED)),
            ("settings", settings(one) == settings(other)),
        ];
        if let Some((what, _)) = what.into_iter().find(|(_, same)| !same) {
            return Err(MergeError::Differs { name: name.clone(), first: first.clone(), what });
        }
    }
    Ok(())
}

/// Returns the release of the target, as the handshake shows it.
fn release_of_target(reading: &Reading) -> Option<Version> {
    reading.trace(HANDSHAKE).and_then(|trace| trace.release())
}

/// Returns the start of the whole run.
fn whole(first: &RunStart, readings: &[Reading]) -> RunStart {
    let mut start = first.clone();
    start.settings.remove(PARTITION);
    start.settings.remove(PARTITIONED);
    start.partial = start.settings.remove(PARTITION_OF_PART).is_some();
    start.scenarios = readings.iter().flat_map(|reading| reading.start.scenarios.iter().cloned()).collect();
    start
}

/// Returns the outcome of the whole: the worst of the parts. A part without its end leaves the whole without one.
fn outcome(readings: &[Reading]) -> Option<Outcome> {
    let outcomes = readings.iter().map(|reading| reading.outcome.as_ref());
    outcomes.min_by_key(|outcome| severity(*outcome)).flatten().cloned()
}

/// Returns the place of an outcome of a run, the worst first. An end that the user asked for hides no other.
const fn severity(outcome: Option<&Outcome>) -> u8 {
    match outcome {
        None => 0,
        Some(Outcome::Aborted(_)) => 1,
        Some(Outcome::Unsupported { .. } | Outcome::Lacking { .. } | Outcome::Blocked { .. }) => 2,
        Some(Outcome::Interrupted) => 3,
        Some(Outcome::EndedAtBreach { .. } | Outcome::EndedAtDeadline { .. }) => 4,
        Some(Outcome::Completed) => 5,
    }
}

/// Returns the traces of each scenario. The stages were tried in each partition; those of the partition that speak against
/// the target most stay.
fn traces(readings: Vec<Reading>, start: &RunStart) -> Vec<StoredTrace> {
    let retries = Retries::of(start);
    let mut by_scenario: BTreeMap<String, Vec<StoredTrace>> = BTreeMap::new();
    for (scenario, plays) in readings.into_iter().flat_map(|reading| plays(reading, &retries)) {
        let rank_of = |plays: &[StoredTrace]| rank(plays.iter().map(StoredTrace::read), &start.contract);
        let is_worse = by_scenario.get(&scenario).is_none_or(|before| rank_of(&plays) < rank_of(before));
        if is_worse {
            by_scenario.insert(scenario, plays);
        }
    }
    by_scenario.into_values().flatten().collect()
}

/// Returns the plays of each scenario, in order: what they show of it is shown together.
fn plays(mut reading: Reading, retries: &Retries<'_>) -> BTreeMap<String, Vec<StoredTrace>> {
    let mut by_scenario: BTreeMap<String, Vec<StoredTrace>> = BTreeMap::new();
    for stored in reading.take_stored() {
        let (scenario, _) = retries.play_of(stored.scenario());
        by_scenario.entry(scenario.to_owned()).or_default().push(stored);
    }
    for plays in by_scenario.values_mut() {
        plays.sort_by_key(|stored| retries.play_of(stored.scenario()).1);
    }
    by_scenario
}

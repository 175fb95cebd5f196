//! `covenant gate`: records a release, and holds the next one to the recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use semver::Version;
use serde::Serialize;
use serde_json::Value;

use super::config::Config;
use super::embedded_release::{apart, embedded, patches_of};
use super::gate_pairs::{gate_matrix, gate_pair};
use super::gate_way::GateWay;
use super::number::Jobs;
use super::progress::Progress;
use super::target_choice::TargetArguments;
use super::{Exit, Failure, block_on_unless_stopped, message, print, unused};
use crate::clock::{Clock, Seed};
use crate::gate::{
    Choice, Comparison, GateError, Hold, Notice, PairError, Part, RULES, Recording, RecordingError,
    RelayError, SEED, Verdict, Weight, hold, record, rule, scenarios_sha256, simulate, simulation_text, text,
};
use crate::nearest::did_you_mean;
use crate::operator::OperatorError;
use crate::runner::{ExternalTarget, Plan, RunError, Target, refuse_special, write_whole};

/// The default number of scenarios that run in parallel.
const JOBS: u64 = 4;

/// Arguments of `covenant gate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Recording of the release before: its folder, or the file
    #[arg(long, value_name = "DIR")]
    pub(super) baseline: Option<PathBuf>,
    /// Hold the release to simulated peers at the neighbouring releases, which live their whole life in a federation with it
    #[arg(long)]
    pub(super) simulated: bool,
    /// The release before, which federates with --new through a relay: `reference:1.4.2`, the command line of an adapter, or the
    /// URL of one
    #[arg(long, value_name = "TARGET", requires = "new")]
    pub(super) old: Option<String>,
    /// The new release, named as --old: `reference:1.5.0+CHANGE`
    #[arg(long, value_name = "TARGET", requires = "old")]
    pub(super) new: Option<String>,
    /// Targets of which each proposes to each and joins each, the earlier release of two as the old one
    #[arg(long, value_name = "TARGET", num_args = 2..)]
    pub(super) matrix: Vec<String>,
    /// File for all that passes between --old and --new, one JSON object a line; secrets are masked
    #[arg(long, value_name = "FILE")]
    pub(super) passed: Option<PathBuf>,
    /// Day on which the end of the recorded release was announced, as a person states it: 2026-05-01. A break across a
    /// major bump passes 30 days later; the report says that it is attested
    #[arg(long, value_name = "DATE")]
    pub(super) notice_given: Option<Date>,
    /// Optional rule that breaks too (repeatable); see `covenant list rules`
    #[arg(long, value_name = "RULE", value_parser = optional_rule)]
    pub(super) also: Vec<String>,
    /// Rule that does not break (repeatable); the report names it
    #[arg(long, value_name = "RULE", value_parser = known_rule)]
    pub(super) except: Vec<String>,
    /// Seed of the play [default: 1]
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<Seed>,
    /// Format of the report on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) play: PlayArguments,
}

/// Arguments of both ways.
#[derive(Debug, Args)]
pub(super) struct PlayArguments {
    /// Number of scenarios to run in parallel [default: 4]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<Jobs>,
    /// Hide the progress bar
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    pub(super) target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Record what a release says and accepts, for the gate of the next one
    #[command(
        after_help = "--release VERSION names the release that is recorded. The target has to disclose it; the \
                      embedded reference becomes it."
    )]
    Record {
        /// Folder of the recording, one for each release: golden/releases/1.4.2
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        play: PlayArguments,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// Text for a terminal
    Text,
    /// JSON, with every difference and both exchanges: an object, and of a matrix an array of pairs
    Json,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    if let Some(Command::Record { out, play }) = &arguments.command {
        return record_release(out, play);
    }
    match (GateWay::of(arguments)?, &arguments.baseline) {
        (GateWay::Paired, _) => gate_pair(arguments),
        (GateWay::Matrix, _) => gate_matrix(arguments),
        (GateWay::Recorded, Some(baseline)) => gate(arguments, baseline),
        // The recorded way has a baseline.
        (GateWay::Simulated | GateWay::Recorded, _) => gate_simulated(arguments),
    }
}

/// Refuses a file that could not be written in the end, before anything is played.
pub(super) fn refuse_unwritable(path: &Path) -> Result<(), Failure> {
    let folders = path
        .ancestors()
        .skip(1)
        .map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let Some(folder) = folders.into_iter().find(|folder| folder.exists()) else { return Ok(()) };
    if path.is_dir() {
        return Err(Failure::usage(format!("{}: a folder is there; name a file", path.display())));
    }
    refuse_special(path)?;
    let probe = tempfile::NamedTempFile::new_in(folder).map(drop);
    probe.map_err(|error| {
        let what = format!("{}: nothing can be written in {}", path.display(), folder.display());
        let error = std::io::Error::from(error.kind());
        Failure::new(Exit::Environment, anyhow::Error::new(error).context(what))
    })
}

/// Refuses to replace the recording of another release, which cannot be had again.
fn refuse_other_release(path: &Path, release: &Version) -> Result<(), Failure> {
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(()) };
    let recorded = serde_json::from_str::<Value>(&text).ok();
    let recorded = recorded.as_ref().and_then(|recording| recording["release"].as_str());
    match recorded.filter(|recorded| *recorded != release.to_string()) {
        None => Ok(()),
        Some(recorded) => Err(Failure::usage(format!(
            "{}: it holds the recording of release {recorded}; name another folder for release {release}, or remove it",
            path.display()
        ))),
    }
}

fn record_release(out: &Path, arguments: &PlayArguments) -> Result<Exit, Failure> {
    let plan = arguments.plan()?;
    let named = plan.run_context.release.clone();
    let observer = Arc::new(Progress::new(arguments.quiet));
    let playing = record(&plan, named.as_ref(), &Part::Whole, observer);
    let path = Recording::path(out);
    refuse_unwritable(&path)?;
    if let Some(named) = &named {
        refuse_other_release(&path, named)?;
    }
    let recording = block_on_unless_stopped(playing)?.map_err(failure)?;
    refuse_other_release(&path, &recording.release)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let error = anyhow::Error::new(error).context(format!("{}: no folder there", folder.display()));
            Failure::new(Exit::Environment, error)
        })?;
    }
    let content = recording.to_text().map_err(|error| Failure::new(Exit::Suite, error))?;
    write_whole(&path, content.as_bytes())?;
    for one in &recording.left_out {
        message(&format!("not recorded: {}: {}\n", one.id, one.why));
    }
    let exchanges: usize = recording.scenarios.iter().map(|scenario| scenario.exchanges.len()).sum();
    print(&format!(
        "{}: release {}, {exchanges} exchanges of {} scenarios\n",
        path.display(),
        recording.release,
        recording.scenarios.len()
    ))?;
    Ok(Exit::Kept)
}

fn gate(arguments: &Arguments, baseline: &Path) -> Result<Exit, Failure> {
    let digest = scenarios_sha256().map_err(|error| Failure::new(Exit::Suite, error))?;
    let recording = Recording::read(baseline, &digest).map_err(unusable)?;
    let plan = arguments.play.plan()?;
    let asked = Hold {
        release: plan.run_context.release.clone(),
        rules: arguments.rules(),
        notice: arguments.notice(),
        part: Part::Whole,
    };
    let observer = Arc::new(Progress::new(arguments.play.quiet));
    let seed = arguments.seed.unwrap_or(SEED);
    let holding = hold(&plan, &recording, seed, &asked, observer);
    let comparison = block_on_unless_stopped(holding)?.map_err(failure)?;
    print(&shown(&comparison, arguments.format)?)?;
    Ok(exit(comparison.verdict))
}

fn gate_simulated(arguments: &Arguments) -> Result<Exit, Failure> {
    let plan = arguments.play.plan()?;
    let named = plan.run_context.release.clone();
    let observer = Arc::new(Progress::new(arguments.play.quiet));
    let seed = arguments.seed.unwrap_or(SEED);
    let rules = arguments.rules();
    let simulating = simulate(&plan, seed, named.as_ref(), &rules, observer);
    let simulation = block_on_unless_stopped(simulating)?.map_err(failure)?;
    print(&match arguments.format {
        Format::Text => simulation_text(&simulation),
        Format::Json => json_text(&simulation)?,
    })?;
    Ok(exit(simulation.verdict))
}

impl Arguments {
    /// Returns the notice that a person states.
    pub(super) fn notice(&self) -> Option<Notice> {
        self.notice_given.and_then(|date| Notice::attested(date, Clock::system().now()))
    }

    pub(super) fn rules(&self) -> Choice {
        Choice { also: self.also.iter().cloned().collect(), except: self.except.iter().cloned().collect() }
    }
}

pub(super) fn json_text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(Exit::Suite, error))
}

pub(super) fn shown(comparison: &Comparison, format: Format) -> Result<String, Failure> {
    match format {
        Format::Text => Ok(text(comparison)),
        Format::Json => json_text(comparison),
    }
}

pub(super) const fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Compatible | Verdict::Announced => Exit::Kept,
        Verdict::Breaking => Exit::Broken,
        Verdict::Incomplete | Verdict::NoNeighbours => Exit::NothingEvaluated,
    }
}

impl PlayArguments {
    fn plan(&self) -> Result<Plan, Failure> {
        let config = Config::find(self.target.config.as_deref())?;
        let asked = self.target.clone().or(&config);
        unused::refuse(&self.target, &asked)?;
        Ok(Plan {
            target: target(&asked)?,
            run_context: asked.run_context(config.run.poll_timeout_seconds)?,
            jobs: usize::try_from(self.jobs.or(config.run.jobs).map_or(JOBS, Jobs::get)).unwrap_or(1),
            contract: asked.contract_text(),
            ..Plan::default()
        })
    }
}

/// Builds the target. The embedded reference becomes the named release, and `--defect` may name a release change too.
fn target(asked: &TargetArguments) -> Result<Target, Failure> {
    let (_, defect) = apart(&asked.defect);
    let built = TargetArguments { defect, ..asked.clone() }.target(None)?;
    let Target::Embedded(_) = built else { return Ok(built) };
    let patches = patches_of(&asked.variant, &asked.defect)?;
    let Some(release) = &asked.release else { return Ok(Target::Embedded(patches)) };
    let name = format!("the embedded reference platform as release {release}");
    let targets = embedded(asked.run_context(None)?.listen, Some(release), patches);
    Ok(Target::ExternalTarget(ExternalTarget { name, arguments: vec![], targets }))
}

fn known_rule(name: &str) -> Result<String, String> {
    rule(name).map(|rule| rule.id.to_owned()).ok_or_else(|| {
        let hint = did_you_mean(name, RULES.iter().map(|rule| rule.id));
        format!("no rule is called {name}; `covenant list rules` lists them{hint}")
    })
}

fn optional_rule(name: &str) -> Result<String, String> {
    let name = known_rule(name)?;
    match rule(&name).map(|rule| rule.weight) {
        Some(Weight::Optional) => Ok(name),
        Some(Weight::Breaking) => Err(format!("the rule {name} breaks without --also")),
        _ => Err(format!("the rule {name} is about additions, which never break")),
    }
}

fn unusable(error: RecordingError) -> Failure {
    let exit = match &error {
        RecordingError::Missing { .. } => Exit::NothingEvaluated,
        _ => Exit::Usage,
    };
    Failure::new(exit, error)
}

pub(super) fn failure(error: GateError) -> Failure {
    let exit = match &error {
        GateError::Run(RunError::Fault(fault))
        | GateError::Unreached(fault)
        | GateError::Failed { fault, .. }
        | GateError::Pair(PairError::Start { source: OperatorError::Fault(fault), .. }) => fault.blame.into(),
        GateError::Pair(PairError::Start { .. }) => Exit::Target,
        GateError::Pair(PairError::Address { .. }) => Exit::Adapter,
        GateError::Pair(PairError::Relay(RelayError::Listen { .. })) | GateError::Run(RunError::Read(_)) => {
            Exit::Environment
        }
        GateError::NothingRecorded { .. } | GateError::NotPaired { .. } => Exit::NothingEvaluated,
        GateError::NoRelease | GateError::OldUnknown | GateError::OtherRelease { .. } => Exit::Usage,
        // The scenarios of the gate are built in.
        GateError::Run(_) | GateError::Library(_) | GateError::Pair(PairError::Relay(_)) => Exit::Suite,
    };
    Failure::new(exit, error)
}

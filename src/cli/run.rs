//! `covenant run`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::watch;

use super::behaviour_choice::{self, BehaviourChoice};
use super::config::Config;
use super::duration::duration;
use super::event_lines::EventLines;
use super::exit_options::ExitOptions;
use super::number::{Cases, Jobs, PollTimeout, Retries};
use super::progress::Progress;
use super::report_format::{Output, Outputs};
use super::stop::stopped;
use super::target_choice::TargetArguments;
use super::unused;
use super::{Exit, Failure, block_on, message};
use crate::certify::PersonsWord;
use crate::clock::Seed;
use crate::contract::{ClauseId, Section};
use crate::nearest::{self, did_you_mean};
use crate::operator::OperatorMethod;
use crate::operator::platform::Advance;
use crate::report::{MissingMethod, Report};
use crate::runner::{
    CASES, Deadline, Observer, Partition, Plan, Played, Run, RunError, RunFolder, Selection, SelectionError,
    assess, play_and_keep, without_secrets,
};
use crate::shell::flag;
use crate::transcript::{Reading, read};
use crate::with_causes;

/// The time that shows the limits of minutes: five of them, what a sweep each minute needs, and what comes before.
const LIMITS_OF_MINUTES: Duration = Duration::from_mins(8);
/// The default number of scenarios that run in parallel.
const JOBS: u64 = 4;

/// Arguments of `covenant run`.
#[derive(Debug, Default, Args)]
pub(super) struct Arguments {
    /// Glob pattern of the scenario ids to run (repeatable): '07-*/**'
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Commitment to check, 1 to 12, or a section after them: E, V, A or O (repeatable)
    #[arg(long, value_name = "N|E|V|A|O")]
    commitment: Vec<Section>,
    /// Clause to check (repeatable): plays each scenario and property that checks it, wherever it stands
    #[arg(long, value_name = "ID", value_parser = clause)]
    clause: Vec<ClauseId>,
    /// Property to check (repeatable); see `covenant list properties`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["only", "commitment", "clause", "scenarios"])]
    property: Vec<String>,
    /// Behaviour of the peers, or family of behaviours, to play (repeatable): each scenario in which a peer has it; see
    /// `covenant list behaviours`
    #[arg(long, value_name = "NAME", value_parser = behaviour_choice::parse, conflicts_with = "property")]
    behaviour: Vec<BehaviourChoice>,
    /// Number of generated cases of each property; 0 skips properties [default: 12]
    #[arg(long, value_name = "N")]
    pub(super) cases: Option<Cases>,
    /// Seed of every choice of the run; the same seed repeats the run [default: random]
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<Seed>,
    /// Number of scenarios to run in parallel [default: 4]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<Jobs>,
    /// Seconds to wait for a finding, an event or a notice that is due [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(super) poll_timeout: Option<PollTimeout>,
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = Output::parse, help = Output::help())]
    format: Vec<Output>,
    /// Run folder [default: a new folder under reports/]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Folder of .toml files, or one file, with your own scenarios [default: the built-in scenarios]
    #[arg(long, value_name = "PATH")]
    scenarios: Option<PathBuf>,
    /// Statement of a person that a clause is kept which the run cannot prove (repeatable): '4.4=confirmed by
    /// phone on …', or a file of `covenant attest`
    #[arg(long, value_name = "CLAUSE=STATEMENT|FILE", value_parser = attestation)]
    pub(super) attest: Vec<(ClauseId, String)>,
    #[command(flatten)]
    exit: ExitOptions,
    /// Time that the whole run may take (90s, 10m, 1h 30m). What was not played then is unproven
    #[arg(long, value_name = "TIME", value_parser = deadline)]
    deadline: Option<Deadline>,
    /// Number of times that a scenario with a broken check is played again. A check that is broken in some plays alone is
    /// flaky: unproven, and never kept
    #[arg(long, value_name = "N", default_value_t)]
    retries: Retries,
    /// Partition of the scenarios and properties to run: the K-th of N, such as hash:2/5; `covenant report merge`
    /// merges them
    #[arg(long, value_name = "hash:K/N", conflicts_with = "fail_fast")]
    partition: Option<Partition>,
    /// End the run at the first broken check of the basis; the scenarios likeliest to show one go first
    #[arg(long, conflicts_with = "known")]
    fail_fast: bool,
    /// Hide the progress bar
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) target: TargetArguments,
}

/// Parses the id of a clause that some text of the contract has.
pub(super) fn clause(text: &str) -> Result<ClauseId, String> {
    nearest::clause(text).map_err(|names| {
        let hint = did_you_mean(text, names.iter().map(String::as_str));
        format!("no clause is called {text:?}; `covenant list clauses` lists them{hint}")
    })
}

/// Parses a deadline: `10m`.
fn deadline(text: &str) -> Result<Deadline, String> {
    Ok(Deadline { after: duration(text)?, text: text.to_owned() })
}

/// Parses an attestation: `4.4=confirmed by phone`, or the path of a file that `covenant attest` wrote.
pub(super) fn attestation(text: &str) -> Result<(ClauseId, String), String> {
    let Some((clause, statement)) = text.split_once('=') else {
        let word = PersonsWord::read(Path::new(text));
        let hint = "hint: write CLAUSE=STATEMENT, as in '4.4=confirmed by phone', or name a file of `covenant attest`";
        let word = word.map_err(|error| format!("{}\n{hint}", with_causes(&error)))?;
        return Ok((word.clause, word.text()));
    };
    let id = self::clause(clause.trim())?;
    if statement.trim().is_empty() {
        return Err("the statement is missing after the `=`".to_owned());
    }
    if PersonsWord::is_imitated(statement) {
        return Err("a word with evidence comes from a file: `covenant attest CLAUSE` writes one".to_owned());
    }
    Ok((id, statement.trim().to_owned()))
}

/// Returns the words by clause. Two for one clause are refused: one would hide the other.
fn attested(words: &[(ClauseId, String)]) -> Result<BTreeMap<ClauseId, String>, Failure> {
    let mut by_clause = BTreeMap::new();
    for (clause, statement) in words {
        if by_clause.insert(*clause, statement.clone()).is_some() {
            return Err(Failure::usage(format!("--attest {clause}: it is given twice; leave one out")));
        }
    }
    Ok(by_clause)
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let Finished { report, is_strict, .. } = play(arguments, true)?;
    Ok(arguments.exit.exit(&report, is_strict))
}

/// A run that was played and reported.
pub(super) struct Finished {
    pub(super) report: Report,
    pub(super) folder: RunFolder,
    /// The configuration file asks for `--strict`.
    is_strict: bool,
}

/// Plays a run and writes its files. Prints the report on standard output if that is asked for.
pub(super) fn play(arguments: &Arguments, on_stdout: bool) -> Result<Finished, Failure> {
    let config = Config::find(arguments.target.config.as_deref())?;
    let asked = arguments.target.clone().or(&config);
    unused::refuse(&arguments.target, &asked)?;
    let outputs = Outputs::new(&arguments.format)?;
    let mut outputs = if on_stdout { outputs } else { outputs.off_stdout() };
    let known = arguments.exit.known(arguments.scenarios.as_deref())?;
    let seed = arguments.seed.unwrap_or_else(Seed::fresh);
    message(&format!("seed: {seed}\n"));
    let folder = RunFolder::choose(arguments.out.as_deref(), seed);
    outputs.refuse_in(folder.path())?;
    let plan = plan(arguments, &config, &asked, seed, folder.path())?;
    let max_wait = plan.run_context.real_time.max_wait;
    let (stopper, stop) = watch::channel(false);
    let run = plan.prepare(folder.transcript(), stop).map_err(unplanned)?;
    let _lock = folder.begin()?;
    let lines = outputs.open_lines()?;
    let progress = Arc::new(Progress::new(arguments.quiet));
    let observer = Arc::new(EventLines::new(lines, &run.start, progress.clone()));
    let played = block_on(progress.while_shown(play_until_interrupted(run, stopper, observer.clone())))?;

    let finish = |report| known.applied(report);
    let report = conclude(played, &folder, &outputs, finish, |reading, report| {
        for case in folder.write_cases(reading, report)? {
            message(&format!("shortest case: covenant run {}\n", flag("--scenarios", case.display())));
        }
        tell_of_waits(report, reading, max_wait);
        message(&format!("files: {}\n", folder.path().display()));
        observer.failure().map_or(Ok(()), Err)
    })?;
    Ok(Finished { report, folder, is_strict: config.run.strict })
}

/// Returns the plan of the run that the command line and the configuration file ask for.
fn plan(
    arguments: &Arguments,
    config: &Config,
    asked: &TargetArguments,
    seed: Seed,
    folder: &Path,
) -> Result<Plan, Failure> {
    Ok(Plan {
        seed,
        target: asked.target(Some(folder))?,
        selection: selection(arguments).map_err(|error| unplanned(error.into()))?,
        cases: cases(arguments.cases.or(config.run.cases)),
        scenarios: arguments.scenarios.clone(),
        run_context: asked.run_context(arguments.poll_timeout.or(config.run.poll_timeout_seconds))?,
        jobs: usize::try_from(arguments.jobs.or(config.run.jobs).map_or(JOBS, Jobs::get)).unwrap_or(1),
        contract: asked.contract_text(),
        attested: attested(&arguments.attest)?,
        fail_fast: if arguments.fail_fast { arguments.exit.basis.counted() } else { BTreeSet::new() },
        retries: u32::try_from(arguments.retries.get()).unwrap_or(0),
        deadline: arguments.deadline.clone(),
        partition: arguments.partition,
        ..Plan::default()
    })
}

/// Returns the failure of a run that cannot be planned. A filter that leaves nothing has a code of its own.
fn unplanned(error: RunError) -> Failure {
    let is_nothing = matches!(
        &error,
        RunError::Selection(SelectionError::Unmatched { .. } | SelectionError::Nothing { .. })
    );
    Failure::new(if is_nothing { Exit::NothingEvaluated } else { Exit::Usage }, error)
}

/// Reads the transcript that this process has just written, writes the reports and prints one. If the environment
/// failed, they say what was evaluated before. `finish` completes the report, and `more` shows what else the run gave.
pub(super) fn conclude(
    played: Played,
    folder: &RunFolder,
    outputs: &Outputs,
    finish: impl FnOnce(Report) -> Report,
    more: impl FnOnce(&Reading, &Report) -> Result<(), Failure>,
) -> Result<Report, Failure> {
    let read = match played.outcome {
        Ok(_) => read_back(folder),
        Err(fault) => Err(fault.into()),
    };
    let (reading, failure) = match read {
        Ok(reading) => (Some(reading), None),
        // The open file may hold what its name no longer does.
        Err(failure) => (played.transcript.and_then(|open| open.read_back().ok()), Some(failure)),
    };
    let written = reading.map(|reading| {
        let report = without_secrets(finish(assess(&reading)));
        let written = folder.write(&report).map_err(Failure::from);
        // A report that no file takes is on the terminal.
        let printed = outputs.write(&report);
        let further = more(&reading, &report);
        printed.and(written).and(further).map(|()| report)
    });
    match (failure, written) {
        (Some(failure), _) => Err(failure),
        (None, Some(written)) => written,
        (None, None) => Err(Failure::new(Exit::Suite, anyhow::anyhow!("there is no transcript"))),
    }
}

/// Reads the transcript from its file. If that fails, something else removed or changed it.
pub(super) fn read_back(folder: &RunFolder) -> Result<Reading, Failure> {
    let lost = "the transcript was removed or changed while the run wrote it";
    read(&folder.transcript())
        .map_err(|error| Failure::new(Exit::Environment, anyhow::Error::new(error).context(lost)))
}

/// Lists what was waited for in real time, and says what a longer wait would show.
fn tell_of_waits(report: &Report, reading: &Reading, max_wait: Duration) {
    for trace in reading.stored() {
        for waited in trace.notes().waits_in_real_time() {
            message(&format!("waited: {waited}\n"));
        }
    }
    let is_clock = |missing: &MissingMethod| missing.method == Advance::METHOD.name();
    if report.missing_methods.iter().any(is_clock) && max_wait < LIMITS_OF_MINUTES {
        let seconds = LIMITS_OF_MINUTES.as_secs();
        message(&format!(
            "hint: no method moves the target's clock; --max-wait {seconds} waits in real time for what takes minutes\n"
        ));
    }
}

/// Plays a run. Ctrl-C, SIGTERM and SIGHUP end it in order, so that its transcript can be read.
pub(super) async fn play_until_interrupted(
    run: Run,
    stopper: watch::Sender<bool>,
    observer: Arc<dyn Observer>,
) -> Played {
    let playing = play_and_keep(run, observer);
    tokio::pin!(playing);
    tokio::select! {
        ended = &mut playing => return ended,
        () = stopped() => {}
    }
    stopper.send_replace(true);
    playing.await
}

fn cases(asked: Option<Cases>) -> u32 {
    asked.and_then(|cases| u32::try_from(cases.get()).ok()).unwrap_or(CASES)
}

fn selection(arguments: &Arguments) -> Result<Selection, SelectionError> {
    if arguments.property.is_empty() {
        let selection = Selection::new(&arguments.only, &arguments.commitment)?;
        let behaviours: Vec<_> = arguments.behaviour.iter().flat_map(BehaviourChoice::all).collect();
        return Ok(selection.with_clauses(&arguments.clause).with_behaviours(&behaviours));
    }
    Selection::of_properties(&arguments.property)
}

#[cfg(test)]
#[path = "run_flags.rs"]
mod flags;

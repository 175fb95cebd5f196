//! `covenant audit`: checks a platform that someone else operates.

mod clean;
mod compare;
mod dry_run;
mod outside;

use std::convert::identity;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::watch;
use url::Url;

use super::duration::duration;
use super::number::{PollTimeout, Rate};
use super::progress::Progress;
use super::report_format::Format;
use super::run::{conclude as conclude_run, play_until_interrupted, read_back};
use super::stop::stopped;
use super::target_choice::TargetArguments;
use super::unused;
use super::{BasisChoice, Exit, Failure, block_on, exit_of, message};
use crate::audit::{Audit, Watch, WatchError, Watched, left_behind, left_behind_text};
use crate::clock::Seed;
use crate::contract::{HeldText, TextSource};
use crate::input;
use crate::operator::Address;
use crate::report::{Report, terminal};
use crate::runner::{PEERING, RunFolder, WATCH, assess, without_secrets, write_private};
use crate::scenario::RunContext;
use crate::secret;
use crate::shell;
use crate::transcript::{ReadError, Reading};

/// The environment variable that holds an acceptance token.
const TOKEN: &str = "COVENANT_ACCEPTANCE_TOKEN";
/// The longest token file that is read, in bytes.
const TOKEN_BYTES_MAX: u64 = 4096;
/// The default poll timeout of an audit, in seconds. A target sends a heartbeat once a minute (`wire.md` §5).
const POLL_TIMEOUT_SECONDS: u64 = 75;
/// The default number of calls per minute.
const RATE: u64 = 30;

/// Arguments of `covenant audit`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// URL of the target's federation plane
    #[arg(value_parser = super::url::parse)]
    url: Url,
    /// File with an acceptance token from the target's operator [default: COVENANT_ACCEPTANCE_TOKEN]. Without
    /// a token the audit is read-only, as an anonymous client
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Maximum number of calls per minute [default: 30]
    #[arg(long, value_name = "N")]
    rate: Option<Rate>,
    /// Seconds to wait for a heartbeat of the target [default: 75]
    #[arg(long, value_name = "SECONDS")]
    poll_timeout: Option<PollTimeout>,
    /// Misbehave too. This raises alarms at the target; covenant asks you to type its host name first
    #[arg(long)]
    intrusive: bool,
    /// Duration of a watch (3d, 12h, 90m, 30s): heartbeats, an audit excerpt within 72 hours, then a leave.
    /// The folder of --out holds the evidence; the same command continues the watch after a restart
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "out", conflicts_with = "intrusive")]
    watch: Option<Duration>,
    /// JSON file with a grant for the peer of the watch, which reads under it until it expires: bearer_token,
    /// resource_kind, resource_id, expires_at. The file may appear after the watch has begun
    #[arg(long, value_name = "FILE", requires = "watch")]
    grant_file: Option<PathBuf>,
    /// Time between two heartbeats of a watch
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", requires = "watch")]
    every: Duration,
    /// Seed of every choice of the audit [default: random]
    #[arg(long, value_name = "S")]
    seed: Option<Seed>,
    /// Show what the audit would do, and send nothing: each call, the rate, what would be left at the target
    #[arg(long, conflicts_with = "clean")]
    dry_run: bool,
    /// Folder of an audit or a run that was interrupted: let its peer leave the target of the URL, with the keys that
    /// the folder keeps. Of a run, revoke its peers through --adapter or --operator
    #[arg(long, value_name = "RUN", conflicts_with_all = ["token_file", "intrusive", "watch", "compare", "out", "seed", "format", "basis", "poll_timeout"])]
    clean: Option<PathBuf>,
    /// Folder of an earlier audit to compare with: what is better, worse, newly proved and newly unproven since then.
    /// The exit code is that of `covenant report diff`
    #[arg(long, value_name = "OLD", conflicts_with = "watch")]
    compare: Option<PathBuf>,
    /// Format of the report on standard output; the run folder gets every format [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = Format::parser())]
    format: Option<Format>,
    /// Basis of the checks that the exit code counts. The report shows every basis [default: all]
    #[arg(long, value_name = "BASIS", value_enum)]
    basis: Option<BasisChoice>,
    /// Run folder [default: a new folder under reports/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the earlier audit in the folder of --out; with --clean, clean a folder of the same platform at another URL
    #[arg(long, conflicts_with = "watch")]
    force: bool,
    /// Hide the progress bar
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    target: TargetArguments,
}

impl Arguments {
    fn rate(&self) -> u64 {
        self.rate.map_or(RATE, Rate::get)
    }

    fn poll_timeout(&self) -> Duration {
        Duration::from_secs(self.poll_timeout.map_or(POLL_TIMEOUT_SECONDS, PollTimeout::get))
    }

    /// Returns the address of the target, and the settings of the peer that calls it.
    fn setting(&self, asked: &TargetArguments) -> Result<(Address, RunContext), Failure> {
        let address = asked.address()?.ok_or_else(|| Failure::usage("a URL is needed"))?;
        let mut found = asked.run_context(None)?;
        found.poll_timeout = self.poll_timeout();
        let calls = u32::try_from(self.rate()).unwrap_or(u32::MAX);
        found.pace = Some(Duration::from_mins(1) / calls);
        Ok((address, found))
    }

    /// Returns the options that only an audit with a token uses.
    fn of_peers(&self) -> [(&'static str, bool); 7] {
        [
            ("--intrusive", self.intrusive),
            ("--compare", self.compare.is_some()),
            ("--rate", self.rate.is_some()),
            ("--poll-timeout", self.poll_timeout.is_some()),
            ("--seed", self.seed.is_some()),
            ("--basis", self.basis.is_some()),
            ("--quiet", self.quiet),
        ]
    }
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    refuse_query(&arguments.url)?;
    let asked = TargetArguments { target: Some(arguments.url.clone()), ..arguments.target.clone() };
    if let Some(folder) = &arguments.clean {
        return clean::main(arguments, &asked, folder);
    }
    unused::refuse_in_audit(&arguments.target)?;
    if arguments.force && arguments.out.is_none() {
        return Err(Failure::usage("--force is of no use here: without --out each audit has a new folder"));
    }
    let token = token(arguments.token_file.as_deref())?;
    if token.is_none() && arguments.watch.is_none() {
        unused::refuse_without_token(&arguments.target, &arguments.of_peers())?;
    }
    if arguments.dry_run {
        return dry_run::main(arguments, &asked, token.is_some());
    }
    if let Some(lasts) = arguments.watch {
        return watch_target(arguments, &asked, token, lasts);
    }
    match token {
        Some(token) => audit_as_peer(arguments, &asked, token),
        None => outside::main(arguments, &asked),
    }
}

/// Refuses a URL with a query or a fragment, which may hold a secret, and does not repeat it.
fn refuse_query(url: &Url) -> Result<(), Failure> {
    if url.query().is_none() && url.fragment().is_none() {
        return Ok(());
    }
    Err(Failure::usage(
        "the URL has a query or a fragment, which the federation plane has not; an acceptance token is given in a file \
         (--token-file) or in COVENANT_ACCEPTANCE_TOKEN",
    ))
}

/// Reads the acceptance token, and adds it to the secrets.
fn token(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let token = read_token(file)?;
    if let Some(token) = &token {
        secret::learn_own("acceptance_token", token.trim());
    }
    Ok(token)
}

fn read_token(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(path) = file else {
        return Ok(std::env::var(TOKEN).ok().filter(|token| !token.trim().is_empty()));
    };
    let text = input::read_text(path, TOKEN_BYTES_MAX)
        .map_err(|error| Failure::usage(format!("--token-file {error}")))?;
    match text.trim() {
        "" => Err(Failure::usage(format!("--token-file {}: the file is empty", path.display()))),
        token => Ok(Some(token.to_owned())),
    }
}

/// Runs or continues a watch, and reports what was observed. An interrupted watch is reported too.
fn watch_target(
    arguments: &Arguments,
    asked: &TargetArguments,
    token: Option<String>,
    lasts: Duration,
) -> Result<Exit, Failure> {
    let (address, run_context) = arguments.setting(asked)?;
    let seed = arguments.seed.unwrap_or_else(Seed::fresh);
    let folder = RunFolder::choose(arguments.out.as_deref(), seed);
    let _lock = folder.lock()?;
    let watch = Watch {
        seed,
        contract: contract_text(asked),
        address,
        token,
        lasts,
        every: arguments.every,
        run_context,
        folder: folder.path().to_owned(),
        grant: arguments.grant_file.clone(),
        show: |line| message(&format!("{}\n", terminal(line))),
    };
    message(&format!("watch: {}; Ctrl-C stops it, and the same command continues it\n", arguments.url));
    let watched = block_on(async {
        let (stopper, stop) = watch::channel(false);
        let watching = watch.run(stop);
        tokio::pin!(watching);
        tokio::select! {
            ended = &mut watching => return ended,
            () = stopped() => {}
        }
        stopper.send_replace(true);
        watching.await
    })?;
    let watched = watched.map_err(|error| match error {
        WatchError::NoToken
        | WatchError::NoGrant
        | WatchError::Grant { .. }
        | WatchError::Ended(_)
        | WatchError::NotLeft(_)
        | WatchError::OtherTarget(_)
        | WatchError::Lost { .. }
        | WatchError::NoState(_)
        | WatchError::Read(ReadError::Line { .. }) => Failure::new(Exit::Usage, error),
        WatchError::Load(_) => Failure::new(Exit::Suite, error),
        other => Failure::new(Exit::Environment, other),
    })?;
    let report = conclude(arguments, &folder)?;
    Ok(match watched {
        Watched::Interrupted => Exit::Interrupted,
        _ => exit_of(&report, false, arguments.basis.unwrap_or_default()),
    })
}

/// Returns the contract text that the user names. The target is not asked: its token is good for one accept.
fn contract_text(asked: &TargetArguments) -> HeldText {
    asked.contract_text().unwrap_or_else(|| HeldText::unknown(TextSource::Unasked))
}

fn audit_as_peer(arguments: &Arguments, asked: &TargetArguments, token: String) -> Result<Exit, Failure> {
    let (address, run_context) = arguments.setting(asked)?;
    let earlier = arguments.compare.as_deref().map(compare::earlier).transpose()?;
    let seed = arguments.seed.unwrap_or_else(Seed::fresh);
    let folder = RunFolder::choose(arguments.out.as_deref(), seed);
    folder.refuse_earlier(arguments.force)?;
    if arguments.intrusive {
        confirm(&arguments.url, "--intrusive misbehaves there, and raises alarms")?;
    }
    message(&format!(
        "seed: {seed}\naudit: {} calls a minute at most, {}\n",
        arguments.rate(),
        if arguments.intrusive { "with misbehaviour" } else { "conforming" }
    ));
    let audit = Audit {
        seed,
        contract: contract_text(asked),
        address,
        token,
        intrusive: arguments.intrusive,
        run_context,
    };
    let (stopper, stop) = watch::channel(false);
    let run = audit.prepare(folder.transcript(), stop).map_err(|error| Failure::new(Exit::Suite, error))?;
    let _lock = folder.begin()?;
    let progress = Arc::new(Progress::new(arguments.quiet));
    let played = block_on(progress.while_shown(play_until_interrupted(run, stopper, progress.clone())))?;
    let report = conclude_run(
        played,
        &folder,
        &arguments.format.unwrap_or_default().into(),
        identity,
        |reading, _| tell_of_leftovers(arguments, &folder, reading),
    )?;
    let exit = exit_of(&report, false, arguments.basis.unwrap_or_default());
    match earlier {
        Some(earlier) => compare::conclude(&earlier, &report, exit, arguments, &folder),
        None => Ok(exit),
    }
}

/// Evaluates the transcript, and prints the report and the peers left at the target.
fn conclude(arguments: &Arguments, folder: &RunFolder) -> Result<Report, Failure> {
    let reading = read_back(folder)?;
    let report = without_secrets(assess(&reading));
    folder.write(&report)?;
    arguments.format.unwrap_or_default().print(&report)?;
    tell_of_leftovers(arguments, folder, &reading)?;
    Ok(report)
}

/// Says which peers are left at the target.
fn tell_of_leftovers(arguments: &Arguments, folder: &RunFolder, reading: &Reading) -> Result<(), Failure> {
    let left = left_behind_text(&arguments.url, &left_behind(reading));
    write_private(&folder.path().join("left-behind.txt"), left.as_bytes())?;
    message(&left);
    // A watch that was interrupted goes on with its keys.
    let has_ended = reading.outcome.is_some();
    let keys = |name: &str| folder.path().join(name).exists();
    if keys(PEERING) || has_ended && keys(WATCH) {
        let clean = clean_command(arguments, folder);
        message(&format!("hint: the peer has not left; {clean} lets it leave\n"));
    }
    message(&format!("files: {}\n", folder.path().display()));
    Ok(())
}

/// Returns the command that lets the peer of an audit leave, with the options by which the audit reached the target.
fn clean_command(arguments: &Arguments, folder: &RunFolder) -> String {
    let url = shell::word(arguments.url.as_str());
    let clean = shell::flag("--clean", folder.path().display());
    let reached = arguments.target.record();
    let reached = reached.iter().map(|word| shell::word(word));
    let words: Vec<String> = ["covenant audit".to_owned(), url, clean].into_iter().chain(reached).collect();
    words.join(" ")
}

/// Asks the user to type the target's host name, so that a script with a wrong URL does no harm.
fn confirm(url: &Url, what: &str) -> Result<(), Failure> {
    let host = url.host_str().unwrap_or_default().to_owned();
    message(&format!("{what}: {url}. Type its host name ({host}) to continue: "));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(_) if line.trim() == host => Ok(()),
        _ => Err(Failure::usage(format!("{:?} was typed, expected {host}: nothing was done", line.trim()))),
    }
}

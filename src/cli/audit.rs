//! `covenant audit`: checks a platform that someone else operates.

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
use super::{BasisChoice, Exit, Failure, block_on, doctor, exit_of, message, print};
use crate::audit::{Audit, Watch, WatchError, Watched, left_behind, left_behind_text};
use crate::clock::Seed;
use crate::contract::{HeldText, TextSource};
use crate::doctor::examine_plane;
use crate::input;
use crate::report::{Report, terminal};
use crate::runner::{RunFolder, assess, without_secrets, write_private};
use crate::scenario::RunContext;
use crate::secret;
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
    /// Format of the report on standard output; the run folder gets every format [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = Format::parser())]
    format: Option<Format>,
    /// Basis of the checks that the exit code counts. The report shows every basis [default: all]
    #[arg(long, value_name = "BASIS", value_enum)]
    basis: Option<BasisChoice>,
    /// Run folder [default: a new folder under reports/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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

    fn run_context(&self, asked: &TargetArguments) -> Result<RunContext, Failure> {
        let mut found = asked.run_context(self.poll_timeout.or(PollTimeout::new(POLL_TIMEOUT_SECONDS)))?;
        let calls = u32::try_from(self.rate()).unwrap_or(u32::MAX);
        found.pace = Some(Duration::from_mins(1) / calls);
        Ok(found)
    }

    /// Returns the options that only an audit with a token uses.
    fn of_peers(&self) -> [(&'static str, bool); 8] {
        [
            ("--intrusive", self.intrusive),
            ("--out", self.out.is_some()),
            ("--rate", self.rate.is_some()),
            ("--poll-timeout", self.poll_timeout.is_some()),
            ("--seed", self.seed.is_some()),
            ("--format", self.format.is_some()),
            ("--basis", self.basis.is_some()),
            ("--quiet", self.quiet),
        ]
    }
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let asked = TargetArguments { target: Some(arguments.url.clone()), ..arguments.target.clone() };
    unused::refuse_in_audit(&arguments.target)?;
    let token = token(arguments.token_file.as_deref())?;
    if token.is_none() && arguments.watch.is_none() {
        unused::refuse_without_token(&arguments.target, &arguments.of_peers())?;
    }
    if let Some(lasts) = arguments.watch {
        return watch_target(arguments, &asked, token, lasts);
    }
    match token {
        Some(token) => audit_as_peer(arguments, &asked, token),
        None => examine_from_outside(&asked, &arguments.url),
    }
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

/// Reads the federation plane as an anonymous client. Creates nothing and proves no clause.
fn examine_from_outside(asked: &TargetArguments, url: &Url) -> Result<Exit, Failure> {
    let ca_bundle_pem = asked.address()?.and_then(|address| address.ca_bundle_pem);
    let subject = doctor::subject(asked);
    let exit = doctor::diagnose(async |points| {
        examine_plane(points, &subject, url, ca_bundle_pem.as_deref()).await;
    })?;
    print(&format!(
        "\nRead-only: nothing was created at {url}, and no clause can be proved from outside.\n\
         For more, ask its operator for an acceptance token (`peer.propose`), and name it with --token-file.\n"
    ))?;
    Ok(exit)
}

/// Runs or continues a watch, and reports what was observed. An interrupted watch is reported too.
fn watch_target(
    arguments: &Arguments,
    asked: &TargetArguments,
    token: Option<String>,
    lasts: Duration,
) -> Result<Exit, Failure> {
    let address = asked.address()?.ok_or_else(|| Failure::usage("a URL is needed"))?;
    let seed = arguments.seed.unwrap_or_else(Seed::fresh);
    let folder = RunFolder::choose(arguments.out.as_deref(), seed);
    let _lock = folder.lock()?;
    let run_context = arguments.run_context(asked)?;
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
    let address = asked.address()?.ok_or_else(|| Failure::usage("a URL is needed"))?;
    if arguments.intrusive {
        confirm(&arguments.url)?;
    }
    let seed = arguments.seed.unwrap_or_else(Seed::fresh);
    message(&format!(
        "seed: {seed}\naudit: {} calls a minute at most, {}\n",
        arguments.rate(),
        if arguments.intrusive { "with misbehaviour" } else { "conforming" }
    ));
    let run_context = arguments.run_context(asked)?;
    let audit = Audit {
        seed,
        contract: contract_text(asked),
        address,
        token,
        intrusive: arguments.intrusive,
        run_context,
    };
    let folder = RunFolder::choose(arguments.out.as_deref(), seed);
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
    Ok(exit_of(&report, false, arguments.basis.unwrap_or_default()))
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
    message(&format!("files: {}\n", folder.path().display()));
    Ok(())
}

/// Asks the user to type the target's host name, so that a script with a wrong URL cannot misbehave.
fn confirm(url: &Url) -> Result<(), Failure> {
    let host = url.host_str().unwrap_or_default().to_owned();
    message(&format!(
        "--intrusive misbehaves at {url}, and raises alarms there. Type its host name ({host}) to continue: "
    ));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(_) if line.trim() == host => Ok(()),
        _ => Err(Failure::usage(format!("{:?} was typed, expected {host}: nothing was done", line.trim()))),
    }
}

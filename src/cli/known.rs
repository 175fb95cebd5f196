//! `covenant known`: renews a file of known breaches; and the option `--known`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Span;
use jiff::civil::Date;

use super::report::read_report;
use super::{Exit, Failure, message};
use crate::clock::Clock;
use crate::known::{KnownError, KnownFile, apply, updated};
use crate::report::{Report, terminal};
use crate::runner::{library, write_whole};
use crate::shell::flag;

/// The file that is renewed by default.
const DEFAULT: &str = "known-breaches.toml";
/// The days after which a new entry expires.
const DAYS: i64 = 90;

/// Arguments of `covenant known`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write or renew a file of known breaches from the report of a run. Entries that stay keep reason, link and date.
    ///
    /// An entry has `check` (a glob pattern of check ids), `clause`, `reason`, and may have `link` and `expires`. New
    /// entries expire after 90 days. Entries of checks that the run did not play, or could not prove, stay.
    Update(UpdateArguments),
}

#[derive(Debug, Args)]
struct UpdateArguments {
    /// Run folder, or its report.json
    report: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    file: PathBuf,
    /// Folder of .toml files, or one file, with your own scenarios, if the run was made with them
    #[arg(long, value_name = "PATH")]
    scenarios: Option<PathBuf>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let Command::Update(arguments) = &arguments.command;
    let report = read_report(&arguments.report)?;
    if let Some(void) = &report.void {
        return Err(Failure::usage(format!("the run is void, so it says nothing of any breach: {void}")));
    }
    let before = match arguments.file.symlink_metadata() {
        Ok(_) => read_file(&arguments.file, arguments.scenarios.as_deref(), Some(&report))?,
        Err(_) => KnownFile::default(),
    };
    let expires = today().checked_add(Span::new().days(DAYS)).unwrap_or(Date::MAX);
    let (text, update) = updated(&before, &report, expires);
    write_whole(&arguments.file, text.as_bytes())?;
    let file = arguments.file.display();
    message(&format!("{file}: {} added, {} removed, {} kept\n", update.added, update.removed, update.kept));
    if update.added > 0 {
        message("hint: give each new entry its reason\n");
    }
    Ok(Exit::Kept)
}

/// The known breaches of a command; none without `--known`.
#[derive(Debug, Default)]
pub(super) struct KnownBreaches(KnownFile);

impl KnownBreaches {
    /// Reads the file of `--known`, before a run of these scenarios.
    pub(super) fn read(file: Option<&Path>, scenarios: Option<&Path>) -> Result<Self, Failure> {
        file.map(|file| read_file(file, scenarios, None))
            .transpose()
            .map(|file| Self(file.unwrap_or_default()))
    }

    /// Reads the file of `--known`, and returns the report with what is known.
    pub(super) fn applied_to(
        file: Option<&Path>,
        scenarios: Option<&Path>,
        report: Report,
    ) -> Result<Report, Failure> {
        let Some(file) = file else { return Ok(report) };
        Ok(Self(read_file(file, scenarios, Some(&report))?).applied(report))
    }

    /// Returns the report with what is known, as of today.
    pub(super) fn applied(&self, mut report: Report) -> Report {
        apply(&self.0, &mut report, today());
        report
    }
}

fn read_file(file: &Path, scenarios: Option<&Path>, report: Option<&Report>) -> Result<KnownFile, Failure> {
    let library = library(scenarios).map_err(|error| Failure::new(Exit::Usage, error))?;
    KnownFile::read(file, &library, report).map_err(|error| {
        // The report has the checks that were played, and nothing of the others.
        let own = report.and_then(|report| report.settings.get("scenarios")?.as_str());
        match (&error, own.filter(|_| scenarios.is_none())) {
            (KnownError::Unmatched(_), Some(own)) => {
                let option = terminal(&flag("--scenarios", own));
                Failure::usage(format!("{error}\nhint: the run was made with {option}: give it here, too"))
            }
            _ => Failure::new(Exit::Usage, error),
        }
    })
}

/// Returns the day, in UTC.
fn today() -> Date {
    let now = Clock::system().now().strftime("%Y-%m-%d").to_string();
    now.parse().unwrap_or(Date::MAX)
}

//! `covenant report`: compares two reports, merges the partitions of a run, and makes a copy to share.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::json;

use super::exit_options::ExitOptions;
use super::output_format::OutputFormat;
use super::report_format::{Output, Outputs};
use super::verify::{transcript_of, unreadable};
use super::{Exit, Failure, message, print};
use crate::clock::Seed;
use crate::input;
use crate::redact::{RedactError, Redacted, redact};
use crate::report::{DIFF_FORMATS, DiffFormat, Report, ReportDiff, SCHEMA_VERSION, terminal};
use crate::runner::{
    RunFolder, merge, refuse_existing, refuse_unwritable, without_secrets, write_new_private,
};
use crate::transcript::{RewriteError, read};

/// The longest report that is read, in bytes.
const BYTES_MAX: u64 = 256 << 20;

/// Arguments of `covenant report`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare two reports, check by check: exit code 1 if something got worse.
    ///
    /// Worse is what is broken now and was not before, and a new run that is void. Exit code 7 if the new run evaluated
    /// nothing. What the reports differ in otherwise, such as the target, is shown first. Better, newly proved, newly unproven,
    /// newly played and no longer played are listed too.
    Diff(DiffArguments),
    /// Merge the partitions of a run into the report of the whole.
    ///
    /// The report is made from the transcripts, so it is the one that the run gives on one machine. Its transcript
    /// digest is the SHA-256 of the digests of the parts, in order, a line each.
    Merge(MergeArguments),
    /// Make a copy of a run to share: addresses, host names, contacts and other parties' entries are replaced.
    ///
    /// The same value has the same placeholder in every file. A verdict that does not follow from the copy is unproven there.
    /// Keys, attestations and files that are not of the run are left out. Nothing else is looked for: read the copy before you
    /// share it.
    Redact(RedactArguments),
}

#[derive(Debug, Args)]
struct DiffArguments {
    /// Run folder, or its report.json
    old: PathBuf,
    /// Run folder, or its report.json
    new: PathBuf,
    /// Format of the difference on standard output
    #[arg(long, value_name = "FORMAT", value_parser = diff_format(), default_value = DIFF_FORMATS[0].name)]
    format: &'static DiffFormat,
    /// Count what is newly unproven or no longer played as worse, too
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Args)]
struct MergeArguments {
    /// Run folder of a partition, or its transcript.jsonl; every partition of the run is needed
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = Output::parse, help = Output::help())]
    format: Vec<Output>,
    /// Folder that gets the report in every format of a run
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder of .toml files, or one file, with your own scenarios, if the run was made with them, for entries of --known that
    /// name checks which it did not play
    #[arg(long, value_name = "PATH", requires = "known")]
    scenarios: Option<PathBuf>,
    #[command(flatten)]
    exit: ExitOptions,
}

#[derive(Debug, Args)]
struct RedactArguments {
    /// Run folder, or its transcript.jsonl
    run: PathBuf,
    /// Folder of the copy, which is new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// New file that gets each placeholder with its value, for you alone
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Format on standard output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
}

/// Returns the parser of a format, which lists every format.
fn diff_format() -> impl TypedValueParser<Value = &'static DiffFormat> {
    let values = DIFF_FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(values)
        .try_map(|name| DIFF_FORMATS.iter().find(|format| format.name == name).ok_or("no such format"))
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Diff(arguments) => diff(arguments),
        Command::Merge(arguments) => merged(arguments),
        Command::Redact(arguments) => redacted(arguments),
    }
}

fn redacted(arguments: &RedactArguments) -> Result<Exit, Failure> {
    let RedactArguments { run, out, map, format } = arguments;
    if let Some(map) = map {
        refuse_existing(map, false)?;
        refuse_in_copy(map, out)?;
        refuse_unwritable(map)?;
    }
    let made = redact(run, out).map_err(|error| {
        let exit = match &error {
            RedactError::Rewrite(RewriteError::Write { .. }) | RedactError::File(_) => Exit::Environment,
            RedactError::Left { .. } => Exit::Suite,
            _ => Exit::Usage,
        };
        Failure::new(exit, error)
    })?;
    if let Some(map) = map {
        // The folders are there now, with the names that the system gives them.
        refuse_in_copy(map, out)?;
        let values: BTreeMap<&str, &str> =
            made.placeholders.all().map(|(value, placeholder)| (placeholder, value)).collect();
        write_new_private(map, format!("{:#}\n", json!(values)).as_bytes(), false)?;
    }
    print(&match format {
        OutputFormat::Text => in_words(&made),
        OutputFormat::Json => format!(
            "{:#}\n",
            json!({"original_sha256": made.original_sha256, "copy_sha256": made.copy_sha256,
                "replaced": made.placeholders.counts(), "unproven": made.unproven, "copied": made.copied,
                "left_out": made.left_out, "kept": made.placeholders.kept().collect::<Vec<_>>(),
                "too_short": made.placeholders.too_short().collect::<Vec<_>>(), "in_ids": made.in_ids,
                "own_words": made.own_words})
        ),
    })?;
    message(&format!("files: {}\n", out.display()));
    Ok(Exit::Kept)
}

/// Refuses a map within the folder of the copy, by whatever path it is named.
fn refuse_in_copy(map: &Path, out: &Path) -> Result<(), Failure> {
    if !resolved(map).starts_with(resolved(out)) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--map {}: it holds the values, so it does not belong into the copy; name a file elsewhere",
        map.display()
    )))
}

/// Returns a path without links and without `.` and `..`. Its last parts need not exist.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            part => {
                resolved.push(part);
                // What does not exist has no links.
                resolved = resolved.canonicalize().unwrap_or(resolved);
            }
        }
    }
    resolved
}

/// Describes a redacted copy.
fn in_words(made: &Redacted) -> String {
    let mut out = format!("original: {}\ncopy:     {}\n", made.original_sha256, made.copy_sha256);
    let counts: Vec<String> =
        made.placeholders.counts().iter().map(|(class, count)| format!("{count} of class {class}")).collect();
    let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    let _ = writeln!(out, "replaced: {counts}");
    if made.unproven.is_empty() {
        out.push_str("verdicts: each follows from the copy\n");
    } else {
        let _ = writeln!(
            out,
            "verdicts: {} do not follow from the copy, and are unproven there:",
            made.unproven.len()
        );
    }
    for check in &made.unproven {
        let _ = writeln!(out, "- {}", terminal(check));
    }
    let shown = |values: &mut dyn Iterator<Item = &str>| values.map(terminal).collect::<Vec<_>>().join(", ");
    for (why, values) in [
        ("not replaced, since the suite itself has them", shown(&mut made.placeholders.kept())),
        ("not replaced, since they are too short", shown(&mut made.placeholders.too_short())),
        ("not replaced in ids of checks", shown(&mut made.in_ids.iter().map(String::as_str))),
        (
            "replaced, and words of the reports themselves",
            shown(&mut made.own_words.iter().map(String::as_str)),
        ),
    ] {
        if !values.is_empty() {
            let _ = writeln!(out, "{why}: {values}");
        }
    }
    if !made.left_out.is_empty() {
        let names: Vec<String> = made.left_out.iter().map(|name| terminal(name)).collect();
        let _ = writeln!(out, "left out: {}", names.join(", "));
    }
    out
}

fn diff(arguments: &DiffArguments) -> Result<Exit, Failure> {
    let (old, new) = (read_report(&arguments.old)?, read_report(&arguments.new)?);
    let diff = ReportDiff::of(&old, &new);
    print(&(arguments.format.render)(&diff))?;
    Ok(exit_of_diff(&diff, &new, arguments.strict))
}

/// Returns the exit code of a difference from an earlier report.
pub(super) fn exit_of_diff(diff: &ReportDiff, new: &Report, strict: bool) -> Exit {
    let nothing_evaluated = new.counts.kept + new.counts.broken == 0;
    if diff.is_worse(strict) {
        Exit::Broken
    } else if nothing_evaluated {
        Exit::NothingEvaluated
    } else {
        Exit::Kept
    }
}

fn merged(arguments: &MergeArguments) -> Result<Exit, Failure> {
    let outputs = Outputs::new(&arguments.format)?;
    let mut parts = Vec::new();
    for run in &arguments.runs {
        let reading = read(&transcript_of(run)?).map_err(unreadable)?;
        parts.push((run.display().to_string(), reading));
    }
    let report = merge(parts).map_err(|error| Failure::new(Exit::Usage, error))?;
    let report = without_secrets(arguments.exit.with_known(report, arguments.scenarios.as_deref())?);
    if let Some(folder) = &arguments.out {
        let folder = RunFolder::choose(Some(folder), Seed(report.seed));
        if folder.transcript().exists() {
            let shown = folder.path().display();
            return Err(Failure::usage(format!(
                "--out {shown}: it holds a transcript, which the merged report is not made from; name another folder"
            )));
        }
        folder.write_reports(&report)?;
    }
    outputs.write(&report)?;
    Ok(arguments.exit.exit(&report, false))
}

/// Reads the report of a run from its folder or its file.
pub(super) fn read_report(path: &Path) -> Result<Report, Failure> {
    let path = RunFolder::report_of(path);
    let text =
        input::read_text(&path, BYTES_MAX).map_err(|error| Failure::usage(format!("report {error}")))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        let shown = path.display();
        Failure::usage(format!(
            "{shown}: not a report: {error}\nhint: a report is the report.json of a run folder"
        ))
    })?;
    if report.schema_version != SCHEMA_VERSION {
        let (shown, found) = (path.display(), report.schema_version);
        return Err(Failure::usage(format!(
            "{shown}: version {found} of the report format; this program reads {SCHEMA_VERSION}: make it again with \
             `covenant verify`"
        )));
    }
    Ok(report)
}

//! `covenant audit --compare`: what changed since an earlier audit.

use std::path::Path;

use super::Arguments;
use crate::cli::report::{exit_of_diff, read_report};
use crate::cli::{Exit, Failure, message, print};
use crate::report::{DIFF_FORMATS, Report, ReportDiff};
use crate::runner::{RunFolder, write_private};

/// Reads the report of the earlier audit, before anything is sent.
pub(super) fn earlier(path: &Path) -> Result<Report, Failure> {
    let earlier = read_report(path)?;
    if earlier.is_audit() && !earlier.is_of_anonymous_client() {
        return Ok(earlier);
    }
    let why = if earlier.is_audit() {
        "an audit without a token, which evaluated nothing"
    } else {
        "no audit but a run; covenant report diff compares reports of any kind"
    };
    Err(Failure::usage(format!("--compare {}: the report is of {why}", path.display())))
}

/// Writes the difference into the run folder, prints it, and returns the exit code of `covenant report diff`. An audit
/// that says nothing of the target keeps its own.
pub(super) fn conclude(
    earlier: &Report,
    now: &Report,
    exit: Exit,
    arguments: &Arguments,
    folder: &RunFolder,
) -> Result<Exit, Failure> {
    if !matches!(exit, Exit::Kept | Exit::Broken) {
        message("--compare: this audit has no end, or says nothing of the target, so it was not compared\n");
        return Ok(exit);
    }
    let diff = ReportDiff::of(earlier, now);
    for format in DIFF_FORMATS {
        let extension = match format.name {
            "text" => "txt",
            "markdown" => "md",
            other => other,
        };
        let path = folder.path().join(format!("difference.{extension}"));
        write_private(&path, (format.render)(&diff).as_bytes())?;
    }
    let text = format!("\nsince the earlier audit: {}", (DIFF_FORMATS[0].render)(&diff));
    // The report on standard output may be for a program.
    if arguments.format.unwrap_or_default().name() == "text" {
        print(&text)?;
    } else {
        message(&text);
    }
    Ok(exit_of_diff(&diff, now, false))
}

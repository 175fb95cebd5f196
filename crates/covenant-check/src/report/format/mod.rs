//! The formats of a report, as one table.

mod aborted;
mod badge;
mod cases;
mod clauses;
mod github;
mod html;
mod json;
mod json_lines;
mod junit;
mod markdown;
mod tap;
mod text;

pub(super) use aborted::aborted;
pub use json::{SCHEMA_VERSION, schema};
pub use json_lines::{CheckLine, RunEvent};

use super::Report;

/// A format of a report.
#[derive(Clone, Copy, Debug)]
pub struct ReportFormat {
    /// The name, as the command line has it: `junit`.
    pub name: &'static str,
    /// The use of the format, for the help.
    pub about: &'static str,
    /// The file in the run folder; `None` if a run writes it only where `--format` asks for it.
    pub file: Option<&'static str>,
    /// Renders a report. The output may contain escape sequences for colour.
    pub render: fn(&Report) -> String,
}

/// The name of the format whose lines a run writes as their events happen.
pub const JSON_LINES: &str = "json-lines";

/// Every format. The first is the default.
pub const FORMATS: &[ReportFormat] = &[
    ReportFormat { name: "text", about: "Text for a person", file: Some("report.txt"), render: text::text },
    ReportFormat {
        name: "json",
        about: "JSON for a program; see `covenant schema report`",
        file: Some("report.json"),
        render: json::json,
    },
    ReportFormat {
        name: "junit",
        about: "JUnit XML for a CI server",
        file: Some("junit.xml"),
        render: junit::junit,
    },
    ReportFormat {
        name: "markdown",
        about: "Markdown for a comment on a change",
        file: Some("report.md"),
        render: markdown::markdown,
    },
    ReportFormat {
        name: "html",
        about: "One HTML file for a browser, with the exchanges that show each breach",
        file: Some("report.html"),
        render: html::html,
    },
    ReportFormat {
        name: "badge",
        about: "A badge for a page about the target, as SVG",
        file: Some("badge.svg"),
        render: badge::svg,
    },
    ReportFormat {
        name: "badge-json",
        about: "The badge as JSON, for the endpoint of a badge service",
        file: Some("badge.json"),
        render: badge::json,
    },
    ReportFormat {
        name: "github",
        about: "Annotations of a GitHub workflow, on its standard output",
        file: None,
        render: github::github,
    },
    ReportFormat { name: "tap", about: "Test Anything Protocol 14", file: None, render: tap::tap },
    ReportFormat {
        name: JSON_LINES,
        about: "JSON, a line for each event of the run as it happens",
        file: None,
        render: json_lines::json_lines,
    },
];

impl ReportFormat {
    /// Returns the format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_name_and_a_file_of_its_own() {
        for (place, format) in FORMATS.iter().enumerate() {
            let others = || FORMATS[..place].iter();
            assert!(others().all(|other| other.name != format.name));
            assert!(format.file.is_none() || others().all(|other| other.file != format.file));
            assert_eq!(ReportFormat::named(format.name).map(|found| found.file), Some(format.file));
        }
        assert!(ReportFormat::named("no-such-format").is_none());
    }
}

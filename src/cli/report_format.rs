//! The option `--format`, from the table of report formats.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{Failure, print};
use crate::report::{FORMATS, Report, ReportFormat};

/// The name of the default format.
pub(super) const DEFAULT: &str = FORMATS[0].name;

/// A format of a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format(&'static ReportFormat);

impl Default for Format {
    fn default() -> Self {
        Self(&FORMATS[0])
    }
}

impl Format {
    /// Returns the parser of the command line, which lists every format.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
        PossibleValuesParser::new(values)
            .try_map(|name| ReportFormat::named(&name).map(Self).ok_or("no such format"))
    }

    /// Prints a report in this format.
    pub(super) fn print(self, report: &Report) -> Result<(), Failure> {
        print(&(self.0.render)(report))
    }
}

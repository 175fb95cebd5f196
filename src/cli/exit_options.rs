//! The options by which a report gives its exit code.

use std::path::{Path, PathBuf};

use clap::Args;

use super::known::KnownBreaches;
use super::percent::{Percent, exit_with_minimum};
use super::{BasisChoice, Exit, Failure, exit_of};
use crate::report::Report;

/// Options of each command that makes a report of a whole run.
#[derive(Debug, Default, Args)]
pub(super) struct ExitOptions {
    /// Exit with code 3 if something is unproven
    #[arg(long)]
    strict: bool,
    /// Exit with code 3 if a smaller share of the aspects that apply is proved: 40%
    #[arg(long, value_name = "PERCENT")]
    min_proved: Option<Percent>,
    /// TOML file with known breaches, which do not fail the run; see `covenant known`
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// Basis of the checks that the exit code counts: breaches, and with --strict what is unproven. The report shows
    /// every basis
    #[arg(long, value_name = "BASIS", value_enum, default_value_t)]
    pub(super) basis: BasisChoice,
}

impl ExitOptions {
    /// Returns the first option that the command line has.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--strict", self.strict),
            ("--min-proved", self.min_proved.is_some()),
            ("--known", self.known.is_some()),
            ("--basis", self.basis != BasisChoice::default()),
        ];
        options.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
    }

    /// Reads the known breaches before a run of these scenarios.
    pub(super) fn known(&self, scenarios: Option<&Path>) -> Result<KnownBreaches, Failure> {
        KnownBreaches::read(self.known.as_deref(), scenarios)
    }

    /// Returns a report that was made already, with what is known. `scenarios` are those of the run, if they are the user's.
    pub(super) fn with_known(&self, report: Report, scenarios: Option<&Path>) -> Result<Report, Failure> {
        KnownBreaches::applied_to(self.known.as_deref(), scenarios, report)
    }

    /// Returns the exit code of a report. `strict` holds for the configuration file.
    pub(super) fn exit(&self, report: &Report, strict: bool) -> Exit {
        let exit = exit_of(report, self.strict || strict, self.basis);
        exit_with_minimum(exit, report, self.basis, self.min_proved)
    }
}

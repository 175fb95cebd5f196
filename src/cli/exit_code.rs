//! Exit codes. Scripts rely on these numbers; they change only with a major version.

use std::process::ExitCode;

use crate::Blame;
use crate::report::Report;
use crate::score::Overall;
use crate::transcript::Outcome;

/// An exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Nothing that was evaluated is broken; with `--strict`, everything is kept.
    Kept = 0,
    /// The target breaks a clause.
    Broken = 1,
    /// A wrong flag, or an invalid file.
    Usage = 2,
    /// Something is unproven, with `--strict`.
    Unproven = 3,
    /// The target can't be reached, or no peer can federate with it: the run is void.
    Target = 4,
    /// The adapter broke its protocol, died or hung.
    Adapter = 5,
    /// A failed environment: no port, no disk space, no permission to write.
    Environment = 6,
    /// An internal error of covenant. Please report it.
    Suite = 70,
    /// An interruption by Ctrl-C.
    Interrupted = 130,
}

/// Every exit code with its meaning, for the help and `covenant explain`.
pub(super) const EXITS: &[(Exit, &str)] = &[
    (Exit::Kept, "nothing that was evaluated is broken"),
    (Exit::Broken, "something is broken"),
    (Exit::Usage, "a wrong flag, or a file with an error"),
    (Exit::Unproven, "something is unproven, under --strict"),
    (Exit::Target, "the target cannot be evaluated: no peer can federate with it"),
    (Exit::Adapter, "the adapter failed"),
    (Exit::Environment, "the environment failed: no port, no disk"),
    (Exit::Suite, "internal error of covenant: please report it"),
    (Exit::Interrupted, "interrupted; the partial report is in the run folder"),
];

impl Exit {
    /// Returns the exit code of a run.
    #[must_use]
    pub fn of(report: &Report, strict: bool) -> Self {
        let outcomes = report.scenarios.iter().filter_map(|row| row.outcome.as_ref()).chain(&report.outcome);
        let ends: Vec<Self> = outcomes.filter_map(Self::of_outcome).collect();
        let overall = report.score.overall;
        let order = [
            (ends.contains(&Self::Suite), Self::Suite),
            (ends.contains(&Self::Interrupted), Self::Interrupted),
            // A broken clause was observed, whatever else failed.
            (overall == Overall::Broken, Self::Broken),
            (ends.contains(&Self::Environment), Self::Environment),
            (ends.contains(&Self::Adapter), Self::Adapter),
            // A target that fails in one scenario of a run leaves checks unproven. An audit has one scenario.
            (ends.contains(&Self::Target) && report.is_audit(), Self::Target),
            (overall == Overall::Void, Self::Target),
            (strict && overall == Overall::Unproven, Self::Unproven),
        ];
        order.into_iter().find(|(applies, _)| *applies).map_or(Self::Kept, |(_, exit)| exit)
    }

    fn of_outcome(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Aborted(fault) => Some(fault.blame.into()),
            Outcome::Interrupted => Some(Self::Interrupted),
            Outcome::Completed | Outcome::Unsupported { .. } | Outcome::Blocked { .. } => None,
        }
    }
}

impl From<Blame> for Exit {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Target => Self::Target,
            Blame::Adapter => Self::Adapter,
            Blame::Environment => Self::Environment,
            Blame::Suite => Self::Suite,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

//! Exit codes. Scripts rely on these numbers; they change only with a major version.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::Blame;
use crate::contract::{Basis, Means, V1_2026_05};
use crate::report::Report;
use crate::score::{AspectScore, Overall, Score, Standing};
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
    /// No check has a verdict kept or broken, or the gate has no recording.
    NothingEvaluated = 7,
    /// A broken check that `covenant replay` could not evaluate again.
    NotReplayed = 8,
    /// An attestation that does not hold, or that no key shows the signer of.
    NotVerified = 9,
    /// An internal error of covenant. Please report it.
    Suite = 70,
    /// An interruption by Ctrl-C, or a transcript without an end.
    Interrupted = 130,
}

/// The checks that the exit code of a report counts, by their basis. No verdict depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BasisChoice {
    /// Checks of the wire as platforms speak it
    Observed,
    /// Checks of the additions that the binding proposes
    Proposed,
    /// Both
    #[default]
    All,
}

impl BasisChoice {
    /// Returns the overall result of the checks that count.
    const fn overall(self, score: &Score) -> Overall {
        match self {
            Self::Observed => score.overall_by_basis.observed,
            Self::Proposed => score.overall_by_basis.proposed,
            Self::All => score.overall,
        }
    }

    /// Returns the bases whose checks count.
    pub(super) fn counted(self) -> BTreeSet<Basis> {
        let left_out = self.left_out().map(|(basis, _)| basis);
        [Basis::Observed, Basis::Proposed].into_iter().filter(|basis| Some(*basis) != left_out).collect()
    }

    /// Returns whether an aspect is unproven by the checks that count, other than one that no wire can show.
    fn has_unproven(self, report: &Report) -> bool {
        let register = report.contract.register().unwrap_or(&V1_2026_05);
        let can_be_shown = |row: &&AspectScore| {
            let seen = register.clause(row.clause).and_then(|clause| clause.observation(row.aspect));
            seen.is_none_or(|seen| seen.by != Means::Attestation)
        };
        report.score.aspects.iter().filter(can_be_shown).any(|row| self.standing(row) == Standing::Unproven)
    }

    /// Returns the standing of an aspect by the checks that count.
    pub(super) const fn standing(self, row: &AspectScore) -> Standing {
        match self {
            Self::Observed => row.by_basis.observed,
            Self::Proposed => row.by_basis.proposed,
            Self::All => row.standing,
        }
    }

    /// Returns the basis whose checks do not count, with its name in words.
    const fn left_out(self) -> Option<(Basis, &'static str)> {
        match self {
            Self::Observed => Some((Basis::Proposed, "the proposed binding")),
            Self::Proposed => Some((Basis::Observed, "the observed wire")),
            Self::All => None,
        }
    }

    /// Returns a sentence about a breach that the report shows and the exit code does not count; `None` if there is
    /// none.
    #[must_use]
    pub fn uncounted(self, report: &Report) -> Option<String> {
        let (basis, words) = self.left_out()?;
        let broken = *report.score.overall_by_basis.on(basis) == Overall::Broken;
        let counted = self.overall(&report.score) == Overall::Broken;
        (broken && !counted)
            .then(|| format!("--basis: the exit code does not count what is broken on {words} alone"))
    }
}

/// An exit code for its reader.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExitDef {
    pub(super) exit: Exit,
    pub(super) meaning: &'static str,
    /// The next step of whoever gets the code.
    pub(super) next: &'static str,
}

const fn row(exit: Exit, meaning: &'static str, next: &'static str) -> ExitDef {
    ExitDef { exit, meaning, next }
}

/// Every exit code, for the help, `covenant explain` and the README.
pub(super) const EXITS: &[ExitDef] = &[
    row(
        Exit::Kept,
        "nothing that was evaluated is broken",
        "read which clauses are unproven, and why; --strict makes them fail",
    ),
    row(
        Exit::Broken,
        "something is broken, on either basis or on that of --basis, or an entry of --known no longer holds",
        "read the evidence in the report, then `covenant explain CLAUSE`; `covenant replay DIR` tries it again",
    ),
    row(
        Exit::Usage,
        "a wrong option, or a file with an error",
        "standard error names the option, or the file with line and column, and the nearest known word",
    ),
    row(
        Exit::Unproven,
        "something is unproven, under --strict, on the basis of --basis; or fewer aspects are proved than --min-proved; or an \
         attestation is WARNED",
        "the report gives the reason of each clause, such as a missing method: `covenant list methods`",
    ),
    row(
        Exit::Target,
        "the target cannot be evaluated: it is not reached, or no peer can federate with it",
        "`covenant doctor` with the same options names what fails, and a hint",
    ),
    row(
        Exit::Adapter,
        "the adapter failed",
        "read adapter.log in the run folder; `covenant adapter check` calls each method once",
    ),
    row(
        Exit::Environment,
        "the environment failed, for example no free port or no space on the disk",
        "standard error names the port, folder or file; `covenant doctor` examines the ports",
    ),
    row(
        Exit::NothingEvaluated,
        "nothing was evaluated: a filter leaves nothing, or no check is kept or broken, with or without --strict; audit: the \
         target refused the token; gate: no \
         recording of the release before, or not all of it could be compared; certify: the run cannot be certified",
        "standard error or the report says why: widen --only, --clause or --cases, or run it to its end; for the gate, it \
         names the command that records",
    ),
    row(
        Exit::NotReplayed,
        "replay: a broken check could not be evaluated again, and none is still broken",
        "standard output names the check and the reason; replay it against the target that the transcript names",
    ),
    row(
        Exit::NotVerified,
        "verify: the attestation does not hold, or no key was given that shows who signed it",
        "standard output names what fails: signature, validity, transcript, report or verdicts; --key or --trust gives the key",
    ),
    row(
        Exit::Suite,
        "internal error of covenant: please report it",
        "run it again with --verbose and the same --seed, and send the run folder",
    ),
    row(
        Exit::Interrupted,
        "interrupted, or the transcript has no end, or --fail-fast ended the run at a breach that --basis does not count; \
         nothing that counts is broken, and the report is a partial one",
        "`covenant verify DIR` prints the report of what was played; the same --seed plays it all",
    ),
];

/// Returns the row of a code.
pub(super) fn exit_with_code(code: u8) -> Option<&'static ExitDef> {
    EXITS.iter().find(|row| row.exit as u8 == code)
}

impl Exit {
    /// Returns the exit code of a run. `basis` limits which breaches, and with `strict` which unproven aspects,
    /// count.
    #[must_use]
    pub fn of(report: &Report, strict: bool, basis: BasisChoice) -> Self {
        // Where the run was asked to end early, what it cut short is no interruption.
        let is_early = report.outcome.as_ref().is_some_and(Outcome::is_early_end);
        let outcomes = report.scenarios.iter().filter_map(|row| row.outcome.as_ref()).chain(&report.outcome);
        // A mistake in a scenario is the user's, unless the scenario is one of the suite.
        let own = report.settings.contains_key("scenarios");
        let ends: Vec<Self> = outcomes
            .filter_map(|outcome| match outcome.blame() {
                Some(Blame::Scenario) if !own => Some(Self::Suite),
                _ => Self::of_outcome(outcome).filter(|exit| !(is_early && *exit == Self::Interrupted)),
            })
            .collect();
        let overall = basis.overall(&report.score);
        let counted = basis.counted();
        let is_broken = report.unknown_breaches(|of| counted.contains(&of)).next().is_some();
        let evaluated: u64 = counted
            .iter()
            .map(|basis| report.counts.by_basis.on(*basis))
            .map(|counts| counts.kept + counts.broken)
            .sum();
        let order = [
            (ends.contains(&Self::Suite), Self::Suite),
            // A broken clause was observed, whatever else failed.
            (is_broken, Self::Broken),
            (ends.contains(&Self::Interrupted), Self::Interrupted),
            // It ended at a breach that --basis does not count, before the rest was played.
            (matches!(report.outcome, Some(Outcome::EndedAtBreach { .. })), Self::Interrupted),
            (ends.contains(&Self::Usage), Self::Usage),
            // Without an end, other faults may not show.
            (report.outcome.is_none() && evaluated == 0, Self::NothingEvaluated),
            (report.outcome.is_none(), Self::Interrupted),
            (ends.contains(&Self::Environment), Self::Environment),
            (ends.contains(&Self::Adapter), Self::Adapter),
            // A token that is refused says nothing of the target.
            (report.is_audit() && report.void.is_some(), Self::NothingEvaluated),
            // A target that fails in one scenario of a run leaves checks unproven. An audit has one scenario.
            (ends.contains(&Self::Target) && report.is_audit(), Self::Target),
            (overall == Overall::Void, Self::Target),
            // An anonymous client evaluates no clause, and was not asked to.
            (evaluated == 0 && !report.is_of_anonymous_client(), Self::NothingEvaluated),
            (!report.known_faults.is_empty(), Self::Broken),
            (strict && overall == Overall::Unproven, Self::Unproven),
            // What is known to be broken does not make the rest proved.
            (strict && overall == Overall::Broken && basis.has_unproven(report), Self::Unproven),
        ];
        order.into_iter().find(|(applies, _)| *applies).map_or(Self::Kept, |(_, exit)| exit)
    }

    fn of_outcome(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Aborted(fault) => Some(fault.blame.into()),
            Outcome::Interrupted => Some(Self::Interrupted),
            Outcome::Completed
            | Outcome::Unsupported { .. }
            | Outcome::Lacking { .. }
            | Outcome::Blocked { .. }
            | Outcome::EndedAtBreach { .. }
            | Outcome::EndedAtDeadline { .. } => None,
        }
    }
}

impl From<Blame> for Exit {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Target => Self::Target,
            Blame::Adapter => Self::Adapter,
            Blame::Environment => Self::Environment,
            Blame::Scenario => Self::Usage,
            Blame::Suite => Self::Suite,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
#[path = "exit_code_tests.rs"]
mod tests;

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
        report.score.aspects.iter().filter(can_be_shown).any(|row| {
            let standing = match self {
                Self::Observed => row.by_basis.observed,
                Self::Proposed => row.by_basis.proposed,
                Self::All => row.standing,
            };
            standing == Standing::Unproven
        })
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
        "something is unproven, under --strict, on the basis of --basis; or fewer aspects are proved than --min-proved",
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
        "nothing was evaluated: a filter leaves nothing, or no check is kept or broken, with or without --strict; gate: no \
         recording of the release before, or not all of it could be compared",
        "standard error or the report says why: widen --only, --clause or --cases, or run it to its end; for the gate, it \
         names the command that records",
    ),
    row(
        Exit::NotReplayed,
        "replay: a broken check could not be evaluated again, and none is still broken",
        "standard output names the check and the reason; replay it against the target that the transcript names",
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
            // A target that fails in one scenario of a run leaves checks unproven. An audit has one scenario.
            (ends.contains(&Self::Target) && report.is_audit(), Self::Target),
            (overall == Overall::Void, Self::Target),
            (evaluated == 0, Self::NothingEvaluated),
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
mod tests {
    use super::*;
    use crate::Fault;
    use crate::check::Verdict;
    use crate::report::{Counts, KnownFault, ScenarioRow, VerdictCounts};
    use crate::sample;
    use crate::score::ByBasis;

    use BasisChoice::{All, Observed, Proposed};
    use Verdict::{Broken, Kept, NotApplicable, Unproven};

    /// Returns the report of a part of the suite, with one verdict of each given basis about the conduct of 7.1.
    fn report(verdicts: &[(Basis, Verdict)]) -> Report {
        let checks: Vec<_> = verdicts.iter().map(|(basis, verdict)| ("7.1", *basis, *verdict)).collect();
        sample::report(&checks)
    }

    /// Asserts the exit codes under `--strict` and without it, for each choice.
    fn assert_exits(verdicts: &[(Basis, Verdict)], exits: [(BasisChoice, Exit, Exit); 3]) {
        let report = report(verdicts);
        for (basis, lenient, strict) in exits {
            assert_eq!(Exit::of(&report, false, basis), lenient, "{verdicts:?} {basis:?}");
            assert_eq!(Exit::of(&report, true, basis), strict, "{verdicts:?} {basis:?}");
        }
    }

    #[test]
    fn the_readme_lists_every_exit_code_in_the_same_words() {
        let readme = include_str!("../../README.md").replace('`', "");
        let rows: Vec<&str> = readme
            .lines()
            .skip_while(|line| !line.starts_with("| exit code"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        let expected: Vec<String> =
            EXITS.iter().map(|row| format!("| {} | {} |", row.exit as u8, row.meaning)).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_breach_counts_on_its_own_basis() {
        use Exit::{Broken as Breach, Kept as Nothing};
        assert_exits(
            &[(Basis::Observed, Broken), (Basis::Proposed, Broken)],
            [(All, Breach, Breach), (Observed, Breach, Breach), (Proposed, Breach, Breach)],
        );
        assert_exits(
            &[(Basis::Observed, Kept), (Basis::Proposed, Broken)],
            [(All, Breach, Breach), (Observed, Nothing, Nothing), (Proposed, Breach, Breach)],
        );
        assert_exits(
            &[(Basis::Observed, Broken), (Basis::Proposed, Kept)],
            [(All, Breach, Breach), (Observed, Breach, Breach), (Proposed, Nothing, Nothing)],
        );
    }

    #[test]
    fn strict_counts_what_is_unproven_on_the_same_basis() {
        use Exit::{Broken as Breach, Kept as Nothing, NothingEvaluated as None, Unproven as Open};
        assert_exits(
            &[(Basis::Observed, Kept), (Basis::Proposed, Unproven)],
            [(All, Nothing, Open), (Observed, Nothing, Nothing), (Proposed, None, None)],
        );
        assert_exits(
            &[(Basis::Observed, Unproven), (Basis::Proposed, Broken)],
            [(All, Breach, Breach), (Observed, None, None), (Proposed, Breach, Breach)],
        );
    }

    #[test]
    fn nothing_evaluated_is_never_green_with_or_without_strict() {
        use Exit::{Broken as Breach, Kept as Nothing, NothingEvaluated as None};
        for (verdict, all) in [(Broken, (Breach, Breach)), (Kept, (Nothing, Nothing))] {
            assert_exits(
                &[(Basis::Proposed, verdict)],
                [(All, all.0, all.1), (Observed, None, None), (Proposed, all.0, all.1)],
            );
        }
        for verdicts in [&[(Basis::Observed, NotApplicable)][..], &[(Basis::Observed, Unproven)], &[]] {
            assert_exits(verdicts, [(All, None, None), (Observed, None, None), (Proposed, None, None)]);
        }
    }

    #[test]
    fn a_known_breach_does_not_fail_and_hides_nothing_else() {
        let breach = report(&[(Basis::Observed, Broken), (Basis::Observed, Kept)]);
        let known = sample::known(&breach);
        assert_eq!((Exit::of(&breach, false, All), Exit::of(&known, true, All)), (Exit::Broken, Exit::Kept));
        let open = sample::known(&sample::report(&[
            ("7.1", Basis::Observed, Broken),
            ("7.2", Basis::Observed, Unproven),
        ]));
        assert_eq!((Exit::of(&open, false, All), Exit::of(&open, true, All)), (Exit::Kept, Exit::Unproven));
        let with = |outcome: Option<Outcome>| Exit::of(&Report { outcome, ..known.clone() }, false, All);
        assert_eq!(with(Some(Fault::adapter("it exited").into())), Exit::Adapter);
        assert_eq!((with(None), with(Some(Outcome::Interrupted))), (Exit::Interrupted, Exit::Interrupted));
        let mut void = known.clone();
        void.score.overall = Overall::Void;
        assert_eq!(Exit::of(&void, false, All), Exit::Target);
        let mut other = sample::known(&report(&[(Basis::Observed, Broken), (Basis::Proposed, Broken)]));
        other.checks[1].known = None;
        assert_eq!(
            (Exit::of(&other, false, All), Exit::of(&other, false, Observed)),
            (Exit::Broken, Exit::Kept)
        );
    }

    #[test]
    fn an_entry_that_no_longer_holds_fails_the_run() {
        let fault = KnownFault {
            place: "known.toml:1".to_owned(),
            check: "scenario/7.1#1".to_owned(),
            clause: "7.1".to_owned(),
            why: "no longer happens".to_owned(),
        };
        let kept = Report { known_faults: vec![fault], ..report(&[(Basis::Observed, Kept)]) };
        assert_eq!(Exit::of(&kept, false, All), Exit::Broken);
        let interrupted = Report { outcome: Some(Outcome::Interrupted), ..kept };
        assert_eq!(Exit::of(&interrupted, false, All), Exit::Interrupted);
    }

    #[test]
    fn a_run_that_ended_at_its_deadline_is_not_interrupted() {
        let mut early = report(&[(Basis::Observed, Kept), (Basis::Proposed, Unproven)]);
        early.outcome = Some(Outcome::EndedAtDeadline { deadline: "10m".to_owned() });
        early.scenarios.push(ScenarioRow::new("cut", Some(Outcome::Interrupted), 3));
        assert_eq!((Exit::of(&early, false, All), Exit::of(&early, true, All)), (Exit::Kept, Exit::Unproven));
    }

    #[test]
    fn a_transcript_without_an_end_is_never_green() {
        let unsealed = |verdict: Verdict, kept: u64| {
            let whole = report(&[(Basis::Observed, verdict)]);
            let observed = VerdictCounts { kept, ..VerdictCounts::default() };
            let by_basis = ByBasis { observed, proposed: VerdictCounts::default() };
            Report { outcome: None, counts: Counts { kept, by_basis, ..Counts::default() }, ..whole }
        };
        assert_eq!(Exit::of(&unsealed(Kept, 1), false, All), Exit::Interrupted);
        assert_eq!(Exit::of(&unsealed(Broken, 0), false, All), Exit::Broken);
        assert_eq!(Exit::of(&unsealed(Unproven, 0), false, All), Exit::NothingEvaluated);
    }

    #[test]
    fn a_fault_shows_where_the_breach_does_not_count() {
        let broken = report(&[(Basis::Proposed, Broken)]);
        let report = Report { outcome: Some(Outcome::Aborted(Fault::adapter("it exited"))), ..broken };
        assert_eq!(Exit::of(&report, false, All), Exit::Broken);
        assert_eq!(Exit::of(&report, false, Observed), Exit::Adapter);
    }

    #[test]
    fn a_mistake_in_a_scenario_is_its_authors() {
        let with = |fault: Fault, own: bool| {
            let mut report = report(&[(Basis::Observed, Unproven)]);
            report.scenarios.push(ScenarioRow::new("own", Some(fault.into()), 3));
            if own {
                report.settings.insert("scenarios".to_owned(), "own.toml".into());
            }
            Exit::of(&report, false, All)
        };
        assert_eq!(with(Fault::scenario("`${x}`"), true), Exit::Usage);
        assert_eq!(with(Fault::scenario("`${x}`"), false), Exit::Suite);
        assert_eq!(with(Fault::suite("a bug"), true), Exit::Suite);
        assert_eq!(with(Fault::target("it answers nothing"), true), Exit::NothingEvaluated);
    }

    #[test]
    fn a_breach_that_does_not_count_is_named() {
        let proposed = report(&[(Basis::Observed, Kept), (Basis::Proposed, Broken)]);
        let sentence = Observed.uncounted(&proposed).expect("a sentence");
        assert!(
            sentence.ends_with("does not count what is broken on the proposed binding alone"),
            "{sentence}"
        );
        assert_eq!((All.uncounted(&proposed), Proposed.uncounted(&proposed)), (None, None));
        let both = report(&[(Basis::Observed, Broken), (Basis::Proposed, Broken)]);
        assert_eq!((Observed.uncounted(&both), Proposed.uncounted(&both)), (None, None));
    }
}

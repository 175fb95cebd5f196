//! The report for a reader of the Test Anything Protocol, version 14: a test point for each check.

use std::fmt::Write;

use serde_json::json;

use super::cases::attested;
use crate::check::Verdict;
use crate::report::escape::terminal;
use crate::report::{EvaluatedCheck, Report};

/// The last line of a run without a verdict kept or broken.
const NOTHING: &str = "Bail out! nothing was evaluated\n";

/// Returns the report as TAP 14. What is unproven is skipped, with its reason; a known breach is a `TODO`, and so is a flaky
/// check. A run that is void or that evaluated nothing bails out: a plan without points would be a success.
#[must_use]
pub(super) fn tap(report: &Report) -> String {
    let mut points: Vec<String> = report.checks.iter().map(point).collect();
    points.extend(attested(report).map(|(name, statement)| {
        format!("ok N - {} # SKIP attested: {}\n", escaped(&name), escaped(statement))
    }));
    points.extend(
        report.known_faults.iter().map(|fault| format!("not ok N - {}\n", escaped(&fault.to_string()))),
    );
    let mut out = "TAP version 14\n".to_owned();
    let counts = report.counts;
    if let Some(void) = &report.void {
        let _ = writeln!(out, "Bail out! the run is void: {}", terminal(void));
        return out;
    }
    let is_nothing = counts.kept + counts.broken == 0;
    if is_nothing && counts.flaky == 0 {
        out.push_str(NOTHING);
        return out;
    }
    let _ = writeln!(out, "1..{}", points.len());
    let _ = writeln!(out, "# {}", terminal(&report.headline()));
    if let Some(words) = report.recorded_arguments() {
        let _ = writeln!(out, "# TARGET, as recorded: {}", terminal(&words));
    }
    for (number, point) in (1..).zip(points) {
        out.push_str(&point.replacen(" N ", &format!(" {number} "), 1));
    }
    if let Some(why) = report.disturbances().first() {
        let _ = writeln!(out, "Bail out! {}", terminal(why));
    } else if is_nothing {
        out.push_str(NOTHING);
    }
    out
}

/// Returns the test point of a check, with `N` in place of its number.
fn point(evaluated: &EvaluatedCheck) -> String {
    let (check, result) = (&evaluated.evaluation.check, &evaluated.evaluation.result);
    let name = escaped(&format!("{} {} ({})", check.clause, check.aspect, check.id));
    let why = escaped(&result.actual);
    match (result.verdict, &evaluated.known) {
        // The reason says in how many plays it is broken.
        _ if evaluated.evaluation.flaky.is_some() => {
            format!("not ok N - {name} # TODO {why}\n{}", diagnostic(evaluated))
        }
        (Verdict::Kept, _) => format!("ok N - {name}\n"),
        (Verdict::Unproven, _) => format!("ok N - {name} # SKIP unproven: {why}\n"),
        (Verdict::NotApplicable, _) => format!("ok N - {name} # SKIP not applicable: {why}\n"),
        (Verdict::Broken, Some(known)) => {
            format!("not ok N - {name} # TODO known breach: {}\n", escaped(&known.to_string()))
        }
        (Verdict::Broken, None) => format!("not ok N - {name}\n{}", diagnostic(evaluated)),
    }
}

/// Returns the YAML block below a failed point. A JSON text is a YAML text.
fn diagnostic(evaluated: &EvaluatedCheck) -> String {
    let (check, result) = (&evaluated.evaluation.check, &evaluated.evaluation.result);
    let rows = [
        ("message", json!(terminal(&result.actual))),
        ("severity", json!("fail")),
        ("requirement", json!(terminal(&check.requirement))),
        ("expected", json!(result.expected.iter().map(|text| terminal(text)).collect::<Vec<_>>())),
        ("evidence", json!(result.evidence)),
        ("basis", json!(check.basis.to_string())),
        ("replay", json!(terminal(&evaluated.replay))),
    ];
    let rows: Vec<String> = rows.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect();
    format!("  ---\n{}  ...\n", rows.concat())
}

/// Returns a text in which `#` begins no directive.
fn escaped(text: &str) -> String {
    terminal(text).replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{flaky, known, report};
    use covenant_model::contract::Basis::Observed;

    #[test]
    fn each_check_is_a_point_and_no_text_of_a_target_a_directive() {
        let mut of_all = report(&[
            ("7.1", Observed, Verdict::Broken),
            ("7.2", Observed, Verdict::Kept),
            ("7.3", Observed, Verdict::Unproven),
            ("7.4", Observed, Verdict::NotApplicable),
        ]);
        of_all.checks[0].evaluation.check.scenario = "x".to_owned();
        of_all.checks[0].evaluation.check.id = "x # TODO\nok 9 - y".to_owned();
        let text = tap(&of_all);
        assert!(text.starts_with("TAP version 14\n1..4\n# BROKEN"), "{text}");
        // A command that replays a breach has this word.
        let words = "\n# TARGET, as recorded: --adapter \"python3 'my adapter.py'\"\nnot ok 1 ";
        assert!(text.contains(words), "{text}");
        assert!(
            text.contains("\nnot ok 1 - 7.1 conduct (x \\# TODO ok 9 - y)\n  ---\n  message: \"why\"\n"),
            "{text}"
        );
        assert!(text.contains("\nok 2 - 7.2 conduct (scenario/7.2\\#1)\n"), "{text}");
        assert!(text.contains("(scenario/7.3\\#1) # SKIP unproven: why\n"), "{text}");
        assert!(text.contains("(scenario/7.4\\#1) # SKIP not applicable: why\n"), "{text}");
        assert_eq!(
            text.lines().filter(|line| line.starts_with("ok") || line.starts_with("not ok")).count(),
            4
        );
    }

    #[test]
    fn a_flaky_check_is_a_todo_that_is_not_ok() {
        let two = report(&[("7.1", Observed, Verdict::Broken), ("7.2", Observed, Verdict::Kept)]);
        let text = tap(&flaky(&two));
        let point =
            "\nnot ok 1 - 7.1 conduct (scenario/7.1\\#1) # TODO flaky: broken in 1 of 2 plays: why\n  ---\n";
        assert!(text.contains(point) && !text.contains("Bail out!"), "{text}");
        let alone = tap(&flaky(&report(&[("7.1", Observed, Verdict::Broken)])));
        assert!(alone.contains(point) && alone.ends_with("\nBail out! nothing was evaluated\n"), "{alone}");
    }

    #[test]
    fn a_known_breach_is_a_todo_and_a_run_that_proves_nothing_bails_out() {
        let broken = report(&[("7.1", Observed, Verdict::Broken)]);
        assert!(tap(&known(&broken)).contains("# TODO known breach: we fix it"));
        let nothing = tap(&report(&[("7.1", Observed, Verdict::Unproven)]));
        assert_eq!(nothing, "TAP version 14\nBail out! nothing was evaluated\n");
        let void = tap(&Report { void: Some("no handshake".to_owned()), ..broken });
        assert!(
            void.contains("Bail out! the run is void: no handshake") && !void.contains("not ok"),
            "{void}"
        );
    }
}

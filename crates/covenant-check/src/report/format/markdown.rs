//! The report for a comment on a change: Markdown, with the breaches folded out.

use std::fmt::Write;

use crate::check::Verdict;
use crate::report::escape::{markdown as plain, terminal};
use crate::report::{EvaluatedCheck, NO_END, Report, UNSIGNED};
use crate::score::Standing;

/// Returns the report as Markdown. Text from the target appears as text: no link, no mention, no HTML.
pub(super) fn markdown(report: &Report) -> String {
    let mut out = format!("## covenant: {}\n\n", report.headline());
    if let Some(coverage) = report.coverage() {
        let _ = writeln!(out, "{coverage}\n");
    }
    if let Some(void) = &report.void {
        let _ = writeln!(out, "Why: {}\n", plain(void));
    }
    out.push_str("| | |\n|---|---|\n");
    for (name, value) in report.facts() {
        let _ = writeln!(out, "| {name} | {} |", plain(&value));
    }
    let _ = writeln!(out, "\nThe transcript: {UNSIGNED}\n");
    if let Some(words) = report.recorded_arguments() {
        let _ = writeln!(out, "TARGET, as recorded:\n\n    {}\n", terminal(&words));
    }
    if report.outcome.is_none() {
        let _ = writeln!(out, "Interrupted: {NO_END}\n");
    }
    for failed in &report.failed_stages {
        let fault = plain(&failed.fault.to_string());
        let _ = writeln!(out, "- Failed stage **{}**: {fault}", failed.stage);
    }
    table(&mut out, report);
    if report.void.is_none() {
        let is_broken = |check: &&EvaluatedCheck| check.evaluation.result.verdict == Verdict::Broken;
        for check in report.checks.iter().filter(is_broken).chain(report.flaky().map(|(check, _)| check)) {
            breach(&mut out, check);
        }
    }
    for fault in &report.known_faults {
        let _ = writeln!(out, "\n**Known breaches**: {}", plain(&fault.to_string()));
    }
    diagnostics(&mut out, report);
    warnings(&mut out, report);
    out
}

fn table(out: &mut String, report: &Report) {
    out.push_str("\n| # | commitment | conduct | detection | score |\n|---|---|---|---|---|\n");
    for row in &report.score.sections {
        let score = row.score.map_or_else(|| "–".to_owned(), |score| score.to_string());
        let (conduct, detection) = (standing(row.conduct), standing(row.detection));
        let _ = writeln!(out, "| {} | {} | {conduct} | {detection} | {score} |", row.section, row.title);
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Kept => "kept",
        Standing::Broken => "**broken**",
        Standing::Unproven => "unproven",
        Standing::Attested => "attested",
        Standing::NotApplicable => "–",
        Standing::NotEvaluated => "not evaluated",
    }
}

fn breach(out: &mut String, evaluated: &EvaluatedCheck) {
    let (check, result) = (&evaluated.evaluation.check, &evaluated.evaluation.result);
    let known = if evaluated.known.is_some() { " (known)" } else { "" };
    let flaky = evaluated.evaluation.flaky.as_ref();
    let word = if flaky.is_some() { "Flaky" } else { "Broken" };
    let _ = writeln!(out, "\n### {word}: {} {}{known}\n", check.clause, check.aspect);
    if let Some(known) = &evaluated.known {
        let _ = writeln!(out, "- Known: {}", plain(&known.to_string()));
    }
    let evidence: Vec<String> = result.evidence.iter().map(|n| format!("entry {n}")).collect();
    let expected: Vec<String> = result.expected.iter().map(|text| plain(text)).collect();
    for (name, text) in [
        ("Requirement", plain(&check.requirement)),
        ("Expected", expected.join("; or ")),
        ("Actual", plain(&result.actual)),
        ("Evidence", format!("{} of {}", evidence.join(", "), plain(evaluated.evaluation.trace()))),
        ("Basis", check.basis.to_string()),
    ] {
        let _ = writeln!(out, "- {name}: {text}");
    }
    // An indented block holds any command, whatever quotes it has.
    let _ = writeln!(out, "\n    {}", terminal(&evaluated.replay));
}

fn diagnostics(out: &mut String, report: &Report) {
    if !report.diagnostics.is_empty() {
        let _ = writeln!(out, "\n### Diagnosis, as an anonymous client\n");
    }
    for point in &report.diagnostics {
        let _ = writeln!(out, "- {}", plain(&point.line()));
    }
}

fn warnings(out: &mut String, report: &Report) {
    if report.warnings.is_empty() {
        return;
    }
    out.push_str("\n### Warnings\n\n");
    for warning in &report.warnings {
        let (text, scenario) = (plain(&warning.text), plain(&warning.scenario));
        let _ = writeln!(out, "- {text}, {} times, first in {scenario}", warning.times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{flaky, report};
    use crate::warning::sample as warning;
    use covenant_model::contract::Basis::Proposed;

    #[test]
    fn a_breach_is_shown_with_its_evidence_and_the_command_that_replays_it() {
        let text = markdown(&report(&[("7.3", Proposed, Verdict::Broken), ("7.1", Proposed, Verdict::Kept)]));
        for part in [
            "## covenant: BROKEN",
            "| 7 | Migration hygiene | **broken** |",
            "### Broken: 7.3 conduct",
            "    covenant run",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("### Broken").count(), 1);
    }

    #[test]
    fn a_flaky_check_has_a_row_of_its_own() {
        let text = markdown(&flaky(&report(&[("7.3", Proposed, Verdict::Broken)])));
        assert!(text.contains("### Flaky: 7.3 conduct\n") && !text.contains("### Broken"), "{text}");
        assert!(text.contains("- Actual: flaky: broken in 1 of 2 plays: why"), "{text}");
        assert!(text.contains(" of scenario retry 1\n"), "{text}");
    }

    #[test]
    fn a_warning_is_listed() {
        let warned = Report { warnings: vec![warning()], ..report(&[("7.1", Proposed, Verdict::Kept)]) };
        let text = markdown(&warned);
        assert!(
            text.contains("### Warnings\n\n- POST /accept answered 500, 2 times, first in scenario"),
            "{text}"
        );
    }

    #[test]
    fn a_void_run_shows_no_breach() {
        let void =
            Report { void: Some("no handshake".to_owned()), ..report(&[("7.3", Proposed, Verdict::Broken)]) };
        let text = markdown(&void);
        assert!(text.contains("Why: no handshake") && !text.contains("### Broken"), "{text}");
    }
}

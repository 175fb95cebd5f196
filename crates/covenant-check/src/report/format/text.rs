//! The report for a person: 80 columns, readable without colour, the verdict first.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::check::Verdict;
use crate::report::escape::terminal;
use crate::report::{EvaluatedCheck, FailedStage, MissingMethod, Report};
use crate::score::{Overall, SectionScore, Standing};
use covenant_model::contract::Basis;
use covenant_model::transcript::Outcome;

const WIDTH: usize = 80;
/// The maximum number of reasons for unproven clauses that are listed one by one.
const REASONS_MAX: usize = 12;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default().bold();

/// Returns the report as text, with colour as escape sequences that a stream may strip.
#[must_use]
pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    table(&mut out, report);
    for evaluated in
        report.checks.iter().filter(|evaluated| evaluated.evaluation.result.verdict == Verdict::Broken)
    {
        if report.void.is_none() {
            breach(&mut out, evaluated);
        }
    }
    open_questions(&mut out, report);
    missing_methods(&mut out, report);
    aborted(&mut out, report);
    tail(&mut out, report);
    out
}

fn head(out: &mut String, report: &Report) {
    let (style, verdict) = match report.score.overall {
        Overall::Kept if report.partial => (GOOD, "KEPT, as far as this part of the contract goes"),
        Overall::Kept if report.score.aspects.iter().all(|aspect| aspect.standing == Standing::Kept) => {
            (GOOD, "KEPT: every clause of the contract")
        }
        Overall::Kept => (GOOD, "KEPT: every clause that can be shown"),
        Overall::Broken => (BAD, "BROKEN"),
        Overall::Unproven if report.checks.is_empty() => (OPEN, "UNPROVEN: nothing was evaluated"),
        Overall::Unproven => (OPEN, "UNPROVEN: nothing is broken, and not all could be shown"),
        Overall::Void => (BAD, "VOID: this run says nothing of the target"),
    };
    let cut = match report.outcome {
        Some(Outcome::Completed) => "",
        Some(Outcome::Interrupted) => " (interrupted: a partial report)",
        _ => " (cut short: a partial report)",
    };
    let _ = writeln!(out, "{style}{verdict}{style:#}{cut}");
    if report.score.overall == Overall::Broken {
        let count = report.score.aspects.iter().filter(|aspect| aspect.standing == Standing::Broken).count();
        let _ = writeln!(
            out,
            "{count} {} broken by the target",
            plural(count, "aspect of a clause is", "aspects of clauses are")
        );
    }
    if let Some(void) = &report.void {
        wrapped(out, "why: ", void);
    }
    for failed in &report.failed_stages {
        failed_stage(out, failed);
    }
    wrapped(out, "target: ", &report.target);
    let digest = report.contract.contract_digest.as_deref().and_then(|digest| digest.get(..12));
    let _ = writeln!(
        out,
        "seed: {}   contract: {} ({})   binding: {}   covenant: {}",
        report.seed,
        report.contract.contract_version,
        digest.map_or_else(|| "text unknown".to_owned(), |digest| format!("{digest}…")),
        report.binding,
        report.covenant
    );
    wrapped(out, "contract text: ", &report.contract.to_string());
}

fn failed_stage(out: &mut String, failed: &FailedStage) {
    let FailedStage { stage, scenario, fault, blocked } = failed;
    let scenarios =
        plural(usize::try_from(*blocked).unwrap_or(usize::MAX), "scenario needs", "scenarios need");
    wrapped(
        out,
        "failed stage: ",
        &format!(
            "{stage}: {fault}; {blocked} {scenarios} it and could not be played; \
             see what the target answered with covenant run --only {scenario}"
        ),
    );
}

fn table(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "\n  # {:<28}{:<14}{:<14}{:>5}  clauses",
        "commitment", "conduct", "detection", "score"
    );
    for row in &report.score.sections {
        let score = row.score.map_or_else(|| "–".to_owned(), |score| score.to_string());
        let (conduct, detection) = (standing(row.conduct), standing(row.detection));
        let _ = writeln!(
            out,
            "{:>3} {:<28}{}{:<14}{:#}{}{:<14}{:#}{score:>5}  {}",
            row.section,
            row.title,
            conduct.0,
            conduct.1,
            conduct.0,
            detection.0,
            detection.1,
            detection.0,
            clauses(row)
        );
    }
}

fn standing(standing: Standing) -> (Style, &'static str) {
    match standing {
        Standing::Kept => (GOOD, "kept"),
        Standing::Broken => (BAD, "BROKEN"),
        Standing::Unproven => (OPEN, "unproven"),
        Standing::Attested => (OPEN, "attested"),
        Standing::NotApplicable => (Style::new(), "–"),
        Standing::NotEvaluated => (Style::new(), "not evaluated"),
    }
}

/// Returns the short form of a row's clauses, such as `4 kept, 1 broken`.
fn clauses(row: &SectionScore) -> String {
    let counts = [
        (row.broken.len(), "broken"),
        (row.kept.len(), "kept"),
        (row.unproven.len(), "open"),
        (row.attested.len(), "attested"),
        (row.not_applicable.len(), "n/a"),
    ];
    let reported: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    reported.join(", ")
}

/// Returns a basis in words.
fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed",
        Basis::Proposed => "proposed (binding extension)",
    }
}

fn breach(out: &mut String, evaluated: &EvaluatedCheck) {
    let check = &evaluated.evaluation.check;
    let result = &evaluated.evaluation.result;
    let _ = writeln!(out, "\n{BAD}BROKEN{BAD:#} {} {}  {}", check.clause, check.aspect, check.id);
    wrapped(out, "  requirement: ", &check.requirement);
    for (place, expected) in result.expected.iter().enumerate() {
        wrapped(out, if place == 0 { "  expected:    " } else { "  or:          " }, expected);
    }
    wrapped(out, "  actual:      ", &result.actual);
    let evidence: Vec<String> = result.evidence.iter().map(|n| format!("#{n}")).collect();
    wrapped(out, "  evidence:    ", &format!("{} of {}", evidence.join(" "), check.scenario));
    wrapped(out, "  basis:       ", basis(check.basis));
    // A command stays on one line, however long it is, so that it can be copied.
    let _ = writeln!(out, "  replay:      {}", terminal(&evaluated.replay));
    let _ = writeln!(out, "  help:        covenant explain {}", check.clause);
}

/// Writes the clauses that are unproven, attested or not applicable, by reason.
fn open_questions(out: &mut String, report: &Report) {
    by_reason(out, report, Standing::Unproven, "unproven");
    by_reason(out, report, Standing::Attested, "attested by a person");
    by_reason(out, report, Standing::NotApplicable, "not applicable");
}

fn by_reason(out: &mut String, report: &Report, standing: Standing, title: &str) {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for aspect in report.score.aspects.iter().filter(|aspect| aspect.standing == standing) {
        let reason = aspect.reason.as_deref().unwrap_or("not all could be shown");
        reasons.entry(reason).or_default().push(format!("{} {}", aspect.clause, aspect.aspect));
    }
    if reasons.is_empty() {
        return;
    }
    let count: usize = reasons.values().map(Vec::len).sum();
    let _ = writeln!(out, "\n{OPEN}{title}{OPEN:#} ({count} {})", plural(count, "aspect", "aspects"));
    for (reason, aspects) in reasons.iter().take(REASONS_MAX) {
        wrapped(out, "  ", &format!("{reason}: {}", aspects.join(", ")));
    }
    if reasons.len() > REASONS_MAX {
        let _ = writeln!(out, "  … and {} reasons more, in report.json", reasons.len() - REASONS_MAX);
    }
}

/// Writes the methods that an adapter has to implement so that more can be proved.
fn missing_methods(out: &mut String, report: &Report) {
    if report.missing_methods.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{OPEN}methods that would prove more{OPEN:#}");
    for MissingMethod { method, aspects } in &report.missing_methods {
        wrapped(out, &format!("  {:<20}", terminal(method)), &aspects.join(", "));
    }
}

/// Writes the scenarios that did not complete, with their blame.
fn aborted(out: &mut String, report: &Report) {
    // Missing methods and failed stages are listed above.
    let reported_here = |outcome: Option<&Outcome>| {
        !matches!(outcome, Some(Outcome::Completed | Outcome::Unsupported { .. } | Outcome::Blocked { .. }))
    };
    let not_ended = report.scenarios.iter().filter(|row| reported_here(row.outcome.as_ref()));
    for row in not_ended {
        let (whose, why) = match &row.outcome {
            Some(Outcome::Aborted(fault)) => (fault.blame.to_string(), fault.to_string()),
            Some(Outcome::Interrupted) => ("interrupted".to_owned(), String::new()),
            Some(Outcome::Completed | Outcome::Unsupported { .. } | Outcome::Blocked { .. }) | None => {
                ("not run".to_owned(), String::new())
            }
        };
        let _ = writeln!(out);
        wrapped(out, "", &format!("aborted ({whose}): {}: {why}", row.id));
    }
}

fn tail(out: &mut String, report: &Report) {
    let counts = report.counts;
    let _ = writeln!(
        out,
        "\nchecks: {} planned, {} emitted; {} kept, {} broken, {} unproven",
        counts.planned, counts.emitted, counts.kept, counts.broken, counts.unproven
    );
    let _ = writeln!(out, "scenarios: {}", report.scenarios.len());
}

/// Writes a text after a prefix, broken at white space so that it fits the width. A word that is too long for a line is
/// split, and no other word is, so that ids and paths can be copied.
fn wrapped(out: &mut String, prefix: &str, text: &str) {
    let words: Vec<String> = terminal(text).split_whitespace().map(ToOwned::to_owned).collect();
    let indent = " ".repeat(display_width(prefix));
    let options = Options::new(WIDTH)
        .initial_indent(prefix)
        .subsequent_indent(&indent)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    for line in textwrap::wrap(&words.join(" "), options) {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(prefix: &str, text: &str) -> Vec<String> {
        let mut out = String::new();
        wrapped(&mut out, prefix, text);
        out.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_text_is_wrapped_between_words_and_aligned_after_its_prefix() {
        let words = "well-known ".repeat(9);
        let broken = lines("  actual:      ", &format!("{words}\t end"));
        let start = "well-known ".repeat(6);
        let rest = "well-known ".repeat(3);
        assert_eq!(broken, [format!("  actual:      {}", start.trim_end()), format!("{:15}{rest}end", "")]);
        assert_eq!(lines("  actual:      ", ""), ["  actual:"]);
        assert_eq!(lines("", &"x".repeat(WIDTH + 1)), ["x".repeat(WIDTH), "x".to_owned()]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(text in "\\PC{0,400}") {
            for line in lines("  requirement: ", &text) {
                prop_assert!(display_width(&line) <= WIDTH, "{}: {line}", display_width(&line));
            }
        }
    }
}

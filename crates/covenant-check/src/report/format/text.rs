//! The report for a person: 80 columns, 100 for the table, readable without colour, the verdict first.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::aborted::aborted as causes;
use super::clauses::clauses;
use crate::check::{Evaluation, Verdict};
use crate::report::escape::terminal;
use crate::report::{
    EvaluatedCheck, FailedStage, MissingMethod, NO_END, Report, ShownEntry, UNSIGNED, clearest_entry,
    is_named,
};
use crate::score::{Overall, SectionScore, Standing};
use covenant_model::contract::Basis;
use covenant_model::shell;

const WIDTH: usize = 80;
/// The width of the table, and the column in which its clauses begin.
const TABLE_WIDTH: usize = 100;
const CLAUSES_COLUMN: usize = 71;
/// The maximum number of reasons for unproven clauses that are listed one by one.
const REASONS_MAX: usize = 12;
/// The maximum number of lines of a request, and of a response, that are shown under a breach.
const NAMED_LINES_MAX: usize = 3;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default().bold();

/// Returns the report as text, with colour as escape sequences that a stream may strip.
#[must_use]
pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    // Of a void run there is nothing to say but its cause, which is in the head.
    if report.void.is_none() {
        table(&mut out, report);
        let is_broken = |check: &&EvaluatedCheck| check.evaluation.result.verdict == Verdict::Broken;
        let flaky = report.flaky().map(|(check, _)| check);
        for evaluated in report.checks.iter().filter(is_broken).chain(flaky) {
            breach(&mut out, report, evaluated);
        }
        open_questions(&mut out, report);
        missing_methods(&mut out, report);
    }
    for fault in &report.known_faults {
        out.push('\n');
        wrapped(&mut out, "known breaches: ", &fault.to_string());
    }
    diagnostics(&mut out, report);
    warnings(&mut out, report);
    aborted(&mut out, report);
    tail(&mut out, report);
    out
}

fn head(out: &mut String, report: &Report) {
    let style = match report.score.overall {
        Overall::Kept => GOOD,
        Overall::Broken | Overall::Void => BAD,
        Overall::Unproven => OPEN,
    };
    let cut = report.cut().map(|cut| format!(" ({}: a partial report)", terminal(&cut))).unwrap_or_default();
    // The headline stays on one line, however long it is, so that it is quoted whole.
    let _ = writeln!(out, "{style}{}{style:#}{cut}", report.headline());
    if let Some(coverage) = report.coverage() {
        wrapped(out, "", &coverage);
    }
    if report.outcome.is_none() {
        wrapped(out, "no end: ", NO_END);
    }
    if let Some(void) = &report.void {
        wrapped(out, "why: ", void);
    }
    for failed in &report.failed_stages {
        failed_stage(out, failed);
    }
    wrapped(out, "target: ", &report.recorded_target());
    if let Some(words) = report.recorded_arguments() {
        // A command stays on one line, however long it is.
        let _ = writeln!(out, "TARGET, as recorded: {}", terminal(&words));
    }
    // What differs from run to run has a line of its own.
    for (name, value) in report.target_facts().into_iter().chain(report.time_facts()) {
        wrapped(out, &format!("{name}: "), &value);
    }
    let digest = report.contract.contract_digest.as_deref().and_then(|digest| digest.get(..12));
    let _ = writeln!(
        out,
        "seed: {}   contract: {} ({})   binding: {}   covenant: {}",
        report.seed,
        report.contract.contract_version,
        digest.map_or_else(|| "text unknown".to_owned(), |digest| format!("{digest}…")),
        terminal(&report.binding),
        terminal(&report.covenant)
    );
    wrapped(out, "contract text: ", &report.contract.to_string());
    if let Some(digest) = &report.contract.contract_digest {
        wrapped(out, "               ", digest);
    }
    let _ = writeln!(out, "transcript: {}", terminal(&report.transcript_sha256));
    if let Some(original) = report.redacted_from() {
        wrapped(out, "redacted copy of: ", original);
    }
    wrapped(out, "            ", UNSIGNED);
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
             see what the target answered with covenant run {}",
            shell::flag("--only", scenario)
        ),
    );
}

/// Writes a row for each section: the standing of conduct and detection on each basis, score and clauses.
fn table(out: &mut String, report: &Report) {
    let _ = writeln!(out, "\n{:28}{:<18}detection", "", "conduct");
    let _ = writeln!(
        out,
        " # {:<25}{2:<9}{3:<9}{2:<9}{3:<9}{1:>5}  clauses",
        "commitment", "score", "observed", "proposed"
    );
    for row in &report.score.sections {
        let score = row.score.map_or_else(|| "–".to_owned(), |score| score.to_string());
        let start = format!("{:>2} {:<25}{}{score:>5}  ", row.section, row.title, cells(row));
        clauses_of_row(out, &start, &clauses(report, row));
    }
    if report.score.sections.iter().flat_map(standings).any(|standing| standing == Standing::NotEvaluated) {
        let _ = writeln!(out, "·  no check of this basis was evaluated");
    }
}

/// Returns the four standings of a row, in the order of the columns.
fn standings(row: &SectionScore) -> [Standing; 4] {
    let (conduct, detection) = (row.conduct_by_basis, row.detection_by_basis);
    [conduct.observed, conduct.proposed, detection.observed, detection.proposed]
}

fn cells(row: &SectionScore) -> String {
    let cells = standings(row).map(standing).map(|(style, word)| format!("{style}{word:<9}{style:#}"));
    cells.concat()
}

fn standing(standing: Standing) -> (Style, &'static str) {
    match standing {
        Standing::Kept => (GOOD, "kept"),
        Standing::Broken => (BAD, "BROKEN"),
        Standing::Unproven => (OPEN, "unproven"),
        Standing::Attested => (OPEN, "attested"),
        Standing::NotApplicable => (Style::new(), "–"),
        Standing::NotEvaluated => (Style::new(), "·"),
    }
}

/// Writes the last column of a row after the start of it. What does not fit is on further lines.
fn clauses_of_row(out: &mut String, start: &str, clauses: &str) {
    let mut lines = textwrap::wrap(clauses, TABLE_WIDTH - CLAUSES_COLUMN).into_iter();
    let first = lines.next().unwrap_or_default();
    let _ = writeln!(out, "{}", format!("{start}{first}").trim_end());
    for line in lines {
        let _ = writeln!(out, "{:CLAUSES_COLUMN$}{line}", "");
    }
}

/// Returns a basis in words.
fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed",
        Basis::Proposed => "proposed (binding extension)",
    }
}

fn breach(out: &mut String, report: &Report, evaluated: &EvaluatedCheck) {
    let check = &evaluated.evaluation.check;
    let result = &evaluated.evaluation.result;
    let (style, word) = match (&evaluated.known, &evaluated.evaluation.flaky) {
        (Some(_), _) => (OPEN, "KNOWN "),
        (None, Some(_)) => (OPEN, "FLAKY "),
        (None, None) => (BAD, "BROKEN"),
    };
    let _ =
        writeln!(out, "\n{style}{word}{style:#} {} {}  {}", check.clause, check.aspect, terminal(&check.id));
    wrapped(out, "  requirement: ", &check.requirement);
    for (place, expected) in result.expected.iter().enumerate() {
        wrapped(out, if place == 0 { "  expected:    " } else { "  or:          " }, expected);
    }
    wrapped(out, "  actual:      ", &result.actual);
    let evidence: Vec<String> = result.evidence.iter().map(|n| format!("#{n}")).collect();
    wrapped(out, "  evidence:    ", &format!("{} of {}", evidence.join(" "), evaluated.evaluation.trace()));
    wrapped(out, "  basis:       ", basis(check.basis));
    if let Some(known) = &evaluated.known {
        wrapped(out, "  known:       ", &known.to_string());
    }
    if let Some(entry) = clearest_entry(&report.shown, &evaluated.evaluation) {
        exchange(out, entry, &evaluated.evaluation);
    }
    // A command stays on one line, however long it is, so that it can be copied.
    let _ = writeln!(out, "  replay:      {}", terminal(&evaluated.replay));
    let _ = writeln!(out, "  help:        covenant explain {}", check.clause);
}

/// Writes the exchange that shows a breach, in a few lines: the call, and the members that the verdict names.
fn exchange(out: &mut String, entry: &ShownEntry, evaluation: &Evaluation) {
    let ShownEntry { n, from, to, call, outcome, .. } = entry;
    let to = if to.is_empty() { String::new() } else { format!(" to {to}") };
    let answer = if outcome.is_empty() { String::new() } else { format!(": {outcome}") };
    wrapped(out, "  exchange:    ", &format!("#{n} {from}{to}, {call}{answer}"));
    for (part, lines) in [("sent", &entry.request), ("answered", &entry.response)] {
        let named = lines.iter().filter(|line| is_named(line, evaluation));
        let mut named: Vec<&str> = named.map(|line| line.trim().trim_end_matches(',')).collect();
        named.dedup();
        for line in named.into_iter().take(NAMED_LINES_MAX) {
            wrapped(out, &format!("{:15}{part:<9}", ""), line);
        }
    }
    let show = shell::word(&format!("{}#{n}", evaluation.trace()));
    let _ = writeln!(out, "{:15}covenant show RUN {}", "", terminal(&show));
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

/// Writes the points of the diagnosis, if the run was one.
fn diagnostics(out: &mut String, report: &Report) {
    if !report.diagnostics.is_empty() {
        let _ = writeln!(out, "\ndiagnosis, as an anonymous client");
    }
    for point in &report.diagnostics {
        wrapped(out, "  ", &point.line());
    }
}

/// Writes what was seen and no clause covers.
fn warnings(out: &mut String, report: &Report) {
    if report.warnings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{OPEN}warnings{OPEN:#} (no verdict, and no part of the exit code)");
    for warning in &report.warnings {
        let often = if warning.times > 1 { format!(" ({} times)", warning.times) } else { String::new() };
        let evidence: Vec<String> = warning.evidence.iter().map(|n| format!("#{n}")).collect();
        let at = format!("{} of {}", evidence.join(" "), warning.scenario);
        wrapped(out, "  ", &format!("{}{often}; {at}", warning.text));
    }
}

/// Writes the scenarios that did not complete, with their blame, by cause.
fn aborted(out: &mut String, report: &Report) {
    for line in causes(report) {
        let _ = writeln!(out);
        wrapped(out, "", &line);
    }
}

fn tail(out: &mut String, report: &Report) {
    let counts = report.counts;
    let _ = writeln!(
        out,
        "\nchecks: {} planned, {} emitted; {} kept, {} broken, {} unproven{}",
        counts.planned,
        counts.emitted,
        counts.kept,
        counts.broken,
        counts.unproven,
        if counts.flaky > 0 { format!(", {} of them flaky", counts.flaky) } else { String::new() }
    );
    for (basis, of) in [("observed", counts.by_basis.observed), ("proposed", counts.by_basis.proposed)] {
        let _ = writeln!(out, "  {basis}: {} kept, {} broken, {} unproven", of.kept, of.broken, of.unproven);
    }
    let _ = writeln!(out, "scenarios: {}", report.scenarios_once().count());
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
    use crate::check::Verdict::{Broken, Kept, NotApplicable, Unproven};
    use crate::report::sample::{flaky, report};
    use crate::warning::sample as warning;
    use covenant_model::contract::Basis::{Observed, Proposed};
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

    #[test]
    fn a_flaky_check_is_shown_as_a_breach_is_and_counted() {
        let mut once = flaky(&report(&[("7.1", Observed, Broken), ("7.2", Observed, Kept)]));
        once.checks[0].evaluation.result.evidence = vec![4];
        let text = plain(&once);
        assert!(text.starts_with("UNPROVEN, flaky: 1 check, nothing else broken: 1 of "), "{text}");
        assert!(text.contains("\nFLAKY  7.1 conduct  scenario/7.1#1\n"), "{text}");
        assert!(text.contains("  actual:      flaky: broken in 1 of 2 plays: why\n"), "{text}");
        assert!(text.contains("  evidence:    #4 of scenario retry 1\n"), "{text}");
        assert!(text.contains("1 kept, 0 broken, 1 unproven, 1 of them flaky\n"), "{text}");
    }

    /// Returns the text of a report without colour.
    fn plain(report: &Report) -> String {
        let coloured = text(report);
        let mut parts = coloured.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |plain, part| plain + part.split_once('m').expect("a colour").1)
    }

    #[test]
    fn a_report_names_its_transcript_and_a_missing_end() {
        let whole = report(&[("7.1", Observed, Kept)]);
        let shown = plain(&whole);
        let digest = format!("\ntranscript: {}\n            it is not signed", "ab".repeat(32));
        assert!(shown.contains(&digest) && !shown.contains("interrupted"), "{shown}");
        let shown = plain(&Report { outcome: None, ..whole });
        assert!(shown.lines().next().is_some_and(|line| line.ends_with("(interrupted: a partial report)")));
        assert!(shown.contains("\nno end: the transcript ends without"), "{shown}");
    }

    #[test]
    fn a_recorded_target_is_quoted_and_marked() {
        let shown = plain(&report(&[("7.1", Observed, Kept)]));
        assert!(shown.contains("\ntarget: https://platform.example/ (as recorded)\n"), "{shown}");
        let words = "\nTARGET, as recorded: --adapter \"python3 'my adapter.py'\"\n";
        assert!(shown.contains(words), "{shown}");
        let hostile = Report { target: "x; touch P".to_owned(), ..report(&[]) };
        assert!(plain(&hostile).contains("\ntarget: 'x; touch P' (as recorded)\n"));
        let embedded = Report { reference: Some(vec![]), ..report(&[]) };
        assert!(!plain(&embedded).contains("as recorded"));
    }

    #[test]
    fn a_row_shows_both_bases() {
        let shown = plain(&report(&[
            ("7.1", Observed, Kept),
            ("7.1", Proposed, Broken),
            ("7.2", Observed, Unproven),
            ("8.1", Proposed, Kept),
        ]));
        let rows = [
            "                            conduct           detection",
            " # commitment               observed proposed observed proposed score  clauses",
            " 7 Migration hygiene        unproven BROKEN   ·        ·            –  1 broken, 1 open of 5",
            " 8 Data residency           ·        kept     ·        ·            –  1 kept of 3",
            " O Out of scope             ·        ·        –        –            –",
            "·  no check of this basis was evaluated",
        ];
        for row in rows {
            assert!(shown.lines().any(|line| line == row), "{row:?} in\n{shown}");
        }
        let head = "BROKEN: no clause on the observed wire, 1 on the proposed binding alone\nkept: ";
        assert!(shown.starts_with(head), "{shown}");
        assert!(shown.contains("\n  proposed: 1 kept, 1 broken, 0 unproven\n"), "{shown}");
    }

    #[test]
    fn no_row_of_the_table_is_wider_than_a_hundred_columns() {
        let mut report = report(&[
            ("4.1", Observed, Broken),
            ("4.2", Observed, Kept),
            ("4.3", Proposed, Unproven),
            ("4.4", Proposed, NotApplicable),
        ]);
        let row = report.score.sections.iter_mut().find(|row| row.section == "4").expect("a row");
        row.attested.push("4.4".parse().expect("a clause"));
        let shown = plain(&report);
        let wide = |line: &&str| display_width(line) > TABLE_WIDTH;
        assert_eq!(shown.lines().take(26).find(wide), None);
        let continued = format!("\n{:CLAUSES_COLUMN$}attested, 1 n/a\n", "");
        assert!(shown.contains(&continued), "{shown}");
    }

    #[test]
    fn a_warning_has_a_line_of_its_own_and_no_part_in_the_headline() {
        let kept = report(&[("7.1", Observed, Kept)]);
        let warned = Report { warnings: vec![warning()], ..kept.clone() };
        assert_eq!(warned.headline(), kept.headline());
        let shown = plain(&warned);
        assert!(shown.contains("\n  POST /accept answered 500 (2 times); #23 of scenario\n"), "{shown}");
        assert!(!plain(&kept).contains("warnings"));
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

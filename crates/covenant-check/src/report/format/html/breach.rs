//! The breaches: the clause in plain words, what was expected and seen, the exchange, the replay, the usual fix.

use maud::{Markup, html};

use super::diagram::diagram;
use super::{anchor, shown};
use crate::check::Evaluation;
use crate::report::escape::terminal;
use crate::report::{EvaluatedCheck, Report, ShownEntry, ShownKind, ShownTrace, clearest_entry, is_named};
use covenant_model::contract::{Basis, ClauseId, V1_2026_05, fix};
use covenant_model::shell;

/// The size of all breaches that the page describes, in bytes. The table has the others.
const BREACHES_BYTES_MAX: usize = 1_000_000;
/// The size above which a breach is described without its exchanges. The transcript has them.
const EXCHANGES_BYTES_MAX: usize = 800_000;

/// Describes the breaches, as many as the page has place for, and returns how many they are.
pub(super) fn breaches(report: &Report, broken: &[&EvaluatedCheck]) -> (Markup, usize) {
    let mut described: Vec<Markup> = Vec::new();
    let (mut size, mut has_place) = (0, true);
    for check in broken {
        let whole = has_place.then(|| breach(report, check, &exchange(report, &check.evaluation)));
        let whole = whole.filter(|whole| size + whole.0.len() <= EXCHANGES_BYTES_MAX);
        has_place = whole.is_some();
        let next = whole.unwrap_or_else(|| breach(report, check, &beside(&check.evaluation)));
        size += next.0.len();
        if size > BREACHES_BYTES_MAX {
            break;
        }
        described.push(next);
    }
    let more = broken.len() - described.len();
    let markup = html! {
        @if !broken.is_empty() {
            section #breaches aria-labelledby="breaches-title" {
                h2 #breaches-title { "Breaches" }
                @for breach in &described { (breach) }
                @if more > 0 { p { (more) " breaches more are in the table of checks, and in report.json." } }
            }
        }
    };
    (markup, described.len())
}

fn breach(report: &Report, evaluated: &EvaluatedCheck, exchange: &Markup) -> Markup {
    let (check, result) = (&evaluated.evaluation.check, &evaluated.evaluation.result);
    let id = anchor("breach", &check.id);
    html! {
        article #(id) {
            h3 {
                span.broken {
                    span.sign aria-hidden="true" { "✗" }
                    @if evaluated.known.is_some() { "known breach " } @else { "broken " }
                }
                (check.clause) " " (check.aspect) ": " (shown(&check.requirement)) " "
                a.self href=(format!("#{id}")) aria-label="Link to this breach" { "#" }
            }
            dl {
                @if let Some(obligation) = obligation(report, check.clause) { dt { "clause " (check.clause) } dd { (with_code(obligation)) } }
                @for (place, expected) in result.expected.iter().enumerate() {
                    dt { @if place == 0 { "expected" } @else { "or" } } dd { (shown(expected)) }
                }
                dt { "seen" } dd { strong { (shown(&result.actual)) } }
                @if let Some(known) = &evaluated.known { dt { "known" } dd { (shown(&known.to_string())) } }
                dt { "basis" } dd { (basis(check.basis)) }
                dt { "check" } dd { code { (shown(&check.id)) } }
                dt { "replay" } dd { code.copy { (terminal(&evaluated.replay)) } }
                @if let Some(fix) = fix(check.clause, check.aspect) { dt { "what usually fixes it" } dd { (with_code(fix)) } }
            }
            (exchange)
        }
    }
}

/// Returns the obligation of a clause, in plain words.
pub(super) fn obligation(report: &Report, clause: ClauseId) -> Option<&'static str> {
    let register = report.contract.register().unwrap_or(&V1_2026_05);
    Some(register.clause(clause)?.obligation)
}

/// Returns a text of the suite, with what is between backticks as code.
fn with_code(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed: the wire as platforms speak it",
        Basis::Proposed => "proposed: an extension of the suite's binding",
    }
}

fn command(evaluation: &Evaluation, n: u64) -> String {
    format!("covenant show RUN {}", shell::word(&format!("{}#{n}", evaluation.check.scenario)))
}

/// Returns where the exchanges are that the page leaves out.
fn beside(evaluation: &Evaluation) -> Markup {
    html! {
        p.quiet {
            "The page has no place for the exchanges of this breach. They are in the transcript beside it: "
            @for n in &evaluation.result.evidence { code { (shown(&command(evaluation, *n))) } " " }
        }
    }
}

fn exchange(report: &Report, evaluation: &Evaluation) -> Markup {
    let trace = report.shown.iter().find(|trace| trace.scenario == evaluation.check.scenario);
    let clearest = clearest_entry(&report.shown, evaluation).map(|entry| entry.n);
    let (Some(trace), Some(clearest)) = (trace, clearest) else { return html! {} };
    let near = near(trace, evaluation);
    let cited: Vec<&ShownEntry> =
        near.iter().copied().filter(|entry| evaluation.result.evidence.contains(&entry.n)).collect();
    html! {
        figure {
            div.wide tabindex="0" role="region" aria-label=(format!("Sequence of {}", shown(&evaluation.check.id))) {
                (diagram(&near, &evaluation.result.evidence, clearest))
            }
            figcaption {
                "◆ is evidence; ◆◆ shows the breach. Entries of " code { (shown(&trace.scenario)) } ", "
                (trace.entries_in_all) " in all."
            }
        }
        @for entry in cited { (messages(entry, evaluation, entry.n == clearest)) }
    }
}

/// Returns the entries of the evidence of one check, with their neighbours.
fn near<'a>(trace: &'a ShownTrace, evaluation: &Evaluation) -> Vec<&'a ShownEntry> {
    let evidence = &evaluation.result.evidence;
    let is_near = |entry: &&ShownEntry| evidence.iter().any(|n| n.abs_diff(entry.n) <= 2);
    trace.entries.iter().filter(is_near).collect()
}

/// Shows an entry of the evidence with its messages. What the verdict names is marked.
fn messages(entry: &ShownEntry, evaluation: &Evaluation, is_clearest: bool) -> Markup {
    let (sent, answered) = match entry.kind {
        ShownKind::Exchange => ("request", "response"),
        ShownKind::Operation => ("parameters", "result"),
        ShownKind::Note | ShownKind::Start | ShownKind::End => ("facts", ""),
    };
    html! {
        details open[is_clearest] {
            summary {
                span.broken { @if is_clearest { "◆◆ " } @else { "◆ " } }
                code { "#" (entry.n) " " (shown(&entry.from)) @if !entry.to.is_empty() { " → " (shown(&entry.to)) } "  "
                    (shown(&entry.call)) "  " (shown(&entry.outcome)) }
                @if is_clearest { " shows the breach" }
            }
            p.quiet {
                @if let Some(label) = &entry.label { "label " (shown(label)) "; " }
                @if !entry.injected.is_empty() { "injected by the suite: " (shown(&entry.injected.join(", "))) "; " }
                @if let Some(connection) = &entry.connection { (shown(connection)) "; " }
                code { (shown(&command(evaluation, entry.n))) }
            }
            div.messages {
                (part(sent, &entry.request, evaluation))
                (part(answered, &entry.response, evaluation))
            }
        }
    }
}

fn part(name: &str, lines: &[String], evaluation: &Evaluation) -> Markup {
    html! {
        @if !lines.is_empty() {
            div {
                h4 { (name) }
                pre.lines {
                    @for line in lines {
                        @if is_named(line, evaluation) { span.named { (shown(line)) } } @else { span { (shown(line)) } }
                    }
                }
            }
        }
    }
}

//! The report for a browser: one file that needs no network and no other file.
//!
//! Every text passes through `maud`, which escapes it, and through [`terminal`], which shows what would change the
//! writing direction. The policy in the file lets one script and one style run, each by its digest, and nothing
//! else: what a target sent can neither run nor load anything.

mod breach;
mod checks;
mod diagram;
mod first;
mod open;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::check::Verdict;
use crate::report::escape::terminal;
use crate::report::format::aborted::aborted;
use crate::report::{EvaluatedCheck, Report, UNSIGNED};
use crate::score::Standing;
use covenant_model::wire::canonical::sha256_hex;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The maximum number of characters of a text of a run, commands aside.
const TEXT_MAX: usize = 2_000;
/// The number of warnings that the page lists. `report.json` has them all.
const WARNINGS_MAX: usize = 100;
/// The size that a file stays below, in bytes, whatever a run evaluated.
#[cfg(test)]
const BYTES_MAX: usize = 2_000_000;

/// Returns the report as a page.
pub(super) fn html(report: &Report) -> String {
    let broken = broken(report);
    let (breaches, described) = breach::breaches(report, &broken);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (shown(&format!("{} – covenant", report.headline()))) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (first::header(report))
                main #main tabindex="-1" {
                    (first::screen(report))
                    (contents(report, broken.len()))
                    (breaches)
                    (open::open(report))
                    (diagnostics(report))
                    (warnings(report))
                    (not_completed(report))
                    (checks::checks(report, &broken[..described]))
                }
                footer { p.quiet { (shown(&format!("The transcript: {UNSIGNED}."))) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Returns the policy of the page: nothing is loaded, and only its own script and style run.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(hex::decode(sha256_hex(text)).unwrap_or_default());
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE)
    )
}

/// Returns a text without characters that hide or turn others, and not longer than a page needs.
fn shown(text: &str) -> String {
    beginning(terminal(text), TEXT_MAX)
}

/// Returns the beginning of a text.
fn beginning(text: String, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns the broken checks. A void run has none.
fn broken(report: &Report) -> Vec<&EvaluatedCheck> {
    let is_broken = |check: &&EvaluatedCheck| check.evaluation.result.verdict == Verdict::Broken;
    report.checks.iter().filter(|_| report.void.is_none()).filter(is_broken).collect()
}

fn contents(report: &Report, broken: usize) -> Markup {
    html! {
        nav aria-label="Parts of the report" {
            ul {
                @if broken > 0 { li { a href="#breaches" { "Breaches (" (broken) ")" } } }
                li { a href="#open" { "What was not proved (" (open::count(report)) ")" } }
                @if !report.warnings.is_empty() { li { a href="#warnings" { "Warnings (" (report.warnings.len()) ")" } } }
                @if !aborted(report).is_empty() { li { a href="#aborted" { "Scenarios that did not complete" } } }
                li { a href="#checks" { "Checks (" (report.checks.len()) ")" } }
            }
        }
    }
}

fn diagnostics(report: &Report) -> Markup {
    html! {
        @if !report.diagnostics.is_empty() {
            section #diagnosis aria-labelledby="diagnosis-title" {
                h2 #diagnosis-title { "Diagnosis, as an anonymous client" }
                ul { @for point in report.diagnostics.iter().take(WARNINGS_MAX) { li { (shown(&point.line())) } } }
            }
        }
    }
}

fn warnings(report: &Report) -> Markup {
    html! {
        @if !report.warnings.is_empty() {
            section #warnings aria-labelledby="warnings-title" {
                h2 #warnings-title { "Warnings" }
                p.quiet { "What no clause covers. A warning changes no verdict." }
                ul {
                    @for warning in report.warnings.iter().take(WARNINGS_MAX) {
                        li { (shown(&warning.text)) ", " (warning.times) " times, first in " code { (shown(&warning.scenario)) } }
                    }
                    @if report.warnings.len() > WARNINGS_MAX { li { (report.warnings.len() - WARNINGS_MAX) " more in report.json" } }
                }
            }
        }
    }
}

fn not_completed(report: &Report) -> Markup {
    let causes = aborted(report);
    html! {
        @if !causes.is_empty() {
            section #aborted aria-labelledby="aborted-title" {
                h2 #aborted-title { "Scenarios that did not complete" }
                ul { @for cause in &causes { li { (shown(cause)) } } }
            }
        }
    }
}

/// Returns a standing as a sign and a word: colour alone says nothing.
fn standing(standing: Standing) -> Markup {
    let (sign, word) = match standing {
        Standing::Kept => ("✓", "kept"),
        Standing::Broken => ("✗", "broken"),
        Standing::Unproven => ("?", "unproven"),
        Standing::Attested => ("✎", "attested"),
        Standing::NotApplicable => ("–", "not applicable"),
        Standing::NotEvaluated => ("·", "not evaluated"),
    };
    html! {
        span.broken[standing == Standing::Broken].quiet[standing == Standing::NotEvaluated] {
            span.sign aria-hidden="true" { (sign) } (word)
        }
    }
}

/// Returns the id of an element for something with an id of its own, of characters that an address keeps.
fn anchor(kind: &str, id: &str) -> String {
    let safe = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    format!("{kind}-{}", safe.collect::<String>())
}

#[cfg(test)]
mod tests;

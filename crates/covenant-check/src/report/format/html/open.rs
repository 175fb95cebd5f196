//! Aspects that were not proved, why, and which method would prove them.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::breach::obligation;
use super::{anchor, beginning, shown, standing};
use crate::report::Report;
use crate::score::{AspectScore, Standing};

/// The standings of an aspect that is neither proved nor broken, in the order of the page.
const OPEN: [Standing; 4] =
    [Standing::Unproven, Standing::Attested, Standing::NotApplicable, Standing::NotEvaluated];

/// The maximum number of characters of a reason.
const REASON_MAX: usize = 400;

fn is_open(aspect: &AspectScore) -> bool {
    matches!(aspect.standing, Standing::Unproven | Standing::Attested | Standing::NotEvaluated)
}

/// Returns the number of aspects that apply and are neither kept nor broken.
pub(super) fn count(report: &Report) -> usize {
    report.score.aspects.iter().filter(|aspect| is_open(aspect)).count()
}

pub(super) fn open(report: &Report) -> Markup {
    html! {
        section #open aria-labelledby="open-title" {
            h2 #open-title { "What was not proved" }
            @if report.void.is_some() { p { "Nothing: the run is void." } }
            @else {
                @if count(report) == 0 { p { "Each aspect that applies was proved or is broken." } }
                (by_reason(report))
                (methods(report))
            }
        }
    }
}

fn by_reason(report: &Report) -> Markup {
    let mut reasons: Vec<(Standing, BTreeMap<&str, Vec<&AspectScore>>)> = Vec::new();
    for wanted in OPEN {
        let mut of: BTreeMap<&str, Vec<&AspectScore>> = BTreeMap::new();
        for aspect in report.score.aspects.iter().filter(|aspect| aspect.standing == wanted) {
            let reason = aspect.reason.as_deref().unwrap_or(match wanted {
                Standing::NotEvaluated => "this run was asked for another part of the contract",
                _ => "not all could be shown",
            });
            of.entry(reason).or_default().push(aspect);
        }
        reasons.push((wanted, of));
    }
    html! {
        @if reasons.iter().any(|(_, of)| !of.is_empty()) {
            dl.reasons {
                @for (wanted, of) in &reasons {
                    @for (reason, aspects) in of {
                        dt { (standing(*wanted)) ": " (beginning(shown(reason), REASON_MAX)) }
                        dd { @for aspect in aspects { (aspect_link(report, aspect)) " " } }
                    }
                }
            }
        }
    }
}

/// Names an aspect, with the obligation of its clause, and links its first check if it has one.
fn aspect_link(report: &Report, aspect: &AspectScore) -> Markup {
    let name = format!("{} {}", aspect.clause, aspect.aspect);
    let title = obligation(report, aspect.clause).unwrap_or_default();
    html! {
        span.basis {
            @if let Some(check) = aspect.checks.first() {
                a href=(format!("#{}", anchor("check", check))) title=(title) { (name) }
            } @else { span title=(title) { (name) } }
        }
    }
}

fn methods(report: &Report) -> Markup {
    html! {
        @if !report.missing_methods.is_empty() {
            h3 { "Methods that would prove more" }
            p.quiet { "The adapter lacks them. " code { "covenant explain METHOD" } " says what each one does." }
            table {
                thead { tr { th scope="col" { "method" } th.number scope="col" { "aspects" } th scope="col" { "which" } } }
                tbody {
                    @for missing in &report.missing_methods {
                        tr {
                            th scope="row" { code { (shown(&missing.method)) } }
                            td.number { (missing.aspects.len()) }
                            td { (shown(&missing.aspects.join(", "))) }
                        }
                    }
                }
            }
        }
    }
}

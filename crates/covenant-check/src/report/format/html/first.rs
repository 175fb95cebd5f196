//! The first screen: verdict, scope, the twelve commitments with their two aspects, and the facts of the run.

use maud::{Markup, html};

use super::{anchor, shown, standing};
use crate::report::format::clauses::clauses;
use crate::report::{NO_END, Report};
use crate::score::{ByBasis, Overall, SectionScore, Standing};

pub(super) fn header(report: &Report) -> Markup {
    let (sign, is_broken) = match report.score.overall {
        Overall::Kept if report.partial => ("◐", false),
        Overall::Kept => ("✓", false),
        Overall::Broken => ("✗", true),
        Overall::Unproven => ("?", false),
        Overall::Void => ("∅", true),
    };
    html! {
        header {
            p.quiet { "covenant, report on " (shown(&report.recorded_target())) }
            h1.broken[is_broken] { span.sign aria-hidden="true" { (sign) } (shown(&report.headline())) }
            @if let Some(coverage) = report.coverage() { p { strong { "Scope: " } (shown(&coverage)) } }
            @if let Some(cut) = report.cut() { p { strong { "A partial report: " } (shown(&cut)) } }
            @if report.outcome.is_none() { p { strong { "No end: " } (NO_END) } }
            @if report.counts.flaky > 0 {
                p { strong { "Flaky: " } "checks that are broken in some plays of their scenario alone: " (report.counts.flaky) }
            }
            @for fault in &report.known_faults { p.broken { strong { "Known breaches: " } (shown(&fault.to_string())) } }
            @if let Some(void) = &report.void { p { strong { "Why: " } (shown(void)) } }
            @for failed in &report.failed_stages {
                p {
                    strong { "Failed stage: " } (failed.stage) ": " (shown(&failed.fault.to_string()))
                    "; " (failed.blocked) " scenarios need it and could not be played"
                }
            }
        }
    }
}

pub(super) fn screen(report: &Report) -> Markup {
    html! {
        div.first {
            section aria-label="Commitments" { (matrix(report)) }
            section aria-label="Facts of the run" { (facts(report)) }
        }
    }
}

fn facts(report: &Report) -> Markup {
    html! {
        dl {
            @for (name, value) in report.facts() {
                dt { (name) }
                @if is_code(name) { dd.mono { (shown(&value)) } } @else { dd { (shown(&value)) } }
            }
            @if let Some(words) = report.recorded_arguments() {
                dt { "TARGET" } dd { code { (shown(&words)) } " (as recorded)" }
            }
        }
    }
}

fn is_code(name: &str) -> bool {
    ["address", "certificate", "contract digest", "transcript"].contains(&name)
}

fn matrix(report: &Report) -> Markup {
    let (commitments, after): (Vec<&SectionScore>, Vec<&SectionScore>) =
        report.score.sections.iter().partition(|row| row.section.parse::<u8>().is_ok());
    html! {
        table.matrix {
            caption { "The standing of each aspect, and the basis that shows it" }
            thead {
                tr {
                    th.number scope="col" { "#" }
                    th scope="col" { "commitment" }
                    th scope="col" { "conduct" }
                    th scope="col" { "detection" }
                    th.number scope="col" { "score" }
                    th scope="col" { "clauses" }
                }
            }
            tbody { @for section in commitments { (row(report, section)) } }
            tbody.after { @for section in after { (row(report, section)) } }
        }
    }
}

fn row(report: &Report, row: &SectionScore) -> Markup {
    let has_checks =
        report.checks.iter().any(|check| check.evaluation.check.clause.section.to_string() == row.section);
    html! {
        tr {
            td.number { (row.section) }
            th scope="row" {
                @if has_checks { a href=(format!("#{}", anchor("section", &row.section))) { (row.title) } }
                @else { (row.title) }
            }
            td { (standing(row.conduct)) (basis(row.conduct, row.conduct_by_basis)) }
            td { (standing(row.detection)) (basis(row.detection, row.detection_by_basis)) }
            td.number { @if let Some(score) = row.score { (score) } @else { span.quiet { "–" } } }
            td { small { (clauses(report, row)) } }
        }
    }
}

/// Returns the bases whose checks give an aspect its standing.
fn basis(merged: Standing, by_basis: ByBasis<Standing>) -> Markup {
    let names = match (by_basis.observed == merged, by_basis.proposed == merged) {
        _ if matches!(merged, Standing::NotApplicable | Standing::NotEvaluated) => "",
        (true, true) => "both bases",
        (true, false) => "observed",
        (false, true) => "proposed",
        (false, false) => "",
    };
    html! { @if !names.is_empty() { " " span.basis { (names) } } }
}

//! The table of all checks, with its filters.

use maud::{Markup, html};

use super::{anchor, beginning, shown, standing};
use crate::check::Verdict;
use crate::report::{EvaluatedCheck, Report};
use crate::score::Standing;
use covenant_model::contract::Section;

/// The size of all rows, in bytes. `report.json` has the others.
const ROWS_BYTES_MAX: usize = 800_000;
/// The maximum number of characters of a text in a row.
const TEXT_MAX: usize = 400;

/// Returns the table. `described` are the broken checks that the page describes above it.
pub(super) fn checks(report: &Report, described: &[&EvaluatedCheck]) -> Markup {
    let sections: Vec<(Section, Vec<&EvaluatedCheck>)> = Section::all()
        .into_iter()
        .map(|section| {
            let of = |check: &&EvaluatedCheck| check.evaluation.check.clause.section == section;
            (section, report.checks.iter().filter(of).collect())
        })
        .collect();
    let mut left = ROWS_BYTES_MAX;
    let mut left_out = 0_usize;
    let mut groups: Vec<(Section, Vec<Markup>)> = Vec::new();
    for (section, checks) in sections.iter().filter(|(_, checks)| !checks.is_empty()) {
        let mut rows = Vec::new();
        for check in checks {
            let is_described = described.iter().any(|one| std::ptr::eq(*one, *check));
            let row = row(*section, check, is_described);
            if row.0.len() <= left {
                left -= row.0.len();
                rows.push(row);
            } else {
                left_out += 1;
            }
        }
        groups.push((*section, rows));
    }
    html! {
        section #checks aria-labelledby="checks-title" {
            h2 #checks-title { "Checks" }
            (filter(&sections))
            div.wide tabindex="0" role="region" aria-label="Table of checks" {
                table.checks {
                    (column_titles())
                    @for (section, rows) in &groups {
                        tbody #(anchor("section", &section.to_string())) data-group="" {
                            tr { th colspan="6" scope="rowgroup" { (section) " " (section.title()) } }
                            @for row in rows { (row) }
                        }
                    }
                }
            }
            @if left_out > 0 { p { (left_out) " checks more are in report.json." } }
        }
    }
}

fn column_titles() -> Markup {
    html! {
        thead {
            tr {
                th scope="col" { "clause" }
                th scope="col" { "verdict" }
                th scope="col" { "basis" }
                th scope="col" { "requirement, and why it is not kept" }
                th.wide-only scope="col" { "evidence" }
                th.wide-only scope="col" { "check" }
            }
        }
    }
}

fn filter(sections: &[(Section, Vec<&EvaluatedCheck>)]) -> Markup {
    html! {
        form #filter hidden {
            label {
                "commitment"
                select name="commitment" {
                    option value="" { "all" }
                    @for (section, checks) in sections {
                        @if !checks.is_empty() { option value=(section) { (section) " " (section.title()) } }
                    }
                }
            }
            (choice("aspect", &["conduct", "detection"]))
            (choice("verdict", &["broken", "unproven", "kept", "not applicable"]))
            (choice("basis", &["observed", "proposed"]))
            button type="reset" { "Show all" }
            span #count role="status" {}
        }
    }
}

fn choice(name: &str, values: &[&str]) -> Markup {
    html! {
        label {
            (name)
            select name=(name) {
                option value="" { "all" }
                @for value in values { option { (value) } }
            }
        }
    }
}

fn row(section: Section, evaluated: &EvaluatedCheck, is_described: bool) -> Markup {
    let (check, result) = (&evaluated.evaluation.check, &evaluated.evaluation.result);
    let evidence: Vec<String> = result.evidence.iter().take(12).map(|n| format!("#{n}")).collect();
    let id = anchor("check", &check.id);
    html! {
        tr #(id) data-commitment=(section) data-aspect=(check.aspect) data-verdict=(Standing::from(result.verdict)) data-basis=(check.basis) {
            td { a.self href=(format!("#{id}")) aria-label=(format!("Link to the check {}", shown(&check.id))) { "#" }
                (check.clause) " " (check.aspect) }
            td { (standing(result.verdict.into())) @if evaluated.evaluation.flaky.is_some() { br; strong { "flaky" } } }
            td { (check.basis) }
            td.open {
                (text(&check.requirement))
                @if is_described { " " a href=(format!("#{}", anchor("breach", &check.id))) { "see the breach" } }
                @if result.verdict != Verdict::Kept { br; span.quiet { (text(&result.actual)) } }
            }
            td.wide-only { small { (evidence.join(" ")) @if let Some(flaky) = &evaluated.evaluation.flaky { " of " (text(&flaky.trace)) } } }
            td.wide-only { code { (text(&check.id)) } }
        }
    }
}

fn text(text: &str) -> String {
    beginning(shown(text), TEXT_MAX)
}

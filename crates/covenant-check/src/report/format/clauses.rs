//! The clauses of a section, in short.

use std::collections::BTreeSet;

use crate::report::Report;
use crate::score::SectionScore;
use covenant_model::contract::ClauseId;

/// Returns the short form of a row's clauses, such as `1 broken, 4 kept`, or `1 broken, 2 kept of 5` if not all
/// of the section's clauses were evaluated.
pub(super) fn clauses(report: &Report, row: &SectionScore) -> String {
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
    let evaluated: usize = counts.iter().map(|(count, _)| count).sum();
    let all = clauses_of(report, row);
    let of_all = if (1..all).contains(&evaluated) { format!(" of {all}") } else { String::new() };
    reported.join(", ") + &of_all
}

/// Returns the number of clauses of a section.
fn clauses_of(report: &Report, row: &SectionScore) -> usize {
    let of_section = report.score.aspects.iter().map(|aspect| aspect.clause);
    let clauses: BTreeSet<ClauseId> =
        of_section.filter(|clause| clause.section.to_string() == row.section).collect();
    clauses.len()
}

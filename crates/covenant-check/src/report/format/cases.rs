//! The cases of a report beside its checks, for formats that list cases.

use crate::report::Report;
use crate::score::Standing;

/// Returns each attested aspect, by name, with the statement.
pub(super) fn attested(report: &Report) -> impl Iterator<Item = (String, &str)> {
    let attested = report.score.aspects.iter().filter(|row| row.standing == Standing::Attested);
    attested.map(|row| {
        (format!("{} {} (attested)", row.clause, row.aspect), row.reason.as_deref().unwrap_or_default())
    })
}

//! The scenarios that did not complete, by cause: one cause has one line.

use crate::report::Report;
use covenant_model::transcript::Outcome;

/// The number of scenarios of one cause that are named.
const NAMED_MAX: usize = 5;

/// Returns a line for each cause that kept scenarios from completing. The cause that voids the run is in the head.
pub(in crate::report) fn aborted(report: &Report) -> Vec<String> {
    let mut causes: Vec<(String, String, Vec<&str>)> = Vec::new();
    for row in &report.scenarios {
        let is_early = report.outcome.as_ref().is_some_and(Outcome::is_early_end);
        if is_early && matches!(row.outcome, None | Some(Outcome::Interrupted)) {
            continue;
        }
        let Some((whose, why)) = cause(row.outcome.as_ref()) else { continue };
        if !why.is_empty() && report.void.as_deref().is_some_and(|void| void.contains(&why)) {
            continue;
        }
        match causes.iter_mut().find(|cause| (&cause.0, &cause.1) == (&whose, &why)) {
            Some((_, _, ids)) => ids.push(&row.id),
            None => causes.push((whose, why, vec![&row.id])),
        }
    }
    causes.iter().map(|(whose, why, ids)| format!("aborted ({whose}): {}: {why}", named(ids))).collect()
}

/// Returns whose fault it is that a scenario did not complete, and why. Missing methods and failed stages have their own
/// place in the report.
fn cause(outcome: Option<&Outcome>) -> Option<(String, String)> {
    match outcome {
        Some(Outcome::Aborted(fault)) => Some((fault.blame.to_string(), fault.to_string())),
        Some(Outcome::Interrupted) => Some(("interrupted".to_owned(), String::new())),
        Some(
            Outcome::Completed
            | Outcome::Unsupported { .. }
            | Outcome::Lacking { .. }
            | Outcome::Blocked { .. }
            | Outcome::EndedAtBreach { .. }
            | Outcome::EndedAtDeadline { .. },
        ) => None,
        None => Some(("not run".to_owned(), String::new())),
    }
}

fn named(ids: &[&str]) -> String {
    match ids {
        [id] => (*id).to_owned(),
        _ if ids.len() <= NAMED_MAX => format!("{} scenarios ({})", ids.len(), ids.join(", ")),
        _ => {
            let more = ids.len() - NAMED_MAX;
            format!("{} scenarios ({} and {more} more)", ids.len(), ids[..NAMED_MAX].join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ScenarioRow;
    use crate::report::sample::report;
    use covenant_model::Fault;

    #[test]
    fn one_cause_has_one_line_with_its_scenarios() {
        let row = |id: &str, why: &str| ScenarioRow::new(id, Some(Outcome::Aborted(Fault::adapter(why))), 0);
        let mut report = report(&[]);
        report.scenarios = (1..=7).map(|n| row(&format!("s{n}"), "it died")).collect();
        report.scenarios.push(row("other", "it hung"));
        let lines = aborted(&report);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].contains("7 scenarios (s1, s2, s3, s4, s5 and 2 more): the adapter failed: it died"),
            "{lines:?}"
        );
        assert!(lines[1].contains("): other: the adapter failed: it hung"), "{lines:?}");
        report.void = Some(format!("the handshake (s1) failed: {}", Fault::adapter("it died")));
        assert_eq!(aborted(&report).len(), 1);
    }
}

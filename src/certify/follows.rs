//! Comparison of a statement with the one that follows from the transcript of its run.

use super::{Profile, Statement};
use crate::report::Report;
use crate::with_causes;

/// Checks that a statement is the one that follows from a report.
pub(super) fn follows(statement: &Statement, profile: &Profile, report: &Report) -> Result<String, String> {
    let made = Statement::of(report, profile, &statement.terms()).map_err(|error| with_causes(&error))?;
    if made == *statement {
        return Ok("evaluated again: they follow from the transcript".to_owned());
    }
    let own = env!("CARGO_PKG_VERSION");
    let of_other_version = statement.suite().filter(|made_by| *made_by != own).map(|made_by| {
        format!(
            "; covenant {made_by} made it and this is {own}: verify with that version before you blame anyone"
        )
    });
    Err(format!(
        "evaluated again, the transcript gives something else: {}{}",
        differences(statement, &made).join(", "),
        of_other_version.unwrap_or_else(|| {
            "; whoever signed it stated what the run does not show: do not rely on it".to_owned()
        })
    ))
}

/// Returns what differs between a statement and the one that follows from the transcript.
fn differences(stated: &Statement, made: &Statement) -> Vec<String> {
    let (one, other) = (&stated.predicate, &made.predicate);
    let mut differing = Vec::new();
    if one.result != other.result {
        differing.push(format!("the result is {:?} where {:?} is stated", other.result, one.result));
    }
    let lists = [
        ("passed", &one.passed_tests, &other.passed_tests),
        ("warned", &one.warned_tests, &other.warned_tests),
        ("failed", &one.failed_tests, &other.failed_tests),
    ];
    for (name, stated, made) in lists {
        let not_in = |some: &[String], all: &[String]| -> Vec<String> {
            some.iter().filter(|test| !all.contains(test)).cloned().collect()
        };
        let (too_many, missing) = (not_in(stated, made), not_in(made, stated));
        if !too_many.is_empty() {
            differing.push(format!("{} stated as {name}", too_many.join(" and ")));
        }
        if !missing.is_empty() {
            differing.push(format!("{} not stated as {name}", missing.join(" and ")));
        }
    }
    let members = [
        ("subjects", stated.subject != made.subject),
        ("configuration", one.configuration != other.configuration),
        ("validity", one.validity != other.validity),
        ("what shows the breaches", one.breaches != other.breaches),
        ("words of persons", one.attested != other.attested),
        ("who answered the methods", one.operator_plane != other.operator_plane),
        ("what several certificates mean", one.certificates != other.certificates),
        ("what was not exercised", one.not_exercised != other.not_exercised),
        ("what is not applicable", one.not_applicable != other.not_applicable),
        ("limits", one.limits != other.limits),
    ];
    differing.extend(members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()));
    if differing.is_empty() {
        differing.push("the order of what it lists".to_owned());
    }
    differing
}

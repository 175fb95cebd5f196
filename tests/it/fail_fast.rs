//! `covenant run --fail-fast`: the run ends at the first broken check that counts.

use crate::program::{code, covenant_in, output_of};
use serde_json::Value;

/// Scenarios of three commitments, one of which the defect breaks. Many are left when its breach is found.
const MANY: [&str; 6] = [
    "--only",
    "03-truthful-capabilities/declared-kinds-are-served",
    "--only",
    "07-migration-hygiene/*",
    "--only",
    "08-*/*",
];
/// A few of them, for a run that plays all to its end.
const FEW: [&str; 6] = [
    "--only",
    "03-truthful-capabilities/declared-kinds-are-served",
    "--only",
    "07-migration-hygiene/conflicts-are-resolved",
    "--only",
    "08-data-residency/target-declares-residency",
];
/// A defect that only a check of the proposed binding shows.
const PROPOSED: &str = "rejects-declared-kind";

/// Runs scenarios with more arguments, and returns the exit code, what was printed, and the report.
fn run(scenarios: &[&str], more: &[&str]) -> (i32, String, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let fixed = ["run", "--quiet", "--seed", "7", "--cases", "0", "--jobs", "1", "--out", "out"];
    let output = covenant_in(folder.path(), &[&fixed, scenarios, more].concat());
    let report = std::fs::read(folder.path().join("out/report.json")).expect("a report");
    (code(&output), output_of(&output), serde_json::from_slice(&report).expect("JSON"))
}

fn broken(report: &Value) -> u64 {
    report["counts"]["broken"].as_u64().expect("a number")
}

#[test]
fn a_run_ends_at_the_first_broken_check_and_says_so() {
    let defect = ["--defect", PROPOSED];
    let (whole_code, _, whole) = run(&MANY, &defect);
    let (early_code, text, early) = run(&MANY, &[&defect[..], &["--fail-fast"]].concat());
    assert_eq!((whole_code, early_code), (1, 1), "{text}");
    assert_eq!(whole["outcome"], "completed");
    let check = early["outcome"]["ended_at_breach"]["check"].as_str().expect("a check");
    let ended_by = early["checks"].as_array().expect("checks").iter().find(|row| row["check"]["id"] == check);
    assert_eq!(ended_by.expect("the check")["result"]["verdict"], "broken", "{text}");
    assert!(text.contains("ended at the first broken check: a partial report"), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("the run ended at the first broken check, {check}")), "{text}");
    assert!(!text.contains("interrupted"), "{text}");
    let played = |report: &Value| report["scenarios"].as_array().expect("scenarios").len();
    assert!(played(&early) < played(&whole), "{} of {}", played(&early), played(&whole));
}

#[test]
fn a_conforming_run_is_the_same() {
    let (whole_code, _, whole) = run(&FEW, &[]);
    let (early_code, text, early) = run(&FEW, &["--fail-fast"]);
    assert_eq!((whole_code, early_code), (0, 0), "{text}");
    assert_eq!(whole["counts"], early["counts"]);
    assert_eq!(whole["score"], early["score"]);
}

#[test]
fn a_breach_that_does_not_count_ends_no_run() {
    let defect = ["--defect", PROPOSED, "--fail-fast"];
    let (code, text, report) = run(&FEW, &[&defect[..], &["--basis", "observed"]].concat());
    assert_eq!((code, &report["outcome"]), (0, &Value::from("completed")), "{text}");
    assert!(broken(&report) > 0, "{text}");
    let (code, _, report) = run(&MANY, &defect);
    assert_eq!((code, broken(&report)), (1, 1));
    assert!(report["outcome"]["ended_at_breach"].is_object(), "{report}");
}

#[test]
fn a_run_that_ended_at_a_breach_that_does_not_count_is_no_green_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = ["run", "--quiet", "--seed", "7", "--cases", "0", "--jobs", "1", "--out", "out", "--fail-fast"];
    let ended = covenant_in(folder.path(), &[&run, &MANY[..], &["--defect", PROPOSED]].concat());
    assert_eq!(code(&ended), 1, "{}", output_of(&ended));
    let verified = covenant_in(folder.path(), &["verify", "out", "--basis", "observed"]);
    assert_eq!(code(&verified), 130, "{}", output_of(&verified));
}

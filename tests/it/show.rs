//! `covenant show`: one entry of a run's transcript, with its neighbours.

use std::path::Path;
use std::process::Output;
use std::sync::OnceLock;

use crate::errors::covenant_in;
use crate::program::{Kept, output_of};

const SCENARIO: &str = "07-migration-hygiene/conflicts-are-resolved";

/// Returns a folder with the run of a scenario whose breach the reports show, `out`. It is played once.
fn played() -> tempfile::TempDir {
    static RUN: OnceLock<Kept> = OnceLock::new();
    let made = |folder: &Path| {
        let defect = ["--defect", "omits-first-conflict-from-log"];
        let run = ["run", "--quiet", "--seed", "1", "--only", SCENARIO, "--out", "out"];
        let output = covenant_in(folder, &[&run[..], &defect].concat());
        assert_eq!(output.status.code(), Some(1), "{}", output_of(&output));
    };
    RUN.get_or_init(|| Kept::made(made)).folder()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_entry_is_shown_as_an_exchange_with_its_neighbours() {
    let folder = played();
    let report = std::fs::read_to_string(folder.path().join("out/report.txt")).expect("a report");
    let command =
        report.lines().find_map(|line| line.trim().strip_prefix("covenant show RUN ")).expect("a command");
    let entry = command.trim_matches('\'');
    let shown = covenant_in(folder.path(), &["show", "out", entry]);
    let one = text(&shown);
    assert_eq!(shown.status.code(), Some(0), "{}", output_of(&shown));
    let parts =
        ["alice → target  POST /", "\n  request\n", "\n  response\n", "      \"conflict_log\": [", "TLSv1."];
    for part in parts {
        assert!(one.contains(part), "{part}: {one}");
    }
    let numbers = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(numbers(&one), 1, "{one}");
    let short = entry.rsplit('/').next().expect("a name");
    let around = text(&covenant_in(folder.path(), &["show", "out", short, "--around", "1"]));
    assert_eq!(numbers(&around), 3, "{around}");
    let reported = text(&covenant_in(folder.path(), &["show", "out", &format!("#2 of {SCENARIO}")]));
    let operation = text(&covenant_in(folder.path(), &["show", "out", &format!("{SCENARIO}#2")]));
    assert_eq!(reported, operation);
    assert!(operation.contains("suite → operator  platform.start  result"), "{operation}");
    let start = text(&covenant_in(folder.path(), &["show", "out", &format!("{SCENARIO}#1")]));
    assert!(start.contains("\n  source\n") && start.contains("[[check]]"), "{start}");
}

#[test]
fn a_wrong_entry_is_answered_with_what_there_is() {
    let folder = played();
    let last = text(&covenant_in(folder.path(), &["show", "out", &format!("{SCENARIO}#1")]));
    let entries =
        last.split_once(", ").and_then(|(_, rest)| rest.split_once(' ')).expect("a number").0.to_owned();
    let range = format!("{SCENARIO} has the entries 1 to {entries}");
    let cases = [
        (format!("{SCENARIO}#0"), range.clone()),
        (format!("{SCENARIO}#99999999999999999999"), range.clone()),
        (format!("{SCENARIO}#x"), range.clone()),
        (SCENARIO.to_owned(), range),
        ("conflict-are-resolved#1".to_owned(), format!("did you mean {SCENARIO}?")),
        ("#".to_owned(), "of this name, but 00-sanity/handshake, ".to_owned()),
    ];
    for (entry, expected) in cases {
        let output = covenant_in(folder.path(), &["show", "out", &entry]);
        assert_eq!(output.status.code(), Some(2), "{entry}: {}", output_of(&output));
        assert!(output_of(&output).contains(&expected), "{entry}: {}", output_of(&output));
    }
    let output = covenant_in(folder.path(), &["show", "nowhere", "a#1"]);
    assert_eq!(output.status.code(), Some(2), "{}", output_of(&output));
    assert!(output_of(&output).contains("name the folder of a run"), "{}", output_of(&output));
}

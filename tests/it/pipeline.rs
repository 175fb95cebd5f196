//! A run in a pipeline: reports in several formats, a deadline, partitions, and what is never a success.

use std::fs;
use std::path::Path;
use std::process::Output;

use covenant::contract::V1_2026_05;
use serde_json::Value;

use crate::program::{DEFECT, SHORT, SHORT_RUN, code, covenant_in, output_of};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Runs the short scenario with more arguments.
fn short_run(folder: &Path, more: &[&str]) -> Output {
    covenant_in(folder, &[&SHORT_RUN[..], more].concat())
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_run_writes_each_format_to_its_place() {
    let folder = folder();
    let formats =
        ["junit=out.xml", "github", "markdown=summary.md", "tap=out.tap", "json-lines=events.jsonl"];
    let formats: Vec<&str> = formats.iter().flat_map(|format| ["--format", format]).collect();
    let output = short_run(folder.path(), &[&["--defect", DEFECT][..], &formats].concat());
    assert_eq!(code(&output), 1, "{}", output_of(&output));
    let lines = stdout(&output);
    assert!(lines.starts_with("::error title=covenant%3A 3.1 conduct::"), "{lines}");
    assert!(lines.lines().all(|line| line.starts_with("::")), "{lines}");
    assert_eq!(text(folder.path(), "out.xml"), text(folder.path(), "out/junit.xml"));
    assert_eq!(text(folder.path(), "summary.md"), text(folder.path(), "out/report.md"));
    assert!(text(folder.path(), "out.tap").contains("\nnot ok 1 - 3.1 conduct ("));
    let events: Vec<Value> = text(folder.path(), "events.jsonl").lines().map(json).collect();
    assert_eq!(
        (&events[0]["event"], &events[0]["scenarios"]),
        (&"run_started".into(), &(events.len() - 2).into())
    );
    let of_short = events.iter().find(|event| event["scenario"] == SHORT).expect("the scenario");
    assert_eq!(of_short["checks"][0]["verdict"], "broken");
    let last = events.last().expect("an end");
    assert_eq!((&last["event"], &last["overall"]), (&"run_ended".into(), &"broken".into()));
    let report = json(&text(folder.path(), "out/report.json"));
    assert_eq!(report["counts"], last["counts"]);
    let kept: Vec<bool> = ["report.txt", "report.md", "report.github"]
        .iter()
        .map(|file| folder.path().join("out").join(file).exists())
        .collect();
    assert_eq!(kept, [true, true, false], "the run folder gets what it always gets");
}

#[test]
fn events_are_lines_on_standard_output_and_text_is_there_without_a_format_for_it() {
    let folder = folder();
    let lines = short_run(folder.path(), &["--format", "json-lines=-"]);
    let events: Vec<Value> = stdout(&lines).lines().map(json).collect();
    assert_eq!(events.last().map(|event| event["event"].clone()), Some("run_ended".into()));
    let verified = covenant_in(folder.path(), &["verify", "out", "--format", "json-lines"]);
    let again: Vec<Value> = stdout(&verified).lines().map(json).collect();
    assert_eq!(again.last(), events.last());
    // The report lists a trial of the way back, too, which is no scenario of the run.
    let of_trial = |event: &&Value| event["scenario"] == "way-back/probe";
    assert_eq!(again.len() - again.iter().filter(of_trial).count(), events.len());
    let text = short_run(folder.path(), &["--format", "tap=out.tap"]);
    let headline = format!("PARTIAL: 1 of {} aspects", V1_2026_05.aspects().count());
    assert!(stdout(&text).starts_with(&headline), "{}", output_of(&text));
}

#[test]
fn a_wrong_format_is_refused_before_the_run() {
    let folder = folder();
    for (formats, part) in [
        (&["junti=a.xml"][..], "did you mean junit?"),
        (&["junit=no/a.xml"], "the folder no does not exist"),
        (&["github", "tap"], "standard output takes one of them"),
        (&["json=a", "tap=a"], "another --format has that file"),
    ] {
        let formats: Vec<&str> = formats.iter().flat_map(|format| ["--format", format]).collect();
        let output = short_run(folder.path(), &formats);
        assert_eq!(code(&output), 2, "{}", output_of(&output));
        assert!(output_of(&output).contains(part), "{}", output_of(&output));
        assert!(!folder.path().join("out").exists(), "{formats:?} left a folder");
    }
}

#[test]
fn nothing_evaluated_is_no_success() {
    let folder = folder();
    fs::write(folder.path().join("empty.jsonl"), "").expect("written");
    for arguments in [
        &["run", "--only", "nothing-fits"][..],
        &["run", "--cases", "0", "--only", "property/*"],
        &["run", "--cases", "0", "--property", "grants"],
        &["run", "--only", "03-*/**", "--clause", "7.3"],
        &["verify", "empty.jsonl"],
    ] {
        for strict in [&[][..], &["--strict"]] {
            let output = covenant_in(folder.path(), &[arguments, strict].concat());
            assert_eq!(code(&output), 7, "{arguments:?}: {}", output_of(&output));
        }
    }
    let observed = short_run(folder.path(), &["--basis", "observed"]);
    assert_eq!(code(&observed), 7, "its only check is of the other basis: {}", output_of(&observed));
}

#[test]
fn a_share_of_proved_aspects_can_be_asked_for() {
    let folder = folder();
    let few = short_run(folder.path(), &["--min-proved", "40%"]);
    assert_eq!(code(&few), 3, "{}", output_of(&few));
    assert!(output_of(&few).contains("--min-proved 40%: 1 of "), "{}", output_of(&few));
    assert_eq!(code(&short_run(folder.path(), &["--min-proved", "1%"])), 0);
    assert_eq!(code(&short_run(folder.path(), &["--min-proved", "101%"])), 2);
    let broken = short_run(folder.path(), &["--min-proved", "40%", "--defect", DEFECT]);
    assert_eq!(code(&broken), 1, "{}", output_of(&broken));
}

#[test]
fn a_run_ends_at_its_deadline_with_a_whole_report() {
    let folder = folder();
    let run = ["run", "--quiet", "--seed", "7", "--jobs", "1", "--deadline", "1s", "--out", "out"];
    let output = covenant_in(folder.path(), &run);
    assert!([0, 7].contains(&code(&output)), "{}", output_of(&output));
    let report = json(&text(folder.path(), "out/report.json"));
    assert_eq!(report["outcome"]["ended_at_deadline"]["deadline"], "1s");
    let checks = report["checks"].as_array().expect("checks");
    let late = |row: &&Value| row["result"]["actual"] == "the run ended at its deadline, after 1s";
    assert!(checks.iter().filter(late).count() > 100, "{}", output_of(&output));
    assert!(checks.iter().filter(late).all(|row| row["result"]["verdict"] == "unproven"));
    assert_eq!(report["counts"]["planned"].as_u64(), Some(checks.len() as u64));
    assert!(
        stdout(&output).contains("ended at its deadline of 1s: a partial report"),
        "{}",
        output_of(&output)
    );
    let strict = covenant_in(folder.path(), &["verify", "out", "--strict"]);
    assert!([3, 7].contains(&code(&strict)), "{}", output_of(&strict));
    let wrong = covenant_in(folder.path(), &["run", "--deadline", "10"]);
    assert_eq!(code(&wrong), 2);
    assert!(output_of(&wrong).contains("write 3d, 12h, 90m or 30s"), "{}", output_of(&wrong));
}

/// A selection of scenarios and properties, with a breach.
const PART: [&str; 16] = [
    "run",
    "--quiet",
    "--seed",
    "7",
    "--cases",
    "1",
    "--only",
    "07-migration-hygiene/conflicts-*",
    "--only",
    "property/migration-plans",
    "--only",
    "property/declarations",
    "--only",
    "property/versions",
    "--defect",
    "omits-first-conflict-from-log",
];

/// Returns a report without what is by nature of one run: its transcript, its times, its platforms and their ports.
fn lasting(folder: &Path, run: &str) -> Value {
    let mut report = json(&text(folder, &format!("{run}/report.json")));
    let members = report.as_object_mut().expect("an object");
    for own in ["transcript_sha256", "began", "took_milliseconds", "platform", "shown"] {
        members.remove(own);
    }
    for row in report["scenarios"].as_array_mut().expect("scenarios") {
        row.as_object_mut().expect("an object").remove("took_milliseconds");
    }
    report
}

#[test]
fn the_partitions_of_a_run_merge_into_its_report() {
    let folder = folder();
    let whole = covenant_in(folder.path(), &[&PART[..], &["--out", "whole"]].concat());
    assert_eq!(code(&whole), 1, "{}", output_of(&whole));
    for part in 1..=5 {
        let (partition, out) = (format!("hash:{part}/5"), format!("part-{part}"));
        let more = ["--partition", partition.as_str(), "--out", out.as_str()];
        let output = covenant_in(folder.path(), &[&PART[..], &more].concat());
        assert!([0, 1, 7].contains(&code(&output)), "{partition}: {}", output_of(&output));
    }
    let parts = ["part-4", "part-1", "part-2", "part-3", "part-5"];
    let merged =
        covenant_in(folder.path(), &[&["report", "merge"], &parts[..], &["--out", "merged"]].concat());
    assert_eq!(code(&merged), 1, "{}", output_of(&merged));
    assert_eq!(lasting(folder.path(), "whole"), lasting(folder.path(), "merged"));
    let without_digest = |text: String| {
        let own = ["transcript: ", "certificate", "began: ", "took: "];
        let is_own = |line: &str| own.iter().any(|start| line.starts_with(start));
        let lines = text.lines().filter(|line| !is_own(line)).map(ToOwned::to_owned);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        without_digest(text(folder.path(), "whole/report.txt")),
        without_digest(text(folder.path(), "merged/report.txt"))
    );
    for command in [&["replay", "merged"][..], &["verify", "merged"], &["show", "merged", "x#1"]] {
        let output = covenant_in(folder.path(), command);
        assert_eq!(code(&output), 2, "{}", output_of(&output));
        assert!(
            output_of(&output).contains("name the run folder of the partition"),
            "{}",
            output_of(&output)
        );
    }
    for (runs, part) in [
        (&["part-1", "part-2"][..], "hash:3/5, hash:4/5, hash:5/5 are missing"),
        (&["part-1", "whole"], "the run was made without --partition"),
        (&["part-1", "part-1"], "hash:1/5 is there twice"),
    ] {
        let output = covenant_in(folder.path(), &[&["report", "merge"], runs].concat());
        assert_eq!(code(&output), 2, "{}", output_of(&output));
        assert!(output_of(&output).contains(part), "{}", output_of(&output));
    }
}

#[test]
fn two_reports_are_compared_by_check() {
    let folder = folder();
    let run = |out: &str, more: &[&str]| {
        let fixed = ["run", "--quiet", "--seed", "7", "--cases", "0", "--only", SHORT, "--out", out];
        covenant_in(folder.path(), &[&fixed[..], more].concat())
    };
    assert_eq!(code(&run("kept", &[])), 0);
    assert_eq!(code(&run("broken", &["--defect", DEFECT])), 1);
    let diff = |old: &str, new: &str, more: &[&str]| {
        covenant_in(folder.path(), &[&["report", "diff", old, new], more].concat())
    };
    let worse = diff("kept", "broken", &[]);
    assert_eq!((code(&worse), stdout(&worse).lines().next()), (1, Some("WORSE: 1 worse")));
    let better = diff("broken", "kept/report.json", &["--format", "json"]);
    assert_eq!(code(&better), 0);
    assert_eq!(json(&stdout(&better))["better"][0]["clause"], "3.1");
    let same = diff("kept", "kept", &["--format", "markdown", "--strict"]);
    assert_eq!(
        (code(&same), stdout(&same).as_str()),
        (0, "## covenant: SAME: each check has the verdict that it had\n")
    );
    let missing = diff("kept", "no-such-run", &[]);
    assert_eq!(code(&missing), 2, "{}", output_of(&missing));
    fs::write(folder.path().join("other.json"), "{}").expect("written");
    let other = diff("kept", "other.json", &[]);
    assert_eq!(code(&other), 2);
    assert!(
        output_of(&other).contains("a report is the report.json of a run folder"),
        "{}",
        output_of(&other)
    );
}

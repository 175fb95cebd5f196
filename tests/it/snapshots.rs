//! Snapshots of what the program prints: help, error messages, and a report.
//!
//! A snapshot that differs fails. Renew with `INSTA_UPDATE=always`, and read the difference before the commit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use covenant::Fault;
use covenant::clock::{Clock, Seed};
use covenant::transcript::{Operation, Outcome, RunStart, ScenarioStart, Transcript, What};
use serde_json::{Value, json};

use crate::errors::{WRONG_INPUTS, covenant_in, folder, refusal};

/// The folder of the snapshots, as seen from this file.
const FOLDER: &str = "../snapshots";

/// Compares texts with the snapshots of their names, all of which begin with `kind`. A snapshot without a text fails.
fn compare(kind: &str, texts: impl IntoIterator<Item = (String, String)>) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(FOLDER);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut names = BTreeSet::new();
    for (name, text) in texts {
        let name = format!("{kind}-{name}");
        settings.bind(|| insta::assert_snapshot!(name.clone(), text));
        names.insert(name);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let paths = fs::read_dir(folder).expect("a folder").flatten().map(|file| file.path());
    let stored = paths.filter(|path| path.extension().is_some_and(|extension| extension == "snap"));
    let stored = stored.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let stored: BTreeSet<String> = stored.filter(|name| name.starts_with(kind)).collect();
    assert_eq!(stored, names, "a snapshot is of nothing");
}

#[test]
fn help_of_each_command() {
    let mut texts = Vec::new();
    help(&mut vec![], &mut texts);
    compare("help", texts);
}

/// Collects the help of a command and of each subcommand that it shows.
fn help(command: &mut Vec<String>, texts: &mut Vec<(String, String)>) {
    let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
    arguments.push("--help");
    let output = covenant_in(Path::new("."), &arguments);
    assert!(output.status.success(), "{arguments:?}");
    let text = String::from_utf8(output.stdout).expect("a text");
    let name = std::iter::once("covenant").chain(command.iter().map(String::as_str));
    texts.push((name.collect::<Vec<_>>().join("-"), text.clone()));
    let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    let rows = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = rows.filter(|row| !row.starts_with(' ')).filter_map(|row| row.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        command.push(name.to_owned());
        help(command, texts);
        command.pop();
    }
}

#[test]
fn errors_about_wrong_inputs() {
    let folder = folder();
    let texts = WRONG_INPUTS.iter().map(|(name, arguments)| {
        let command = format!("$ covenant {}", arguments.join(" "));
        ((*name).to_owned(), format!("{command}\n{}", refusal(folder.path(), arguments)))
    });
    compare("error", texts);
}

/// A scenario that asks the operator alone.
const ASKS_FOR_CONTRACTS: &str = r#"
title = "Each released contract version is stored with the digest of its text"

[[step]]
operator = { method = "contract.list", as = "listed" }

[[step]]
operator = { method = "contract.list", as = "listed later" }

[[check]]
clause = "V.1"
aspect = "conduct"
check = "digests-are-stored"
basis = "proposed"
requirement = "the target stores the SHA-256 of its text with each released version"
with = { snapshot = "listed" }

[[check]]
clause = "V.1"
aspect = "conduct"
check = "digests-are-stored"
basis = "proposed"
requirement = "the target still stores the SHA-256 of its text with each released version, some time later and with other versions beside it"
with = { snapshot = "listed later" }
"#;
const STORED: &str = "V-contract-versioning/digests-are-stored";
const ABORTED: &str = "V-contract-versioning/digests-are-not-listed";

/// Returns the first line of a transcript.
pub(crate) fn run_start(scenarios: &[&str]) -> RunStart {
    let start = json!({
        "format": covenant::transcript::FORMAT, "covenant": "0.0.0", "seed": 7, "contract_version": 1,
        "contract_digest": covenant::contract::V1_2026_05.digest, "binding": "1", "target": "https://platform.example/",
        "reference": null, "target_arguments": ["--target", "https://platform.example/", "--adapter", "./adapter"],
        "settings": {}, "scenarios": scenarios, "partial": true,
    });
    serde_json::from_value(start).expect("the first line of a transcript")
}

#[test]
fn report_of_a_transcript() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let path = folder.path().join("transcript.jsonl");
    let transcript = Transcript::create(&path, run_start(&[STORED, ABORTED]), &clock).expect("created");
    let begin = |id: &str| {
        let start = ScenarioStart { source: ASKS_FOR_CONTRACTS.to_owned(), seed: Seed(7) };
        transcript.begin(id, start, clock.clone())
    };

    let stored = begin(STORED);
    let supplied = json!({"settings": {"contract_versions": [{"version": 2, "text": "Another text."}]}});
    let digest = covenant::contract::V1_2026_05.digest;
    let of_second = covenant::wire::canonical::sha256_hex("Another text.");
    let first = json!([{"version": 1, "digest": digest}, {"version": 2, "digest": of_second}]);
    let second = json!([{"version": 1, "digest": digest}, {"version": 2, "digest": digest}]);
    stored.record(None, None, operation("platform.start", supplied, json!({})));
    stored.record(Some(1), Some("listed"), operation("contract.list", json!({}), first));
    stored.record(Some(2), Some("listed later"), operation("contract.list", json!({}), second));
    let _ = stored.end(Outcome::Completed);

    let reason = "it ended with exit status 3 and closed its output, \u{1b}[31min red\u{1b}[0m";
    let fault = Fault { step: Some(1), ..Fault::adapter(reason).of_method("contract.list") };
    let _ = begin(ABORTED).end(fault.into());
    transcript.end(Outcome::Completed, &clock);

    let output = covenant_in(folder.path(), &["verify", "transcript.jsonl"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("a text");
    // A transcript holds the time that each scenario took.
    let lines = text.lines().map(|line| match line.strip_prefix("transcript: ") {
        Some(digest) => format!("transcript: {}", "0".repeat(digest.len())),
        None => line.to_owned(),
    });
    compare("report", [("of-a-transcript".to_owned(), lines.collect::<Vec<_>>().join("\n") + "\n")]);
}

fn operation(method: &str, parameters: Value, result: Value) -> What {
    What::Operation(Operation { method: method.to_owned(), parameters, result: Some(result), failure: None })
}

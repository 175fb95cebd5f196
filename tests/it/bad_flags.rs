//! Options that no one means: each is refused with what is expected, and with the nearest known word.

use std::fs;
use std::path::Path;

use crate::program::{SHORT, code, covenant_in, output_of};

/// Runs the program with each command line, and checks its exit code and that its message has the parts.
fn refused(folder: &Path, rows: &[(&[&str], &[&str])]) {
    refused_with(2, folder, rows);
}

fn refused_with(exit: i32, folder: &Path, rows: &[(&[&str], &[&str])]) {
    for (arguments, parts) in rows {
        let output = covenant_in(folder, arguments);
        let text = output_of(&output);
        assert_eq!(code(&output), exit, "{arguments:?}: {text}");
        for part in *parts {
            assert!(text.contains(part), "{arguments:?}: {part:?} in {text}");
        }
        assert!(!folder.join("reports").exists(), "{arguments:?} left a folder");
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_number_outside_its_limits_names_them() {
    refused(
        folder().path(),
        &[
            (&["run", "--cases", "-1"], &["--cases", "a whole number from 0 to 1000000 was expected"]),
            (
                &["run", "--seed", "-1"],
                &["--seed", "a whole number from 0 to 18446744073709551615 was expected"],
            ),
            (&["run", "--seed", "99999999999999999999"], &["a whole number from 0"]),
            (&["run", "--jobs", "0"], &["a whole number from 1 to 64 was expected"]),
            (&["run", "--jobs", "65"], &["a whole number from 1 to 64 was expected"]),
            (&["run", "--poll-timeout", "1.5"], &["a whole number from 0 to 3600 was expected"]),
            (
                &["run", "--adapter", "x", "--adapter-timeout", "-5"],
                &["a whole number from 1 to 3600 was expected"],
            ),
            (
                &["audit", "https://a.example", "--rate", "-1"],
                &["a whole number from 1 to 6000 was expected"],
            ),
            (&["selftest", "--jobs", "-1"], &["a whole number from 1 to 16 was expected"]),
            (&["run", "--commitment", "-1"], &["1 to 12, or E, V, A or O"]),
            (&["target", "--listen", "localhost:8443"], &["an IP address and a port were expected"]),
            (
                &["peer", "--accept", "x", "--listen", "127.0.0.1"],
                &["an IP address and a port were expected"],
            ),
            (&["run", "--release", "1.4"], &["a semantic version was expected, such as 1.4.0"]),
            (&["show", "out", "a#1", "--around", "-1"], &["a whole number from 0 to 10000 was expected"]),
            (&["run", "--listen", "-1"], &["an IP address without a port was expected"]),
        ],
    );
}

#[test]
fn the_file_has_the_limits_of_the_flags() {
    let folder = folder();
    for (section, key, value, expected) in [
        ("run", "jobs", "0", "from 1 to 64"),
        ("run", "jobs", "65", "from 1 to 64"),
        ("run", "cases", "-1", "from 0 to 1000000"),
        ("run", "poll_timeout_seconds", "3601", "from 0 to 3600"),
        ("target", "adapter_timeout_seconds", "0", "from 1 to 3600"),
        ("target", "request_timeout_seconds", "\"x\"", "from 1 to 3600"),
        ("target", "max_wait_seconds", "86401", "from 0 to 86400"),
    ] {
        fs::write(folder.path().join("c.toml"), format!("[{section}]\n{key} = {value}\n")).expect("written");
        refused(folder.path(), &[(&["run", "--config", "c.toml"], &["c.toml:2:", expected])]);
    }
}

#[test]
fn an_empty_value_is_refused_by_its_option() {
    let rows: [&[&str]; 6] = [
        &["run", "--only", ""],
        &["run", "--adapter", ""],
        &["run", "--defect", ""],
        &["run", "--out", ""],
        &["run", "--scenarios", ""],
        &["audit", "https://a.example", "--token-file", ""],
    ];
    for arguments in rows {
        refused(folder().path(), &[(arguments, &[arguments[arguments.len() - 2]])]);
    }
}

#[test]
fn a_misspelt_name_gets_the_nearest_one() {
    let folder = folder();
    fs::write(folder.path().join("c.toml"), "[target]\nadaptor = \"x\"\n").expect("written");
    fs::write(folder.path().join("section.toml"), "[peer]\n").expect("written");
    fs::write(folder.path().join("login.toml"), "emial = \"hidden-address\"\n").expect("written");
    let powernode = ["run", "--operator", "powernode:https://a.example", "--credentials", "login.toml"];
    refused(
        folder.path(),
        &[
            (&["run", "--config", "c.toml"], &["c.toml:2:1", "did you mean `adapter`?"]),
            (&["run", "--config", "section.toml"], &["did you mean `peers`?"]),
            (&powernode, &["did you mean `email`?"]),
            (&["run", "--defect", "reject-declared-kind"], &["did you mean rejects-declared-kind?"]),
            (&["run", "--variant", "http1only"], &["did you mean http1-only?"]),
            (&["run", "--property", "grant"], &["did you mean grants?"]),
            (&["run", "--clause", "7.33"], &["did you mean 7.3?"]),
            (&["run", "--attest", "7.33=seen"], &["did you mean 7.3?"]),
            (&["run", "--format", "jsn"], &["did you mean json?"]),
            (&["verify", "x", "--format", "jsn"], &["'json'"]),
            (&["runn"], &["'run'"]),
            (&["selftest", "--only", "http1only"], &["did you mean http1-only?"]),
            (
                &["golden", "record", "x", "--scenario", "00-sanity/hartbeat", "--label", "x"],
                &["00-sanity/heartbeat"],
            ),
            (&["list", "clauses", "--clause", "7.33"], &["did you mean 7.3?"]),
            (&["explain", "governance.scam"], &["did you mean governance.scan?"]),
            (
                &["replay", "x", "--without-defect", "reject-declared-kind"],
                &["did you mean rejects-declared-kind?"],
            ),
        ],
    );
}

#[test]
fn what_is_malformed_or_contradicts_itself_is_an_error() {
    refused(
        folder().path(),
        &[
            (
                &["run", "--only", "[abc"],
                &["the pattern [abc is not a glob pattern", "unclosed character class"],
            ),
            (&["run", "--variant", "http1-only", "--variant", "http2-only"], &["cannot hold together"]),
            (&["target", "--variant", "http2-only", "--variant", "http1-only"], &["cannot hold together"]),
            (
                &["adapter", "--variant", "sends-null-members", "--variant", "adds-unknown-members"],
                &["cannot hold"],
            ),
        ],
    );
}

#[test]
fn a_filter_that_leaves_nothing_exits_with_7_and_the_nearest_names() {
    refused_with(
        7,
        folder().path(),
        &[
            (
                &["run", "--clause", "7.3", "--only", "03-*/**"],
                &["none that fits --only checks --clause 7.3"],
            ),
            (&["run", "--property", "grants", "--cases", "0"], &["--cases 0 leaves no case"]),
            (&["run", "--only", "declared-kinds-are-servd"], &[SHORT]),
            (&["run", "--only", "03-*/**", "--only", "17-*"], &["the pattern 17-* selects no scenario"]),
        ],
    );
}

#[test]
fn an_option_that_a_command_does_not_use_is_refused_with_why() {
    let url = "https://127.0.0.1:1";
    refused(
        folder().path(),
        &[
            (&["run", "--ca", "x.pem"], &["--ca is of no use here", "embedded reference"]),
            (
                &["run", "--defect", "rejects-declared-kind", "--identity", "tls"],
                &["--identity is of no use here"],
            ),
            (&["run", "--adapter", "x", "--credentials", "x"], &["--credentials is of no use here"]),
            (&["run", "--adapter", "x", "--ca", "x.pem"], &["--ca is of no use here", "--target"]),
            (&["run", "--operator", "person", "--adapter-env", "HOME"], &["--adapter-env is of no use here"]),
            (&["audit", url, "--adapter", "x"], &["no operator client"]),
            (&["audit", url, "--release", "1.2.3"], &["--release is of no use here", "--token-file"]),
            (&["audit", url, "--seed", "1"], &["--seed is of no use here", "evaluates no clause"]),
            (&["audit", url, "--compare", "x"], &["--compare is of no use here"]),
            (&["audit", url, "--force"], &["--force is of no use here"]),
            (&["audit", url, "--config", "x"], &["--config is of no use here"]),
            (&["list", "texts", "--scenarios", "x"], &["--scenarios is of no use here"]),
            (&["list", "variants", "--clause", "7.3"], &["--clause is of no use here"]),
        ],
    );
}

#[test]
fn a_clause_and_a_section_select_what_checks_them() {
    let folder = folder();
    let planned = |more: &[&str]| {
        let run = ["run", "--quiet", "--seed", "7", "--cases", "1", "--format", "json", "--out", "out"];
        let output = covenant_in(folder.path(), &[&run[..], more].concat());
        assert_eq!(code(&output), 0, "{more:?}: {}", output_of(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let rows = report["checks"].as_array().expect("checks").clone();
        let text =
            |row: &serde_json::Value, member: &str| row["check"][member].as_str().expect("a text").to_owned();
        rows.iter().map(|row| (text(row, "scenario"), text(row, "clause"))).collect::<Vec<_>>()
    };
    let checks = planned(&["--clause", "3.1"]);
    assert!(checks.iter().any(|(scenario, _)| scenario.starts_with("property/")), "{checks:?}");
    for (scenario, _) in checks.iter().filter(|(scenario, _)| !scenario.starts_with("00-sanity/")) {
        let has = checks.iter().any(|(other, clause)| other == scenario && clause == "3.1");
        assert!(has, "{scenario} does not check 3.1");
    }
    let checks = planned(&["--commitment", "A"]);
    assert!(checks.iter().any(|(_, clause)| clause == "A.1"), "{checks:?}");
}

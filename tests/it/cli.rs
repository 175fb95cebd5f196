//! The command line: output and exit codes.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use crate::program::{COVENANT, SHORT, code, covenant_in, output_of};

fn covenant(arguments: &[&str]) -> Output {
    Command::new(COVENANT).args(arguments).output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run(out: &Path, more: &[&str]) -> Output {
    let out = out.to_str().expect("a path");
    covenant(&[&["run", "--quiet", "--seed", "7", "--cases", "2", "--out", out], more].concat())
}

#[test]
fn run_writes_its_files_and_verify_prints_the_same_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = run(folder.path(), &["--only", SHORT, "--format", "json"]);
    assert_eq!(code(&first), 0, "{}", stderr(&first));
    assert!(stderr(&first).starts_with("seed: 7\n"), "{}", stderr(&first));
    for file in ["transcript.jsonl", "report.json", "report.txt", "junit.xml"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    let again = covenant(&["verify", folder.path().to_str().expect("a path"), "--format", "json"]);
    assert_eq!(code(&again), 0);
    assert_eq!(stdout(&first), stdout(&again));
}

#[test]
fn breach_names_its_clause_and_a_replay_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let defect = ["--only", SHORT, "--defect", "rejects-declared-kind"];
    let output = run(folder.path(), &defect);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let text = stdout(&output);
    let headline = "BROKEN: no clause on the observed wire, 1 on the proposed binding alone\n";
    assert!(text.starts_with(headline), "{text}");
    assert!(text.contains("BROKEN 3.1 conduct"), "{text}");
    let replay = text.lines().find_map(|line| line.trim().strip_prefix("replay:")).expect("a command").trim();
    let replayed = Command::new(COVENANT)
        .args(replay.split_whitespace().skip(1))
        .args(["--out", folder.path().to_str().expect("a path")])
        .output()
        .expect("the program starts");
    assert_eq!(code(&replayed), 1, "{replay}: {}", stderr(&replayed));
}

#[test]
fn basis_limits_which_breaches_the_exit_code_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let defect = ["--only", SHORT, "--defect", "rejects-declared-kind"];
    let wire = run(folder.path(), &[&defect[..], &["--basis", "observed"]].concat());
    assert_eq!(code(&wire), 7, "{}", stderr(&wire));
    let uncounted = "does not count what is broken on the proposed binding alone";
    assert!(stderr(&wire).contains(uncounted), "{}", stderr(&wire));
    let text = stdout(&wire);
    assert!(text.starts_with("BROKEN: ") && text.contains("BROKEN 3.1 conduct"), "{text}");
    assert!(!text.contains("--basis"), "no verdict depends on it: {text}");
    let path = folder.path().to_str().expect("a path");
    for (basis, expected) in [("observed", 7), ("proposed", 1), ("all", 1)] {
        let again = covenant(&["verify", path, "--basis", basis]);
        assert_eq!((code(&again), stdout(&again)), (expected, text.clone()), "{basis}");
    }
}

#[test]
fn replay_reports_still_broken_or_fixed() {
    let folder = tempfile::tempdir().expect("a folder");
    let defect = "rejects-declared-kind";
    assert_eq!(code(&run(folder.path(), &["--only", SHORT, "--defect", defect])), 1);
    let path = folder.path().to_str().expect("a path");
    let again = covenant(&["replay", path]);
    assert_eq!((code(&again), stdout(&again).contains(": still broken")), (1, true), "{}", stdout(&again));
    let fixed = covenant(&["replay", path, "--without-defect", defect]);
    assert_eq!((code(&fixed), stdout(&fixed).contains(": fixed")), (0, true), "{}", stdout(&fixed));
}

#[test]
fn broken_property_writes_its_shortest_case_as_a_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let defect = ["--defect", "rejects-declared-kind"];
    let found = run(folder.path(), &[&["--property", "declarations"], &defect[..]].concat());
    assert_eq!(code(&found), 1, "{}", stderr(&found));
    let reported = stderr(&found);
    let case =
        reported.lines().find_map(|line| line.strip_prefix("shortest case: covenant run --scenarios "));
    let case = case.expect("a scenario to run");
    let source = fs::read_to_string(case).expect("the case was written");
    // The first case that is played declares seven kinds. Two are left after shrinking: one is in every case.
    assert_eq!(source.matches("capability.declare").count(), 2, "{source}");
    let replay = |more: &[&str]| run(&folder.path().join("again"), &[&["--scenarios", case], more].concat());
    let again = replay(&defect);
    assert_eq!(code(&again), 1, "{}", stderr(&again));
    assert!(stdout(&again).contains("BROKEN 3.1 conduct"), "{}", stdout(&again));
    let conforming = replay(&[]);
    assert_eq!(code(&conforming), 0, "{}", stdout(&conforming));
}

#[test]
fn bad_input_is_reported_with_place_cause_and_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    let misspelt = folder.path().join("misspelt.toml");
    fs::write(&misspelt, "title = \"t\"\n\n[[step]]\nadvanze = { seconds = 1 }\n").expect("written");
    let corrupt = folder.path().join("corrupt.jsonl");
    fs::write(&corrupt, "{\"not\": \"a transcript\"}\n").expect("written");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let below_a_file = path(&file.join("out"));

    for (arguments, exit, reported) in [
        (vec!["run", "--oops"], 2, "--oops"),
        (vec!["run", "--scenarios", &path(&misspelt)], 2, "misspelt.toml:4:1"),
        (vec!["run", "--scenarios", &path(&misspelt)], 2, "did you mean `advance`?"),
        (vec!["run", "--scenarios", "/no/such/folder"], 2, "/no/such/folder"),
        (
            vec!["run", "--defect", "omits-first-conflict-from-lug"],
            2,
            "did you mean omits-first-conflict-from-log?",
        ),
        (vec!["run", "--variant", "nothing"], 2, "covenant list variants"),
        (vec!["run", "--commitment", "13"], 2, "13"),
        (vec!["run", "--only", "nothing-fits"], 7, "selects no scenario"),
        (vec!["run", "--only", "["], 2, "the pattern ["),
        (vec!["run", "--property", "nothing"], 2, "covenant list properties"),
        (vec!["run", "--only", SHORT, "--out", &below_a_file], 6, "--out"),
        (vec!["verify", &path(&corrupt)], 2, "corrupt.jsonl:1"),
        (vec!["verify", "/no/such/transcript"], 2, "/no/such/transcript"),
        (vec!["golden", "diff", "--folder", "/no/such/folder"], 2, "/no/such/folder"),
        (vec!["selftest", "--only", "nothing"], 2, "nothing"),
    ] {
        let output = covenant(&arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(reported), "{arguments:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn unknown_clause_and_behaviour_of_a_scenario_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = folder.path().join("s.toml");
    for (text, reported) in [
        (
            "[[check]]\nclause = \"7.9\"\naspect = \"conduct\"\ncheck = \"accepted\"\nrequirement = \"r\"\nwith = { call = \"x\" }\n",
            "7.9",
        ),
        ("[[peer]]\nname = \"m\"\nbehaviours = [\"bogus-kindd\"]\n", "did you mean `bogus-kind`?"),
    ] {
        let step = "[[step]]\nadvance = { seconds = 1 }\n";
        fs::write(&scenario, format!("title = \"t\"\n{step}{text}")).expect("written");
        let output = covenant(&["run", "--scenarios", scenario.to_str().expect("a path")]);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(reported), "{}", stderr(&output));
    }
}

#[test]
fn port_in_use_is_a_failure_of_the_environment() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = covenant(&["target", "--listen", &address]);
    assert_eq!(code(&output), 6, "{}", stderr(&output));
    assert!(
        stderr(&output).contains(&address) && stderr(&output).contains("--listen"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn foreign_listen_address_voids_the_run_as_a_failure_of_the_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["--only", SHORT, "--listen", "192.0.2.1"]);
    assert_eq!(code(&output), 6, "{}", stdout(&output));
    assert!(stdout(&output).starts_with("VOID"), "{}", stdout(&output));
}

#[test]
fn list_prints_every_kind() {
    for what in
        ["scenarios", "clauses", "behaviours", "defects", "variants", "checks", "properties", "methods"]
    {
        let output = covenant(&["list", what]);
        assert_eq!(code(&output), 0, "{what}");
        assert!(stdout(&output).lines().count() > 1, "{what}");
    }
    let clauses = stdout(&covenant(&["list", "clauses"]));
    assert!(
        clauses.contains("39f54d890f9eb663538bd2f39806ee75b5dba1c9c5c994fe1406cb3cbc2910d7"),
        "{clauses}"
    );
}

#[test]
fn committed_schemas_are_fresh() {
    for what in ["scenario", "report", "config", "adapter"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{what}.schema.json"));
        let committed = fs::read_to_string(&path).expect("a schema");
        let fresh = stdout(&covenant(&["schema", what]));
        assert!(
            committed == fresh,
            "schemas/{what}.schema.json is stale: renew it with covenant schema {what}"
        );
    }
}

#[test]
fn committed_pages_are_fresh() {
    let names = stdout(&covenant(&["docs"]));
    assert!(names.lines().any(|name| name == "adapter-protocol"), "{names}");
    for name in names.lines() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(format!("{name}.md"));
        let committed = fs::read_to_string(&path).expect("a page");
        let fresh = stdout(&covenant(&["docs", name]));
        assert!(committed == fresh, "docs/{name}.md is stale: covenant docs {name} > it");
    }
}

#[test]
fn a_defect_differs_from_the_committed_goldens() {
    // Of two scenarios: `.ci/run` compares the conforming reference with all of them.
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/wire");
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["accept-anonymous.json", "migrations-shown.json"] {
        fs::copy(committed.join(name), folder.path().join(name)).expect("copied");
    }
    let folder = folder.path().to_str().expect("a path");
    let diff = ["golden", "diff", "--folder", folder];
    let conforming = covenant(&diff);
    assert_eq!(code(&conforming), 0, "{}", stdout(&conforming));
    let mutated = covenant(&[&diff[..], &["--defect", "omits-first-conflict-from-log"]].concat());
    assert_eq!(code(&mutated), 1, "{}", stderr(&mutated));
    assert!(stdout(&mutated).contains("response.body.data.conflict_log"), "{}", stdout(&mutated));
}

#[test]
fn run_writes_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(code(&run(folder.path(), &["--only", "00-*/**", "--only", "07-*/conflicts*"])), 0);
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a text");
        assert!(!text.contains("fgs.") && !text.contains("PRIVATE KEY"), "{}", path.display());
    }
    let transcript = fs::read_to_string(folder.path().join("transcript.jsonl")).expect("a transcript");
    assert!(transcript.contains("<bearer_token:1>") && transcript.contains("<acceptance_token:1>"));
}

#[test]
fn explain_finds_every_kind_of_id_and_suggests_the_nearest() {
    for (id, expected) in [
        ("7.3", "conflict_log"),
        ("finding-raised", "argument:   peer"),
        (SHORT, "check:      3.1 conduct"),
        ("finding-raised", "what usually fixes it:"),
        ("bogus-kind", "breaks:     3.1"),
        ("bogus-kind", "3.1 detection (hard, 3 Truthful capabilities): "),
        ("bogus-kind", "what usually fixes it:"),
        ("omits-first-conflict-from-log", "breaks:     7.3 conduct"),
        ("omits-first-conflict-from-log", "check: 07-migration-hygiene/conflicts-are-resolved#2"),
        ("omits-first-conflict-from-log", "operator methods: "),
        ("ipv6", "covenant run --variant ipv6"),
        ("grants", "commitment: 2"),
        ("grants", "how it is seen: "),
        ("governance.scan", "called in:"),
        ("governance.scan", "needed for: 1.1 detection"),
        ("contract.release", "parameter:  version (integer): The number."),
        ("70", "internal error"),
        ("4", "what to do: `covenant doctor`"),
    ] {
        let output = covenant(&["explain", id]);
        assert_eq!(code(&output), 0, "{id}: {}", stderr(&output));
        assert!(stdout(&output).contains(expected), "{id}: {}", stdout(&output));
    }
    let unknown = covenant(&["explain", "governance.scam"]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("did you mean governance.scan?"), "{}", stderr(&unknown));
}

#[test]
fn list_prints_json_and_filters_by_clause() {
    let rows = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let output = covenant(&[&["list"], arguments, &["--format", "json"]].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        serde_json::from_str(&stdout(&output)).expect("a JSON array")
    };
    for what in
        ["scenarios", "clauses", "behaviours", "defects", "variants", "checks", "properties", "methods"]
    {
        let all = rows(&[what]);
        assert!(all.iter().all(|row| row["id"].is_string()), "{what}");
        assert!(!all.is_empty(), "{what}");
    }
    let of_clause = rows(&["defects", "--clause", "7.3"]);
    let breaks = |row: &serde_json::Value| row["breaks"].to_string().contains("7.3 ");
    assert!(!of_clause.is_empty() && of_clause.iter().all(breaks), "{of_clause:?}");
    assert_eq!(rows(&["clauses", "--clause", "7"]).len(), 5);
    // Checks stand in properties and in audits too.
    assert_eq!(rows(&["properties", "--clause", "7.3"])[0]["id"], "migration-plans");
    let without_clause = |row: &serde_json::Value| row["clauses"] == serde_json::json!([]);
    assert!(!rows(&["checks"]).iter().any(without_clause), "each check stands somewhere");
}

/// Seed 1 draws a peer that offers HTTP/2, and seed 4 one that does not.
#[test]
fn a_migration_that_was_being_received_is_seen_whatever_version_of_http_a_peer_draws() {
    let scenario = "04-notice-of-revocation/received-migration-has-grace";
    for seed in ["1", "4"] {
        for (defect, expected) in
            [(&[][..], 0), (&["--defect", "refuses-migration-received-at-revocation"], 1)]
        {
            let folder = tempfile::tempdir().expect("a folder");
            let run = ["run", "--quiet", "--seed", seed, "--only", scenario, "--strict", "--out", "out"];
            let ended = covenant_in(folder.path(), &[&run[..], defect].concat());
            assert_eq!(code(&ended), expected, "{seed} {defect:?}: {}", output_of(&ended));
        }
    }
}

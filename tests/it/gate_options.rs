//! The options of `covenant gate`: each way refuses what it does not use, and a matrix compares what it can.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::covenant_in;

fn gate(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = covenant_in(folder, &[&["gate"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn each_way_refuses_what_it_does_not_use_and_says_which_way_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let pair = ["--old", "reference:1.4.2", "--new", "reference:1.5.0"];
    let matrix = ["--matrix", "reference:1.4.2", "reference:1.5.0"];
    let recorded = "the recorded way (--baseline) alone uses it";
    let one_pair = "a pair (--old, --new) alone uses it";
    let both = "the recorded way (--baseline) and the simulated way (--simulated) alone use it";
    let cases: &[(&[&str], &[&str], &str)] = &[
        (&pair, &["--baseline", "golden"], recorded),
        (&pair, &["--simulated"], "the simulated way (--simulated) alone uses it"),
        (&pair, &["--matrix", "reference:1.4.2", "reference:1.5.0"], "a matrix (--matrix) alone uses it"),
        (&pair, &["--jobs", "2"], both),
        (&pair, &["--release", "1.5.0"], both),
        (&pair, &["--adapter", "x"], both),
        (&pair, &["--defect", "http1-only"], both),
        (&pair, &["--target", "https://127.0.0.1:1"], both),
        (&pair, &["--request-timeout", "5"], both),
        (&pair, &["--contract", "2026-05"], both),
        (&matrix, &["--baseline", "golden"], recorded),
        (&matrix, &["--passed", "passed.jsonl"], one_pair),
        (&matrix, &["--release", "1.5.0"], both),
        (&["--simulated"], &["--passed", "passed.jsonl"], one_pair),
        (&["--simulated"], &["--baseline", "golden"], recorded),
        (&["--simulated"], &["--notice-given", "2020-01-01"], "a pair (--old, --new)"),
        (&["--simulated"], &["--also", "text-changed"], "the recorded way (--baseline)"),
        (&["--baseline", "golden"], &["--passed", "passed.jsonl"], one_pair),
    ];
    for (way, option, expected) in cases {
        let (code, out, err) = gate(folder.path(), &[*way, *option].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{way:?} {option:?}: {err}");
        assert!(err.contains(option[0]) && err.contains("is of no use with"), "{option:?}: {err}");
        assert!(err.contains(expected), "{way:?} {option:?}: {err}");
    }
    for named_twice in [
        &["--old", "reference:1.4.2", "--new", "reference:1.4.2"][..],
        &["--matrix", "reference:1.4.2", "reference:1.5.0", "reference:1.4.2"],
    ] {
        let (code, _, err) = gate(folder.path(), named_twice);
        assert!(code == 2 && err.contains("reference:1.4.2: the target is named twice"), "{err}");
    }
    // What cannot be written in the end is refused at once.
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("a file");
    for (arguments, expected) in [
        (
            &["record", "--release", "1.4.2", "--out", "file"][..],
            (6, "file/recording.json: nothing can be written in file: not a directory"),
        ),
        (
            &["--old", "reference:1.4.2", "--new", "reference:1.5.0", "--passed", "file/x"],
            (6, "nothing can be written"),
        ),
        (&["--old", "reference:1.4.2", "--new", "reference:1.5.0", "--passed", "."], (2, "name a file")),
    ] {
        let (code, out, err) = gate(folder.path(), arguments);
        assert_eq!((code, out.as_str()), (expected.0, ""), "{err}");
        assert!(err.contains(expected.1), "{err}");
    }
    std::fs::remove_file(file).expect("a file");
    let (code, _, err) = gate(folder.path(), &[]);
    assert!(code == 2 && err.contains("the release before is missing"), "{err}");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "a refused command writes nothing");
}

#[test]
fn a_matrix_names_the_pairs_that_are_no_neighbours_and_compares_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let matrix = |more: &[&str]| gate(folder.path(), &[&["--matrix"], more].concat());
    let releases = ["reference:1.3.0", "reference:1.5.0", "reference:1.4.0"];
    let (code, out, err) = matrix(&releases);
    assert_eq!(code, 0, "{out}{err}");
    for line in [
        "3 pairs, 2 of them compared",
        "  1.3.0 (reference:1.3.0) with 1.5.0 (reference:1.5.0): not compared: the two are no neighbours",
        "  1.3.0 (reference:1.3.0) with 1.4.0 (reference:1.4.0): compatible",
        "  1.4.0 (reference:1.4.0) with 1.5.0 (reference:1.5.0): compatible",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let (code, out, _) = matrix(&["reference:1.3.0", "reference:1.5.0", "--format", "json"]);
    let pairs: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, pairs.as_array().map(Vec::len)), (7, Some(1)), "{out}");
    assert_eq!(pairs[0]["verdict"], "not_compared");
    assert_eq!(pairs[0]["old"], json!({"target": "reference:1.3.0", "release": "1.3.0"}));

    // One shape for each pair. A target that does not start keeps no other pair from being compared.
    let breaking = "reference:1.5.0+release-counts-records-as-text";
    let (code, out, _) = matrix(&["reference:1.4.0", breaking, "no-such-adapter", "--format", "json"]);
    let pairs: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 1, "{out}");
    let verdicts: Vec<&Value> =
        pairs.as_array().expect("pairs").iter().map(|pair| &pair["verdict"]).collect();
    assert_eq!(verdicts, ["breaking", "failed", "failed"]);
    let names = |pair: &Value| pair.as_object().expect("a pair").keys().cloned().collect::<Vec<_>>();
    let first = names(&pairs[0]);
    for name in
        ["old", "new", "verdict", "why", "findings", "compared", "not_compared", "not_recorded", "skipped"]
    {
        assert!(first.iter().any(|other| other == name), "{name}: {first:?}");
    }
    assert!(pairs.as_array().expect("pairs").iter().all(|pair| names(pair) == first));
    assert_eq!(pairs[0]["findings"][0]["rule"], "type-changed");
    assert_eq!(pairs[0]["findings"][0]["clause"], "10.1");
    assert!(pairs[1]["why"].as_str().expect("a reason").contains("no-such-adapter cannot be started"));
    let (code, out, _) = matrix(&["reference:1.4.0", "reference:1.5.0", "no-such-adapter"]);
    assert_eq!(code, 5, "{out}");
    assert!(out.contains("failed: no-such-adapter cannot be started"), "{out}");
}

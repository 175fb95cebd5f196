//! The folder of an audit, its report, and what it is compared with.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{LOOPBACK, Platform, audit_words, code, covenant_in, output_of, short_run};

/// Runs an audit of the platform as a peer.
fn audit(platform: &Platform, more: &[&str]) -> (i32, String) {
    let more = [&["--rate", "6000", "--poll-timeout", "20"], more].concat();
    let output = covenant_in(platform.folder.path(), &audit_words(&platform.url, &more));
    (code(&output), output_of(&output))
}

fn json_in(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(file)).expect("a file")).expect("JSON")
}

#[test]
fn an_audit_without_a_token_keeps_a_report() {
    let platform = Platform::start(LOOPBACK, &[]);
    let path = platform.folder.path();
    let outside = |more: &[&str]| {
        let output = covenant_in(path, &[&["audit", &platform.url, "--ca", "ca.pem"][..], more].concat());
        (code(&output), output)
    };
    let (exit, output) = outside(&["--out", "out"]);
    assert_eq!(exit, 0, "{}", output_of(&output));
    let report = json_in(path, "out/report.json");
    let points: Vec<&str> = report["diagnostics"]
        .as_array()
        .expect("points")
        .iter()
        .filter_map(|one| one["subject"].as_str())
        .collect();
    assert!(
        ["connection", "accept", "generation", "identity"].iter().all(|one| points.contains(one)),
        "{points:?}"
    );
    for file in ["report.txt", "report.md", "report.html", "junit.xml", "left-behind.txt", "transcript.jsonl"]
    {
        assert!(path.join("out").join(file).is_file(), "{file}");
    }
    for file in ["report.txt", "report.md", "report.html"] {
        let text = fs::read_to_string(path.join("out").join(file)).expect("a text");
        assert!(text.contains("fine: accept: rejects a token that was never issued"), "{file}: {text}");
    }
    let verified = covenant_in(path, &["verify", "out"]);
    assert_eq!(code(&verified), 0, "{}", output_of(&verified));

    let (exit, output) = outside(&["--out", "json", "--format", "json"]);
    assert_eq!(exit, 0, "{}", output_of(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON alone on standard output");
    assert_eq!(printed["counts"]["planned"], 0);

    let (exit, _) = outside(&[]);
    assert_eq!(exit, 0);
    assert_eq!(fs::read_dir(path.join("reports")).expect("a folder").count(), 1);

    let (exit, output) = outside(&["--out", "out"]);
    assert_eq!(exit, 2, "{}", output_of(&output));
    assert!(output_of(&output).contains("earlier run"), "{}", output_of(&output));
    assert_eq!(outside(&["--out", "out", "--force"]).0, 0);

    let absent = covenant_in(path, &["audit", "https://127.0.0.1:1", "--out", "absent"]);
    assert_eq!(code(&absent), 4, "{}", output_of(&absent));
    assert_eq!(code(&covenant_in(path, &["verify", "absent"])), 4);
    assert!(
        fs::read_to_string(path.join("absent/report.txt")).expect("a text").contains("failed: connection")
    );
}

#[test]
fn a_finished_audit_is_not_overwritten_and_spends_no_token() {
    let platform = Platform::start(LOOPBACK, &[]);
    let path = platform.folder.path();
    short_run(false).write_into(path);
    let before = fs::read(path.join("out/transcript.jsonl")).expect("a transcript");
    let (exit, text) = audit(&platform, &["--out", "out"]);
    assert_eq!(exit, 2, "{text}");
    assert!(text.contains("holds an earlier run") && text.contains("--force"), "{text}");
    assert_eq!(fs::read(path.join("out/transcript.jsonl")).expect("a transcript"), before);
    // The token is still good.
    let (exit, text) = audit(&platform, &["--out", "out", "--force"]);
    assert_eq!(exit, 0, "{text}");
    assert_ne!(fs::read(path.join("out/transcript.jsonl")).expect("a transcript"), before);
    let (exit, text) = audit(&platform, &["--force"]);
    assert_eq!(exit, 2, "{text}");
}

#[test]
fn a_wrong_token_evaluates_nothing() {
    let platform = Platform::start(LOOPBACK, &[]);
    let path = platform.folder.path();
    let good = fs::read_to_string(platform.file("token")).expect("a token");
    fs::write(platform.file("token"), "not-the-token-1").expect("written");
    let (exit, text) = audit(&platform, &["--out", "out"]);
    assert_eq!(exit, 7, "{text}");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains("nothing was evaluated: the target refused the acceptance token (401)"), "{text}");
    assert!(line.contains("created at") && line.contains(": nothing"), "{text}");
    assert!(!path.join("out/peering.json").exists(), "keys of no peer are kept");
    let verified = covenant_in(path, &["verify", "out"]);
    assert_eq!(code(&verified), 7, "{}", output_of(&verified));
    let report = json_in(path, "out/report.json");
    assert_eq!((&report["counts"]["kept"], &report["counts"]["broken"]), (&0.into(), &0.into()));
    for file in fs::read_dir(path.join("out")).expect("a folder").flatten() {
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        assert!(!text.contains("not-the-token-1"), "{:?}", file.path());
    }
    fs::write(platform.file("token"), good).expect("written");
    assert_eq!(audit(&platform, &["--out", "other"]).0, 0);
}

#[test]
fn a_password_in_a_url_is_refused_and_nowhere_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    for (url, secret) in [
        ("https://user:hidden-pw-1@a.example/", "hidden-pw-1"),
        ("https://user:s3c@a.example/", "s3c"),
        ("https://hidden-pw-1@a.example/", "hidden-pw-1"),
        ("https://user:hidden%40pw@a.example/", "hidden%40pw"),
        ("https://a.example/?token=hidden-pw-1", "hidden-pw-1"),
        ("https://a.example/#hidden-pw-1", "hidden-pw-1"),
    ] {
        for more in [&[][..], &["--dry-run"], &["--clean", "out"], &["--out", "out"]] {
            let refused = covenant_in(folder.path(), &[&["audit", url][..], more].concat());
            let text = output_of(&refused);
            assert_eq!(code(&refused), 2, "{url}: {text}");
            assert!(!text.contains(secret), "{url}: {text}");
            assert!(
                text.contains("in a file") && text.contains("environment variable")
                    || text.contains("COVENANT_ACCEPTANCE_TOKEN"),
                "{url}: {text}"
            );
        }
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "something was written");
}

#[test]
fn an_audit_is_compared_with_an_earlier_one() {
    let kept = Platform::start(LOOPBACK, &[]);
    let broken = Platform::start(LOOPBACK, &["--defect", "discloses-no-operator-contact"]);
    let (exit, text) = audit(&broken, &["--out", "old"]);
    assert_eq!(exit, 1, "{text}");
    let old = broken.file("old").display().to_string();
    let (exit, text) = audit(&kept, &["--out", "new", "--compare", &old]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("since the earlier audit: NOT WORSE: 1 better"), "{text}");
    assert!(text.contains("another target"), "{text}");
    let difference = json_in(kept.folder.path(), "new/difference.json");
    assert_eq!(difference["better"][0]["clause"], "1.1");
    for file in ["difference.txt", "difference.md"] {
        assert!(
            fs::read_to_string(kept.file("new").join(file)).expect("a text").contains("1 better"),
            "{file}"
        );
    }

    let worse = Platform::start(LOOPBACK, &["--defect", "discloses-no-operator-contact"]);
    let new = kept.file("new").display().to_string();
    let (exit, text) = audit(&worse, &["--out", "new", "--compare", &new, "--format", "json"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("WORSE: 1 worse"), "{text}");
    // A breach that was there before is no worse: the exit code is that of the difference.
    let again = Platform::start(LOOPBACK, &["--defect", "discloses-no-operator-contact"]);
    let (exit, text) = audit(&again, &["--out", "new", "--compare", &old]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("SAME"), "{text}");
}

#[test]
fn what_is_no_audit_is_not_compared_with_and_spends_no_token() {
    let platform = Platform::start(LOOPBACK, &[]);
    let path = platform.folder.path();
    short_run(false).write_into(path);
    assert_eq!(code(&covenant_in(path, &["audit", &platform.url, "--ca", "ca.pem", "--out", "outside"])), 0);
    for (old, part) in
        [("out", "no audit but a run"), ("outside", "an audit without a token"), ("missing", "missing")]
    {
        let (exit, text) = audit(&platform, &["--out", "new", "--compare", old]);
        assert_eq!(exit, 2, "{text}");
        assert!(text.contains(part), "{text}");
    }
    let (exit, text) = audit(&platform, &["--out", "new"]);
    assert_eq!(exit, 0, "the token was spent: {text}");
    // One that evaluates nothing says nothing of what changed.
    let (exit, text) = audit(&platform, &["--out", "third", "--compare", "new"]);
    assert_eq!(exit, 7, "{text}");
    assert!(
        text.contains("it was not compared") && !platform.file("third/difference.json").exists(),
        "{text}"
    );
}

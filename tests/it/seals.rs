//! A transcript is sealed by its last line: a cut, a change and an addition are noticed by whatever reads it.

use std::fs;

use covenant::transcript::read;

use crate::program::{
    COVENANT, code, command, covenant_in, output_of, path_text, short_run, signal, wait_until,
};

#[test]
fn every_change_of_the_end_is_noticed_by_verify_and_replay() {
    let folder = short_run(true).folder();
    let whole = fs::read_to_string(folder.path().join("out").join("transcript.jsonl")).expect("a transcript");
    let last = whole.lines().last().expect("a line").to_owned();
    let path = path_text(&folder.path().join("t.jsonl"));
    let changed = last.replace("\"completed\"", "\"interrupted\"");
    assert_ne!(changed, last);
    for (what, text) in [
        ("a doubled end", format!("{whole}{last}\n")),
        ("trailing bytes", format!("{whole}x")),
        ("an empty line", format!("{whole}\n")),
        ("a changed last line", whole.replace(&last, &changed)),
        ("a second transcript", whole.repeat(2)),
        ("another byte at the end", format!("{}\u{a0}\n", whole.trim_end())),
    ] {
        fs::write(&path, text).expect("written");
        for reader in ["verify", "replay"] {
            let read = covenant_in(folder.path(), &[reader, &path]);
            assert_eq!(code(&read), 2, "{reader}, {what}: {}", output_of(&read));
        }
    }
}

#[test]
fn a_cut_transcript_is_interrupted_and_never_green() {
    for (is_broken, with_verdict) in [(false, 130), (true, 1)] {
        let folder = short_run(is_broken).folder();
        let path = path_text(&folder.path().join("t.jsonl"));
        let whole =
            fs::read_to_string(folder.path().join("out").join("transcript.jsonl")).expect("a transcript");
        let end = whole.trim_end().rfind('\n').expect("lines") + 1;
        for cut in [&whole[..end], &whole[..whole.len() - 1], &whole[..whole.len() - 30]] {
            fs::write(&path, cut).expect("written");
            let verified = covenant_in(folder.path(), &["verify", &path]);
            assert_eq!(code(&verified), with_verdict, "{}", output_of(&verified));
            assert!(
                output_of(&verified).contains("(interrupted: a partial report)"),
                "{}",
                output_of(&verified)
            );
            assert!(
                output_of(&verified).contains("no end: the transcript ends without"),
                "{}",
                output_of(&verified)
            );
            if !is_broken {
                assert_eq!(code(&covenant_in(folder.path(), &["replay", &path])), 130);
            }
        }
        let first = whole.find('\n').expect("lines") + 1;
        fs::write(&path, &whole[..first]).expect("written");
        assert_eq!(code(&covenant_in(folder.path(), &["verify", &path])), 7);
        fs::write(&path, &whole[..first - 1]).expect("written");
        assert_eq!(code(&covenant_in(folder.path(), &["verify", &path])), 2);
    }
}

#[test]
fn every_report_names_the_digest_of_its_transcript_and_what_it_does_not_prove() {
    let folder = short_run(false).folder();
    let out = folder.path().join("out");
    let path = out.join("transcript.jsonl");
    let digest = read(&path).expect("a transcript").sha256;
    let summed = std::process::Command::new("sha256sum").arg(&path).output();
    if let Ok(summed) = summed {
        assert!(String::from_utf8_lossy(&summed.stdout).starts_with(&digest));
    }
    let reports = ["report.txt", "report.json", "report.md", "report.html", "junit.xml"];
    for file in reports {
        let text = fs::read_to_string(out.join(file)).expect("a report");
        assert!(text.contains(&digest), "{file}: {text}");
        assert!(file == "report.json" || text.contains("not signed"), "{file}: {text}");
    }
    let verified = covenant_in(folder.path(), &["verify", "out"]);
    let report = fs::read(out.join("report.txt")).expect("a report");
    assert_eq!(String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&report));
}

#[test]
fn a_killed_run_leaves_a_transcript_without_an_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let hangs = format!("sh -c 'echo $$ > started; sleep 1000; exec {COVENANT} adapter'");
    let arguments = ["run", "--quiet", "--seed", "7", "--contract", "2026-05", "--adapter", &hangs, "--out"];
    let mut run =
        command(folder.path(), &[&arguments[..], &[&path_text(&out)]].concat()).spawn().expect("it starts");
    wait_until("the run begins", || {
        folder.path().join("started").exists() && out.join("transcript.jsonl").exists()
    });
    signal("KILL", run.id());
    run.wait().expect("it ends");
    let verified = covenant_in(folder.path(), &["verify", &path_text(&out)]);
    assert_eq!(code(&verified), 7, "{}", output_of(&verified));
}

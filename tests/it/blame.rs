//! Whose fault it is, and why: exit codes, and the reason for which a handshake fails.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use covenant::Fault;
use covenant::clock::{Clock, Seed};
use covenant::runner::assess;
use covenant::transcript::{Outcome, ScenarioStart, Transcript, What, read};

use crate::program::{ADAPTER_AT, DEFECT, SHORT, SHORT_RUN, code, covenant_in, output_of, path_text};

#[test]
fn an_error_in_a_scenario_is_that_of_its_author() {
    let folder = tempfile::tempdir().expect("a folder");
    for reference in
        ["${now-99999999999999}", "${now+9223372036854775807}", "${now-x}", "${nobody.id}", "${open"]
    {
        let text = format!(
            "title = \"t\"\n\n[[peer]]\nname = \"alice\"\n\n[[step]]\nfederate = {{ peer = \"alice\", as = \"a\" }}\n\n\
             [[step]]\ncall = {{ peer = \"alice\", method = \"GET\", path = \"/x?{reference}\", as = \"x\" }}\n"
        );
        fs::write(folder.path().join("own.toml"), text).expect("written");
        let ran = covenant_in(folder.path(), &["run", "--quiet", "--scenarios", "own.toml", "--out", "out"]);
        assert_eq!(code(&ran), 2, "{reference}: {}", output_of(&ran));
        // What no run can fill in is found before one begins.
        let is_found_early = reference != "${nobody.id}";
        assert_eq!(!folder.path().join("out").exists(), is_found_early, "{reference}");
        assert!(!is_found_early || output_of(&ran).contains("own.toml:"), "{reference}: {}", output_of(&ran));
        let _ = fs::remove_dir_all(folder.path().join("out"));
    }
}

#[test]
fn a_peer_that_may_not_move_is_no_lack_of_the_adapter() {
    let folder = tempfile::tempdir().expect("a folder");
    let only = ["run", "--only", "04-*/notices-reach-a-peer-that-moved", "--out", "out"];
    let ran = covenant_in(folder.path(), &[&only[..], &["--advertise", "https://127.0.0.1"]].concat());
    let report = fs::read_to_string(folder.path().join("out/report.json")).expect("a report");
    assert!(report.contains("`--advertise` fixes the address"), "{}", output_of(&ran));
    assert!(report.contains("\"missing_methods\": []"), "{report}");
    assert!(!report.contains("the operator client does not know"), "{report}");
}

#[test]
fn what_a_scenario_gets_wrong_as_it_runs_is_no_fault_of_the_target() {
    let folder = tempfile::tempdir().expect("a folder");
    let beginning = "title = \"t\"\n\n[[peer]]\nname = \"alice\"\n\n[[step]]\nfederate = { peer = \"alice\", as = \"a\" }\n\n[[step]]\n";
    for (step, reason) in [
        (r#"operator = { method = "peer.show", with = { peer_id = ["${now}"] } }"#, "peer.show"),
        (r#"operator = { method = "clock.advance", with = { seconds = "${now}" } }"#, "clock.advance"),
        (r#"operator = { method = "peer.show", with = { peer_id = "${alice.idd}" } }"#, "has no `idd`"),
        (r#"call = { peer = "alice", method = "GET", path = "/x?${release.smae}", as = "x" }"#, "no `smae`"),
        (r#"call = { peer = "alice", method = "GE T", path = "/x", as = "x" }"#, "call: "),
        ("advance = { seconds = 9000000000000000000 }", "advance: "),
    ] {
        fs::write(folder.path().join("own.toml"), format!("{beginning}{step}\n")).expect("written");
        let ran = covenant_in(folder.path(), &["run", "--quiet", "--scenarios", "own.toml", "--out", "out"]);
        assert_eq!(code(&ran), 2, "{step}: {}", output_of(&ran));
        // What is found before the run begins is that of the author as well.
        let report = fs::read_to_string(folder.path().join("out/report.txt")).unwrap_or_default();
        assert!(format!("{report}{}", output_of(&ran)).contains(reason), "{step}: {report}");
        let _ = fs::remove_dir_all(folder.path().join("out"));
    }
}

/// Answers every connection with these bytes, and returns its URL.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 16 * 1024]);
                let _ = stream.write_all(bytes);
                if bytes.is_empty() {
                    thread::park();
                }
            });
        }
    });
    url
}

#[test]
fn the_reason_of_a_failed_handshake_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("adapter.py"), ADAPTER_AT).expect("written");
    let plain = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");
    let tls_at_plain = plain.replace("http:", "https:");
    for (url, parts) in [
        ("https://no-such-host.invalid".to_owned(), ["lookup", "DNS"]),
        ("https://127.0.0.1:1".to_owned(), ["cannot connect", "check that it runs"]),
        (tls_at_plain, ["TLS", "TLS port"]),
        (plain, ["no JSON", "federation plane"]),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ["an empty body", "JSON"]),
        (
            answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"),
            ["gzip", "without compression"],
        ),
        (answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), ["503", "own log"]),
        (answering(b"HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"), ["302", "redirects"]),
        (
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":{}}"),
            ["200", "peer_id: a text was expected, found nothing"],
        ),
        (
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{\"data\":{\"peer_id\":7}}"),
            ["answer to accept", "peer_id: a text was expected, found 7"],
        ),
        (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), ["204", "JSON"]),
        (answering(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}"), ["500", "own log"]),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"da"), ["closed", "HTTP service"]),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{\"data\":{}}"), ["200", "JSON"]),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"), ["malformed", "HTTP service"]),
        (answering(b"no HTTP\r\n\r\n"), ["malformed", "HTTP service"]),
        (answering(b""), ["no answer within", "--request-timeout"]),
    ] {
        let adapter = format!("python3 adapter.py '\"{url}\"'");
        let ran = covenant_in(
            folder.path(),
            &[
                &SHORT_RUN[..],
                &[
                    "--contract",
                    "2026-05",
                    "--identity",
                    "forwarded",
                    "--request-timeout",
                    "1",
                    "--adapter",
                    &adapter,
                ],
            ]
            .concat(),
        );
        assert_eq!(code(&ran), 4, "{url}: {}", output_of(&ran));
        let report = fs::read_to_string(folder.path().join("out/report.txt")).expect("a report");
        let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
        // Digests and ports in the rest of the report hold any digits.
        let why = report.split_once("why: ").and_then(|(_, why)| Some(why.split_once(" target: ")?.0));
        let why = why.unwrap_or_else(|| panic!("no reason: {report}"));
        assert!(report.contains("accept of") && !report.contains("null"), "{url}: {report}");
        for part in parts {
            assert!(why.contains(part), "{url}: {part}: {report}");
        }
    }
}

#[test]
fn an_audit_names_the_reason_too() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), "a-token-of-tests").expect("written");
    let words = ["audit", "https://no-such-host.invalid", "--quiet", "--token-file", "token", "--out", "out"];
    for more in [&[][..], &["--watch", "1s"]] {
        let audited = covenant_in(folder.path(), &[&words, more].concat());
        assert_eq!(code(&audited), 4, "{}", output_of(&audited));
        let text = output_of(&audited).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("lookup") && text.contains("DNS"), "{text}");
        fs::remove_dir_all(folder.path().join("out")).expect("removed");
    }
}

#[test]
fn a_void_run_counts_no_breach() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = [
        "run", "--quiet", "--seed", "7", "--cases", "0", "--only", SHORT, "--defect", DEFECT, "--out", "out",
    ];
    assert_eq!(code(&covenant_in(folder.path(), &run)), 1);
    let whole = read(&folder.path().join("out/transcript.jsonl")).expect("a transcript");
    let path = folder.path().join("void.jsonl");
    let clock = Clock::system();
    let transcript = Transcript::create(&path, whole.start.clone(), &clock).expect("created");
    for trace in whole.traces() {
        let source = trace.start().expect("a start").source.clone();
        let recorder =
            transcript.begin(trace.scenario(), ScenarioStart { source, seed: Seed(7) }, clock.clone());
        for entry in &trace.entries()[1..] {
            match &*entry.what {
                What::End(_) if trace.scenario() != SHORT => {
                    let _ = recorder.end(Fault::target("it does not answer").into());
                }
                _ => drop(recorder.record_again(entry, entry.label.as_deref())),
            }
        }
    }
    transcript.end(Outcome::Completed, &clock);
    let report = assess(&read(&path).expect("a transcript"));
    assert!(report.void.is_some());
    assert_eq!((report.counts.broken, report.counts.by_basis.proposed.broken), (0, 0));
    let json = serde_json::to_string(&report).expect("JSON");
    assert!(!json.contains("\"broken\":[\"") && !json.contains("\"verdict\":\"broken\""), "{json}");
    let verified = covenant_in(folder.path(), &["verify", &path_text(&path)]);
    assert_eq!(code(&verified), 4, "{}", output_of(&verified));
    assert!(
        !output_of(&verified).contains("BROKEN") && output_of(&verified).contains(" 0 broken"),
        "{}",
        output_of(&verified)
    );
    let xml = covenant_in(folder.path(), &["verify", &path_text(&path), "--format", "junit"]);
    assert!(output_of(&xml).contains("failures=\"0\""), "{}", output_of(&xml));
    assert!(Path::new(&path).exists());
}

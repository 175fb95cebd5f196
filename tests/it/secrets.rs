//! No secret of the user is in anything that the program writes, whatever path it took.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::thread;

use crate::program::{COVENANT, SHORT, SHORT_RUN, code, command, covenant_in, output_of};

const TOKEN: &str = "0perator-t0ken/of=the user";

/// Answers every request with a body, in which `TOKEN` stands for the bearer token of the request.
fn echo(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream, body));
        }
    });
    url
}

fn answer(mut stream: TcpStream, body: &str) {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        heard.extend(&piece[..count]);
        let text = String::from_utf8_lossy(&heard).into_owned();
        let Some((head, sent)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_lowercase();
        let length =
            lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        if sent.len() < length.unwrap_or(0) {
            continue;
        }
        let bearer =
            head.lines().find_map(|line| line.split_once("Bearer ")).map_or("none", |(_, token)| token);
        let id = serde_json::from_str::<serde_json::Value>(sent).unwrap_or_default()["id"].to_string();
        let body = body.replace("TOKEN", bearer).replace("ID", &id);
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        return;
    }
}

/// Asserts that neither the terminal nor a file of the folder holds a secret.
fn assert_silent(what: &str, ran: &Output, out: &Path, secrets: &[&str]) {
    let mut written = vec![("the terminal".to_owned(), output_of(ran))];
    for file in fs::read_dir(out).into_iter().flatten().flatten() {
        let text = String::from_utf8_lossy(&fs::read(file.path()).unwrap_or_default()).into_owned();
        written.push((file.path().display().to_string(), text));
    }
    for (place, text) in written {
        for secret in secrets {
            assert!(!text.contains(secret), "{what}: {place} holds {secret}: {text}");
        }
    }
}

#[test]
fn an_operator_that_echoes_its_token_reveals_nothing() {
    for body in [
        r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32000,"message":"bad token TOKEN"}}"#,
        r#"{"jsonrpc":"2.0","id":ID,"result":"TOKEN"}"#,
        "no JSON: TOKEN",
        r#"{"jsonrpc":"2.0","id":ID,"result":{"name":"TOKEN","version":"TOKEN","protocol":1,"verbs":["TOKEN"]}}"#,
        r#"{"TOKEN": 1, "acceptance_token": "an-acceptance-token-1"}"#,
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let url = echo(body);
        let secrets = [TOKEN, "an-acceptance-token-1"];
        let run =
            ["-v", "run", "--quiet", "--seed", "7", "--only", SHORT, "--operator", &url, "--out", "out"];
        let ran =
            command(folder.path(), &run).env("COVENANT_OPERATOR_TOKEN", TOKEN).output().expect("it starts");
        assert_ne!(code(&ran), 0, "{body}: {}", output_of(&ran));
        assert_silent(body, &ran, &folder.path().join("out"), &secrets);
        for other in ["doctor", "adapter check"] {
            let words: Vec<&str> = other.split(' ').chain(["--operator", &url]).collect();
            let ran = command(folder.path(), &words).env("COVENANT_OPERATOR_TOKEN", TOKEN).output();
            assert_silent(body, &ran.expect("it starts"), folder.path(), &secrets);
        }
    }
}

#[test]
fn an_adapter_that_shows_tokens_reveals_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("adapter.sh"),
        format!(
            "echo 'password=hunter2-of-adapter and --secret-key flag-secret-value' >&2\n\
             mkfifo pipe.$$; tee /dev/stderr < pipe.$$ & exec {COVENANT} adapter > pipe.$$\n"
        ),
    )
    .expect("written");
    let line = "sh adapter.sh --api-token flag-secret-value";
    let ran = covenant_in(
        folder.path(),
        &["run", "--quiet", "--seed", "7", "--only", SHORT, "--jobs", "1", "--adapter", line, "--out", "out"],
    );
    assert_silent("adapter", &ran, &folder.path().join("out"), &["hunter2-of-adapter", "flag-secret-value"]);
    let log = fs::read_to_string(folder.path().join("out/adapter.log")).expect("a log");
    assert!(log.contains("\"acceptance_token\":\"<acceptance_token>\""), "{log}");
    assert!(log.contains("password=<password>"), "{log}");
}

#[test]
fn an_adapter_inherits_what_is_named_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = format!("sh -c 'env >&2; exec {COVENANT} adapter'");
    let log = |more: &[&str]| {
        let fixed = ["--jobs", "1", "--adapter", &line];
        let mut run = command(folder.path(), &[&SHORT_RUN[..], &fixed, more].concat());
        run.env("COVENANT_OPERATOR_TOKEN", TOKEN).env("COVENANT_ACCEPTANCE_TOKEN", "x-acceptance-1");
        run.env("MY_SETTING", "a-value").env("MY_TOKEN", "my-token-of-adapter").env("HOME", "/home/of-tests");
        run.env("MY_EMPTY", "");
        let ran = run.output().expect("it starts");
        (
            code(&ran),
            fs::read_to_string(folder.path().join("out/adapter.log")).expect("a log"),
            output_of(&ran),
        )
    };
    let (exit, bare, printed) = log(&[]);
    assert_eq!(exit, 0, "{printed}");
    assert!(bare.contains("PATH=") && bare.contains("HOME=/home/of-tests"), "{bare}");
    assert!(!bare.contains("COVENANT") && !bare.contains("MY_"), "{bare}");
    let (_, named, _) =
        log(&["--adapter-env", "MY_SETTING", "--adapter-env", "MY_TOKEN", "--adapter-env", "MY_EMPTY"]);
    assert!(named.lines().any(|line| line.ends_with("MY_EMPTY=")), "{named}");
    assert!(named.contains("MY_SETTING=a-value") && named.contains("MY_TOKEN=<adapter_secret>"), "{named}");
    assert!(!named.contains("COVENANT_"), "{named}");
    let config = format!("[target]\nadapter = \"\"\"{line}\"\"\"\nadapter_env = [\"MY_SETTING\"]\n");
    fs::write(folder.path().join("covenant.toml"), config).expect("written");
    let (_, of_file, _) = log(&[]);
    assert!(of_file.contains("MY_SETTING=a-value"), "{of_file}");
    let missing = covenant_in(folder.path(), &["run", "--adapter", &line, "--adapter-env", "MY_MISSING"]);
    assert_eq!(code(&missing), 2, "{}", output_of(&missing));
}

#[test]
fn a_url_with_a_password_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "https://user:hidden-pw-1@a.example/";
    let powernode = format!("powernode:{url}");
    let joined = format!("--operator={url}");
    for arguments in [
        &["run", "--operator", url][..],
        &["run", &joined],
        &["run", "--operator", &powernode],
        &["run", "--target", url, "--adapter", "x"],
        &["run", "--advertise", url],
        &["run", "--target", "https://hidden-pw-1@a.example/"],
        &["doctor", "--target", url],
        &["audit", url],
        &["adapter", "check", "--operator", url],
        &["replay", "x", "--target", url],
        &["run", "--no-such-flag", url],
    ] {
        let refused = covenant_in(folder.path(), arguments);
        assert_eq!(code(&refused), 2, "{arguments:?}: {}", output_of(&refused));
        assert!(!output_of(&refused).contains("hidden-pw-1"), "{arguments:?}: {}", output_of(&refused));
    }
    for key in ["url", "operator"] {
        fs::write(folder.path().join("c.toml"), format!("[target]\n{key} = \"{url}\"\n")).expect("written");
        let refused = covenant_in(folder.path(), &["run", "--config", "c.toml"]);
        assert_eq!(code(&refused), 2, "{}", output_of(&refused));
        assert!(!output_of(&refused).contains("hidden-pw-1"), "{}", output_of(&refused));
        assert!(output_of(&refused).contains("not accepted"), "{}", output_of(&refused));
    }
}

#[test]
fn a_token_crosses_no_network_in_plain_http_unless_it_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |url: &str, more: &[&str]| {
        let fixed =
            ["run", "--quiet", "--only", SHORT, "--adapter-timeout", "1", "--out", "out", "--operator", url];
        let mut run = command(folder.path(), &[&fixed, more].concat());
        let ran = run.env("COVENANT_OPERATOR_TOKEN", TOKEN).output().expect("it starts");
        (code(&ran), output_of(&ran))
    };
    let elsewhere = "http://platform.invalid/";
    let (exit, printed) = run(elsewhere, &[]);
    assert!(exit == 2 && printed.contains("--plain-http") && !printed.contains(TOKEN), "{exit} {printed}");
    assert_eq!(run(elsewhere, &["--plain-http"]).0, 5);
    assert_eq!(run("http://127.0.0.1:9/", &[]).0, 5);
    let powernode = command(folder.path(), &["run", "--operator", "powernode:http://platform.invalid/"])
        .env("COVENANT_POWERNODE_EMAIL", "a@b.example")
        .env("COVENANT_POWERNODE_PASSWORD", "password-1")
        .output()
        .expect("it starts");
    assert_eq!(code(&powernode), 2, "{}", output_of(&powernode));
}

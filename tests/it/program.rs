//! The program as a test starts it: with a folder of its own, and without the settings of this shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::described;
use covenant::clock::Stopwatch;
use serde_json::Value;

pub(crate) const COVENANT: &str = env!("CARGO_BIN_EXE_covenant");
/// A short scenario, and a defect that breaks it.
pub(crate) const SHORT: &str = "03-truthful-capabilities/declared-kinds-are-served";
pub(crate) const DEFECT: &str = "rejects-declared-kind";
/// A run of the short scenario into the folder `out`.
pub(crate) const SHORT_RUN: [&str; 8] = ["run", "--quiet", "--seed", "7", "--only", SHORT, "--out", "out"];

/// An adapter whose platform is at what its first argument says, and that describes itself by the second, if there is
/// one. Both are JSON.
pub(crate) const ADAPTER_AT: &str = r#"
import json, sys
described = {"name": "x", "version": "1", "protocol": 1, "verbs": ["peer.propose"]}
results = {
    "describe": described | json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}"),
    "platform.start": {"base_url": json.loads(sys.argv[1])},
    "peer.propose": {"peer_id": "p-1", "acceptance_token": "token-of-tests-1"},
}
for line in sys.stdin:
    call = json.loads(line)
    answer = {"jsonrpc": "2.0", "id": call["id"]}
    if call["method"] in results:
        answer["result"] = results[call["method"]]
    else:
        answer["error"] = {"code": -32601, "message": "unknown"}
    print(json.dumps(answer), flush=True)
"#;

pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(COVENANT);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for name in ["COVENANT_ACCEPTANCE_TOKEN", "COVENANT_OPERATOR_TOKEN", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// As [`command`], for a test that sends SIGHUP: whoever runs the tests may have it ignored, as `nohup` does, and the
/// program would ignore it too.
pub(crate) fn command_that_heeds_hangups(folder: &Path, arguments: &[&str]) -> Command {
    let plain = command(folder, arguments);
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP").arg(plain.get_program()).args(plain.get_args());
    command.current_dir(folder).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

pub(crate) fn covenant_in(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the program starts")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("it was ended: {}", output_of(output)))
}

/// The files of a folder that several tests need, made once. Each test gets a folder of its own with them.
pub(crate) struct Kept(Vec<KeptFile>);

struct KeptFile {
    path: PathBuf,
    permissions: fs::Permissions,
    /// `None` for a folder.
    content: Option<Vec<u8>>,
}

impl Kept {
    pub(crate) fn made(make: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path());
        let mut files = vec![];
        keep(folder.path(), Path::new(""), &mut files);
        Self(files)
    }

    pub(crate) fn folder(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        self.write_into(folder.path());
        folder
    }

    pub(crate) fn write_into(&self, folder: &Path) {
        for file in &self.0 {
            let path = folder.join(&file.path);
            match &file.content {
                Some(content) => fs::write(&path, content).expect("written"),
                None => fs::create_dir(&path).expect("created"),
            }
            fs::set_permissions(&path, file.permissions.clone()).expect("set");
        }
    }
}

/// Reads what is below a folder, each folder before what is in it.
fn keep(folder: &Path, below: &Path, files: &mut Vec<KeptFile>) {
    for entry in fs::read_dir(folder.join(below)).expect("a folder").flatten() {
        let path = below.join(entry.file_name());
        let found = entry.metadata().expect("it exists");
        let is_folder = found.is_dir();
        let content = (!is_folder).then(|| fs::read(entry.path()).expect("a file"));
        files.push(KeptFile { path: path.clone(), permissions: found.permissions(), content });
        if is_folder {
            keep(folder, &path, files);
        }
    }
}

/// Returns a run of the short scenario, `out`, which the defect breaks or not. Each of the two is played once.
pub(crate) fn short_run(is_broken: bool) -> &'static Kept {
    static RUNS: [OnceLock<Kept>; 2] = [const { OnceLock::new() }; 2];
    let made = || {
        Kept::made(|folder| {
            let defect: &[&str] = if is_broken { &["--defect", DEFECT] } else { &[] };
            let run = covenant_in(folder, &[&SHORT_RUN[..], defect].concat());
            assert_eq!(code(&run), i32::from(is_broken), "{}", output_of(&run));
        })
    };
    RUNS[usize::from(is_broken)].get_or_init(made)
}

/// Returns everything that the program printed.
pub(crate) fn output_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn path_text(path: &Path) -> String {
    path.to_str().expect("a path").to_owned()
}

/// Waits until a condition holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Stopwatch::start();
    while !holds() {
        assert!(since.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(sent.expect("kill starts").success(), "{name} {process}");
}

/// Returns the ids of the processes that work in a folder. An id alone would not do: the system gives it again, also
/// to a thread.
pub(crate) fn working_in(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().expect("a folder");
    let processes = fs::read_dir("/proc").expect("the processes").flatten();
    processes
        .filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == folder))
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}

/// The reference platform as a program, with an acceptance token for one peer.
pub(crate) struct Platform {
    child: Child,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) folder: tempfile::TempDir,
}

/// Returns the words of an audit as a peer, whose authority and token are in the folder of the audit.
pub(crate) fn audit_words<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["audit", url, "--ca", "ca.pem", "--token-file", "token", "--quiet"];
    [&fixed[..], more].concat()
}

/// An address of this machine with a free port.
pub(crate) const LOOPBACK: &str = "127.0.0.1:0";

impl Platform {
    pub(crate) fn start(listen: &str, more: &[&str]) -> Self {
        let target = ["target", "--listen", listen, "--propose", "https://127.0.0.1:1"];
        let (child, description) = described::start(Command::new(COVENANT).args(target).args(more));
        let folder = tempfile::tempdir().expect("a folder");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let token = text(&description["peers"][0]["acceptance_token"]);
        fs::write(folder.path().join("ca.pem"), text(&description["ca_bundle_pem"])).expect("written");
        fs::write(folder.path().join("token"), &token).expect("written");
        Self { child, url: text(&description["base_url"]), token, folder }
    }

    /// Returns the number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

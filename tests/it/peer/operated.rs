//! The reference platform behind its adapter, whose operator calls methods.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use covenant::clock::Clock;
use serde_json::{Value, json};

use crate::program::command;

/// The reference platform behind its adapter, whose operator calls methods.
pub(super) struct Operated {
    child: Child,
    requests: ChildStdin,
    results: BufReader<ChildStdout>,
}

impl Operated {
    pub(super) fn start(folder: &Path) -> Self {
        let mut child = command(folder, &["adapter"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let requests = child.stdin.take().expect("piped");
        let results = BufReader::new(child.stdout.take().expect("piped"));
        let mut operated = Self { child, requests, results };
        operated.call("platform.start", &json!({}));
        // Its clock begins long before the certificates of peers that have the system's.
        let now: jiff::Timestamp =
            serde_json::from_value(operated.call("clock.now", &json!({}))["now"].clone()).expect("a time");
        let behind = Clock::system().now().duration_since(now).as_secs();
        operated.call("clock.advance", &json!({"seconds": behind}));
        operated
    }

    pub(super) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
        writeln!(self.requests, "{request}").expect("written");
        let mut line = String::new();
        self.results.read_line(&mut line).expect("a line");
        let response: Value = serde_json::from_str(&line).expect("JSON");
        assert!(response.get("error").is_none(), "{method}: {line}");
        response["result"].clone()
    }
}

impl Drop for Operated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

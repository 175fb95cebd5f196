//! The reference as an adapter on standard input and output, in a program as small as can be. `ci/mutants` builds it
//! again for each mutant, and the suite itself stays as it is.

use std::io::{self, BufRead, Write};
use std::net::{IpAddr, Ipv4Addr};

use covenant_model::clock::{Clock, Seed};
use covenant_model::operator::{INTERNAL, METHOD_NOT_FOUND, Method};
use covenant_reference::{Process, ProcessError, ProcessOptions};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> io::Result<()> {
    let folder = tempfile::TempDir::with_prefix("covenant-")?;
    let process = Process::new(ProcessOptions {
        clock: Clock::manual("2026-06-01T00:00:00Z".parse().map_err(io::Error::other)?),
        seed: Seed(1),
        database: Some(folder.path().join("platform.sqlite")),
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        settings: json!({}),
        patches: vec![],
    });
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let mut response = answer(&process, &request).await;
        response["jsonrpc"] = json!("2.0");
        response["id"] = request["id"].clone();
        let mut out = io::stdout().lock();
        writeln!(out, "{response}")?;
        out.flush()?;
    }
    Ok(())
}

/// Returns the result or the error of one request.
async fn answer(process: &Process, request: &Value) -> Value {
    let Some(method) = request["method"].as_str().and_then(Method::parse) else {
        return failure(METHOD_NOT_FOUND, &format!("{} is not supported", request["method"]));
    };
    let parameters = if request["params"].is_null() { json!({}) } else { request["params"].clone() };
    match process.call(method, parameters).await {
        Ok(result) => json!({ "result": result }),
        Err(ProcessError::Method(error)) => failure(error.code, &error.message),
        Err(ProcessError::Start(error)) => failure(INTERNAL, &covenant_model::with_causes(&error)),
    }
}

fn failure(code: i64, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

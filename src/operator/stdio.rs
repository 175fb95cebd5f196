//! Adapters that are programs: one process, and so one platform, for each scenario, or for several in turn if the
//! platform can be reset. The protocol is one JSON object per line over standard input and output.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use covenant_model::environment;

use super::log::Log;
use super::platform::Describe;
use super::process::{Process, Program};
use super::reuse::{Idle, Leased};
use super::rpc::{self, RESPONSE_BYTES_MAX, Response};
use super::{
    Description, Kinds, Lease, Method, NONEXISTENT_METHOD, OperatorClient, OperatorError, OperatorMethod,
    TargetRequest, Targets,
};
use crate::Fault;

/// The targets of an adapter program. It is started for each scenario, unless one that ended can be reset.
#[derive(Clone)]
pub struct Stdio {
    program: Program,
    request_timeout: Duration,
    log: Log,
    exiting: Arc<PlainMutex<JoinSet<()>>>,
    idle: Idle,
}

impl Stdio {
    /// Builds the targets of this program. A call of a method may take `request_timeout`; `log` receives the
    /// standard error of the adapters.
    #[must_use]
    pub fn new(program: Program, request_timeout: Duration, log: Log) -> Self {
        Self { program, request_timeout, log, exiting: Arc::default(), idle: Idle::default() }
    }

    /// Starts an adapter and calls `describe`.
    pub async fn start(&self) -> Result<Adapter, OperatorError> {
        let started = self.program.start(&self.log);
        let (process, requests, responses) = started.map_err(|error| {
            let message = format!("{} does not start: {error}", self.program);
            if environment::note(&error) {
                return OperatorError::Fault(Fault::environment(message).of_method(Describe::METHOD));
            }
            OperatorError::adapter(Describe::METHOD, message)
        })?;
        let line =
            Line { process, requests, responses, asked: 0, abandoned: BTreeSet::new(), is_waiting: false };
        let line = Mutex::new(Ok(line));
        let exiting = self.exiting.clone();
        let request_timeout = self.request_timeout;
        let mut adapter = Adapter { line, request_timeout, exiting, description: Description::default() };
        adapter.description = Description::read(&adapter.call(Describe::METHOD, json!({})).await?)?;
        Ok(adapter)
    }
}

impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdio").field("program", &self.program).finish_non_exhaustive()
    }
}

#[async_trait]
impl Targets for Stdio {
    async fn lease(&self, _: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let adapter = match self.idle.take().await {
            Some(adapter) => adapter,
            None => self.start().await?,
        };
        let (clock, clock_sync) = adapter.description.clock();
        let caller = adapter.description.caller;
        let operator = Arc::new(Leased::new(adapter, self.idle.clone()));
        Ok(Lease { operator, clock, clock_sync, caller, is_fresh: true, guard: None })
    }

    async fn close(&self) {
        self.idle.clear();
        let mut exiting = std::mem::take(&mut *self.exiting.lock().unwrap_or_else(PoisonError::into_inner));
        while exiting.join_next().await.is_some() {}
    }
}

/// A running adapter.
pub struct Adapter {
    /// The pipes of the adapter, or the reason why it was given up.
    line: Mutex<Result<Line, String>>,
    request_timeout: Duration,
    exiting: Arc<PlainMutex<JoinSet<()>>>,
    description: Description,
}

impl Adapter {
    /// Returns the adapter's description.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Returns whether the adapter runs and owes no answer.
    pub(super) fn is_idle(&mut self) -> bool {
        self.line.get_mut().as_ref().is_ok_and(|line| line.abandoned.is_empty() && !line.is_waiting)
    }

    /// Sends a request. `method` is the name of a method, or the one that does not exist.
    async fn ask(&self, method: &str, parameters: &Value) -> Result<Value, OperatorError> {
        let mut line = self.line.lock().await;
        let broken = |message: String| OperatorError::adapter(method, message);
        let talking = match line.as_mut() {
            Ok(talking) => talking,
            Err(why) => return Err(broken(format!("it was given up before: {why}"))),
        };
        match timeout(self.request_timeout, talking.ask(method, parameters)).await {
            Ok(Ok(response)) => response.of(method),
            Ok(Err(message)) => {
                *line = Err(message.clone());
                Err(broken(message))
            }
            Err(_) => {
                talking.abandoned.insert(talking.asked);
                Err(broken(format!("no answer within {} s", self.request_timeout.as_secs_f32())))
            }
        }
    }
}

#[async_trait]
impl OperatorClient for Adapter {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        self.ask(method.name(), &parameters).await
    }

    async fn call_nonexistent(&self) -> Result<Value, OperatorError> {
        self.ask(NONEXISTENT_METHOD, &json!({})).await
    }

    fn settles_at_once(&self) -> bool {
        self.description.settles_at_once
    }

    fn kinds(&self) -> Option<&Kinds> {
        self.description.kinds.as_ref()
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        let given_up = Err(String::new());
        let Ok(Line { process, requests, .. }) = std::mem::replace(self.line.get_mut(), given_up) else {
            return;
        };
        // Closing the adapter's standard input asks it to exit.
        drop(requests);
        if tokio::runtime::Handle::try_current().is_ok() {
            self.exiting.lock().unwrap_or_else(PoisonError::into_inner).spawn(process.wait_or_kill());
        }
    }
}

/// The two pipes of an adapter, and its open requests.
struct Line {
    process: Process,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
    /// The id of the last request.
    asked: u64,
    /// The ids of requests that timed out. Their responses may arrive late.
    abandoned: BTreeSet<u64>,
    /// True while a response is awaited, and for good if the wait was cancelled.
    is_waiting: bool,
}

impl Line {
    /// Sends one request and reads its response. An error states what the adapter did and what was expected.
    async fn ask(&mut self, method: &str, parameters: &Value) -> Result<Response, String> {
        self.asked += 1;
        self.is_waiting = true;
        let request = rpc::request(self.asked, method, parameters) + "\n";
        if self.requests.write_all(request.as_bytes()).await.is_err() {
            return Err(self.process.describe_exit().await);
        }
        loop {
            let text = self.next_line().await?;
            let response = Response::read(&text)?;
            match response.id {
                Some(id) if id == self.asked => {
                    self.is_waiting = false;
                    return Ok(response);
                }
                Some(id) if self.abandoned.remove(&id) => {}
                Some(id) if id < self.asked => return Err(format!("it answered request {id} twice")),
                _ => {
                    let shown = rpc::beginning(&text);
                    return Err(format!(
                        "it answered a request that was not made (id {}): {shown}",
                        self.asked
                    ));
                }
            }
        }
    }

    async fn next_line(&mut self) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let limit = RESPONSE_BYTES_MAX as u64 + 1;
        let count = (&mut self.responses).take(limit).read_until(b'\n', &mut text).await;
        match count {
            Ok(0) => Err(self.process.describe_exit().await),
            Ok(count) if count > RESPONSE_BYTES_MAX => {
                Err(format!("a line of its answers is longer than {} MiB", RESPONSE_BYTES_MAX >> 20))
            }
            Ok(_) if text.last() != Some(&b'\n') => {
                let ended = self.process.describe_exit().await;
                Err(format!("it {ended}, in the middle of a line: {}", rpc::beginning(&text)))
            }
            Ok(_) => Ok(text),
            Err(error) => Err(format!("its standard output can't be read: {error}")),
        }
    }
}

//! The REST surface of a Powernode as operator (`powernode.md` §7): what an operator of one can do there.

mod methods;
mod rest;

use std::fmt;
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{ClockSync, Description, Lease, OperatorClient, OperatorError, PROTOCOL, TargetRequest, Targets};
use crate::clock::Clock;
use crate::wire::header::CallerForm;
use methods::METHODS;
pub use rest::Rest;

/// Who logs in. Read from the environment or a file, never from a command line.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The operator's address.
    pub email: String,
    /// The operator's password.
    pub password: String,
    /// The token of a worker, for the sweeps on demand.
    #[serde(default)]
    pub worker_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// A Powernode through its REST surface. There is one, which the scenarios have one after another.
#[derive(Clone)]
pub struct Powernode(Arc<Inner>);

struct Inner {
    rest: Rest,
    /// What was declared without naming a peer: each peer that is proposed from then on gets it.
    declared: PlainMutex<Vec<Value>>,
    turn: Arc<Mutex<()>>,
}

impl Powernode {
    /// OperatorClient on the Powernode behind `rest`.
    #[must_use]
    pub fn new(rest: Rest) -> Self {
        Self(Arc::new(Inner { rest, declared: PlainMutex::default(), turn: Arc::default() }))
    }

    /// What these operator say of themselves.
    #[must_use]
    pub fn describe() -> Value {
        json!({
            "name": "powernode", "version": "", "protocol": PROTOCOL, "contract_versions": [1],
            "verbs": METHODS, "identity": "tls", "generation": "G3",
        })
    }

    /// What these operator say of themselves, read.
    pub fn description() -> Result<Description, OperatorError> {
        Description::read(&Self::describe())
    }

    fn declared(&self) -> std::sync::MutexGuard<'_, Vec<Value>> {
        self.0.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Powernode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Powernode").field(&self.0.rest).finish()
    }
}

#[async_trait]
impl Targets for Powernode {
    async fn lease(&self, _: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let turn = self.0.turn.clone().lock_owned().await;
        self.declared().clear();
        // The platform's clock is not told, and can't be moved.
        Ok(Lease {
            operator: Arc::new(self.clone()),
            clock: Clock::system(),
            clock_sync: ClockSync::Independent,
            caller: CallerForm::Tls,
            is_fresh: false,
            guard: Some(Box::new(turn)),
        })
    }
}

#[async_trait]
impl OperatorClient for Powernode {
    async fn call(&self, method: &str, parameters: Value) -> Result<Value, OperatorError> {
        methods::call(self, method, &parameters).await
    }
}

//! Operator client on the REST surface of a Powernode (`wire.md` §7), limited to what its operator can do
//! there.

mod methods;
mod rest;

use std::fmt;
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    ClockSync, Description, Lease, Method, OperatorClient, OperatorError, PROTOCOL, TargetRequest, Targets,
};
use crate::clock::Clock;
use crate::wire::generation::{CallerForm, Generation, TLS_NAME};
use methods::METHODS;
pub use rest::Rest;

/// The log-in. It is read from the environment or a file, never from the command line.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The operator's email address.
    pub email: String,
    /// The operator's password.
    pub password: String,
    /// The token of a worker, which allows sweeps on demand.
    #[serde(default)]
    pub worker_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// A Powernode behind its REST surface. The scenarios use this one platform in turn.
#[derive(Clone)]
pub struct Powernode(Arc<Inner>);

struct Inner {
    rest: Rest,
    /// The declarations that name no peer. Each peer that is proposed later gets them.
    declared: PlainMutex<Vec<Value>>,
    turn: Arc<Mutex<()>>,
}

impl Powernode {
    /// Builds the operator client of the Powernode behind `rest`.
    #[must_use]
    pub fn new(rest: Rest) -> Self {
        Self(Arc::new(Inner { rest, declared: PlainMutex::default(), turn: Arc::default() }))
    }

    /// Returns the description of this operator client, as JSON.
    #[must_use]
    pub fn describe() -> Value {
        json!({
            "name": "powernode", "version": "", "protocol": PROTOCOL, "contract_versions": [1],
            "verbs": METHODS.map(Method::name), "identity": TLS_NAME, "generation": Generation::newest().name,
        })
    }

    /// Returns the description of this operator client.
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
        // The platform's clock can be neither read nor moved.
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
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        methods::call(self, method, &parameters).await
    }
}

//! Operator client on the REST surface of a Powernode (`wire.md` §7), limited to what its operator can do
//! there.

mod grants;
mod methods;
mod rest;
mod session;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex as PlainMutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::resource::Put;
use super::{
    Lease, Method, NamedRecord, OperatorClient, OperatorError, OperatorMethod, PROTOCOL, TargetRequest,
    Targets,
};
use crate::wire::generation::{CallerForm, Generation, TLS_NAME};
use methods::{METHODS, SWEEPS};
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
    /// The records that the user names, by kind and id.
    records: Vec<NamedRecord>,
    kept: PlainMutex<Kept>,
    turn: Arc<Mutex<()>>,
}

/// State that is kept between the calls.
#[derive(Default)]
struct Kept {
    /// The declarations of this lease that name no peer. Each peer that is proposed later gets them.
    declared: Vec<Value>,
    /// The peer that was proposed last, which has all of these declarations.
    last_peer: Option<String>,
    /// The peer of each grant that was issued, by the id of the grant.
    peers_of_grants: BTreeMap<String, String>,
    /// True if the platform has refused a grant without `*`.
    wants_stars: bool,
}

impl Powernode {
    /// Builds the operator client of the Powernode behind `rest`. `records` are those that it has already.
    #[must_use]
    pub fn new(rest: Rest, records: Vec<NamedRecord>) -> Self {
        Self(Arc::new(Inner { rest, records, kept: PlainMutex::default(), turn: Arc::default() }))
    }

    /// Returns the description of this operator client, as JSON.
    #[must_use]
    pub fn describe(&self) -> Value {
        let put = (!self.0.records.is_empty()).then_some(Put::METHOD);
        let sweeps = self.rest().has_worker().then_some(SWEEPS).into_iter().flatten();
        let verbs: Vec<&str> = METHODS.into_iter().chain(put).chain(sweeps).map(Method::name).collect();
        json!({
            "name": "powernode", "version": "unknown", "protocol": PROTOCOL, "contract_versions": [1],
            "verbs": verbs, "identity": TLS_NAME, "generation": Generation::newest().name,
        })
    }

    fn rest(&self) -> &Rest {
        &self.0.rest
    }

    /// Returns true if the user names this record.
    fn has_record(&self, kind: &str, record: &Value) -> bool {
        let mut records = self.0.records.iter().filter(|named| named.kind == kind);
        records.any(|named| json!(named.members()) == *record)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.kept().declared.clear();
        Ok(Lease::of_running(self.clone(), CallerForm::Tls, Some(Box::new(turn))))
    }
}

#[async_trait]
impl OperatorClient for Powernode {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        methods::call(self, method, &parameters).await
    }
}

//! The operator on the target: the operator plane of the binding as one trait, and what plugs into it.
//!
//! Half of the contract is about what an operator does and sees. Whoever gives the suite those
//! operator implements [`OperatorClient`]; a method that it lacks makes the clauses that need it `unproven`.

mod at;
mod audit_client;
mod description;
mod embedded;
mod http;
mod method;
mod person;
pub mod powernode;
mod process;
pub mod rpc;
mod serve;
mod stdio;

pub use at::{Address, At};
pub use audit_client::AuditClient;
pub use description::{Description, PROTOCOL};
pub use embedded::{Embedded, EmbeddedOptions};
pub use http::Http;
pub use method::Method;
pub use person::{Dialogue, Person};
pub use process::{Log, NoProgram, Program};
pub use serve::serve;
pub use stdio::{Adapter, Stdio};

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

use crate::clock::Clock;
use crate::wire::header::CallerForm;

/// A operator client on one target.
#[async_trait]
pub trait OperatorClient: Send + Sync {
    /// Does what `method` says, with JSON as `binding.md` describes it.
    async fn call(&self, method: &str, parameters: Value) -> Result<Value, OperatorError>;

    /// Whether everything that the target does by itself after an act is done when the act is
    /// answered: then waiting longer shows nothing more.
    fn settles_at_once(&self) -> bool {
        false
    }
}

/// Why a method has no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OperatorError {
    /// The operator do not know the method (JSON-RPC -32601). Never a breach.
    #[error("the adapter does not know the method {method}")]
    Unsupported {
        /// The method.
        method: String,
    },
    /// The target said no.
    #[error("{method}: {message} ({code})")]
    Refused {
        /// The method.
        method: String,
        /// The JSON-RPC code.
        code: i64,
        /// In words.
        message: String,
    },
    /// The adapter broke its protocol, died or hung: its fault, not the target's.
    #[error("{method}: the adapter failed: {message}")]
    Adapter {
        /// The method.
        method: String,
        /// What happened.
        message: String,
    },
    /// The machine let the target down: a port in use, a full disk.
    #[error("{method}: {message}")]
    Environment {
        /// The method.
        method: String,
        /// What happened.
        message: String,
    },
}

/// Where targets come from: one that is shared by all scenarios, or a fresh one for each.
#[async_trait]
pub trait Targets: std::fmt::Debug + Send + Sync {
    /// A target for one scenario.
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError>;

    /// Waits until all that was started for leases that are over has gone.
    async fn close(&self) {}
}

/// What a scenario wants of its target.
#[derive(Clone, Copy, Debug)]
pub struct TargetRequest<'a> {
    /// The scenario.
    pub scenario: &'a str,
    /// The run's seed.
    pub seed: crate::clock::Seed,
    /// One that no other scenario uses meanwhile.
    pub alone: bool,
    /// One that outlives a stop and a kill.
    pub durable: bool,
}

/// A target that is in the operator of one scenario until it is dropped.
pub struct Lease {
    /// The operator on it. `platform.start` has not been called yet.
    pub operator: std::sync::Arc<dyn OperatorClient>,
    /// The clock that the scenario's peers go by.
    pub clock: Clock,
    /// How it goes with the target's.
    pub clock_sync: ClockSync,
    /// How a caller makes itself known to the target.
    pub caller: CallerForm,
    /// Whether nothing of another scenario is in it, nor will any other find what this one leaves.
    pub is_fresh: bool,
    /// Keeps others out, or the target alive, until it is dropped.
    pub guard: Option<Box<dyn Send + Sync>>,
}

/// How the clock of a scenario's peers goes with the target's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSync {
    /// It is the target's own: moving one moves both.
    Shared,
    /// The target tells its own (`clock.now`), and the peers' is set by it before each step.
    Follow,
    /// Each goes by itself; where the target's is moved, so is the peers'.
    Independent,
}

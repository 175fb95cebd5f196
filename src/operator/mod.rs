//! The operator clients: the operator plane of the binding as one trait, and its implementations.
//!
//! Half of the contract concerns what an operator does and sees. An operator client implements
//! [`OperatorClient`]. A method that it lacks leaves the clauses that need it `unproven`.

mod at;
mod audit_client;
mod description;
mod embedded;
mod http;
mod identified;
mod log;
mod person;
pub mod powernode;
mod process;
mod records;
mod reuse;
pub mod rpc;
mod serve;
mod stdio;

pub use at::{Address, At, is_here, is_plain_elsewhere};
pub use audit_client::AuditClient;
pub use covenant_model::operator::{
    Example, Form, Kind, KindError, KindMember, Kinds, METHODS, Member, MemberRole, Method, MethodDef,
    NONEXISTENT_METHOD, OperatorMethod, PROTOCOL, ResourceKind,
};
pub use covenant_model::operator::{
    audit, capability, contract, governance, grant, migration, network, peer, platform, release, resource,
    schema,
};
pub use description::Description;
pub use embedded::{Embedded, EmbeddedOptions};
pub use http::Http;
pub use identified::Identified;
pub use log::Log;
pub use person::{Dialogue, Person};
pub use process::{NoProgram, Program};
pub use records::NamedRecord;
pub use serve::serve;
pub use stdio::{Adapter, Stdio};

use std::fmt::Display;

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

use crate::clock::Clock;
use crate::transcript::shortened;
use crate::wire::generation::CallerForm;
use crate::{Fault, secret};

/// An operator client of one target.
#[async_trait]
pub trait OperatorClient: Send + Sync {
    /// Calls `method` with JSON parameters, in the form that the table of methods gives them.
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError>;

    /// Calls [`NONEXISTENT_METHOD`]. A client of an adapter asks the adapter. A client in this process knows
    /// the methods of the table alone, and has nothing to ask.
    async fn call_nonexistent(&self) -> Result<Value, OperatorError> {
        Err(OperatorError::unsupported(NONEXISTENT_METHOD))
    }

    /// Returns true if everything that an operation causes is complete when the operation returns. Waiting
    /// longer then shows nothing more.
    fn settles_at_once(&self) -> bool {
        false
    }

    /// Returns the kinds that the platform names. With `None` it takes the suite's own.
    fn kinds(&self) -> Option<&Kinds> {
        None
    }
}

/// The reason why a method has no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OperatorError {
    /// The operator client does not know the method (JSON-RPC -32601). Never a breach.
    #[error("the operator client does not know the method {method}")]
    Unsupported {
        /// The name of the method.
        method: String,
    },
    /// A refusal by the target.
    #[error("{method}: {message} ({code})")]
    Refused {
        /// The name of the method.
        method: String,
        /// The JSON-RPC code.
        code: i64,
        /// The text of the answer.
        message: String,
    },
    /// A fault of the adapter or of the machine under it, not of the target.
    #[error(transparent)]
    Fault(Fault),
}

impl OperatorError {
    /// Creates the error for a method that the operator client does not have.
    #[must_use]
    pub fn unsupported(method: impl Display) -> Self {
        Self::Unsupported { method: method.to_string() }
    }

    /// Creates the error for a call that the target refused. The message may quote a secret, and be long.
    #[must_use]
    pub fn refused(method: impl Display, code: i64, message: impl Into<String>) -> Self {
        let message = shortened(&secret::without_named(&message.into()));
        Self::Refused { method: method.to_string(), code, message }
    }

    /// Creates the error for an adapter that broke its protocol, died or hung. The message may quote a secret, and be long.
    #[must_use]
    pub fn adapter(method: impl Display, message: impl Into<String>) -> Self {
        let message = shortened(&secret::without_named(&message.into()));
        Self::Fault(Fault::adapter(message).of_method(method))
    }
}

/// A source of targets: one target that all scenarios share, or a fresh one for each.
#[async_trait]
pub trait Targets: std::fmt::Debug + Send + Sync {
    /// Leases a target for one scenario.
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError>;

    /// Waits until everything that was started for finished leases has stopped.
    async fn close(&self) {}
}

/// The requirements of a scenario on its target.
#[derive(Clone, Copy, Debug)]
pub struct TargetRequest<'a> {
    /// The id of the scenario.
    pub scenario: &'a str,
    /// The run's seed.
    pub seed: crate::clock::Seed,
    /// The scenario needs the target for itself.
    pub alone: bool,
    /// The target must survive a stop and a kill.
    pub durable: bool,
}

/// A target that one scenario holds until the lease is dropped.
pub struct Lease {
    /// The operator client. `platform.start` has not been called yet.
    pub operator: std::sync::Arc<dyn OperatorClient>,
    /// The clock of the scenario's peers.
    pub clock: Clock,
    /// The relation between this clock and the target's.
    pub clock_sync: ClockSync,
    /// The way in which a caller identifies itself to the target.
    pub caller: CallerForm,
    /// True if the target holds nothing of another scenario and is not used after this one.
    pub is_fresh: bool,
    /// A guard that excludes other scenarios, or keeps the target alive, until it is dropped.
    pub guard: Option<Box<dyn Send + Sync>>,
}

impl Lease {
    /// Leases a running target whose clock can be neither read nor moved by this lease.
    pub(crate) fn of_running(
        operator: impl OperatorClient + 'static,
        caller: CallerForm,
        guard: Option<Box<dyn Send + Sync>>,
    ) -> Self {
        let operator = std::sync::Arc::new(operator);
        let (clock, clock_sync) = (Clock::system(), ClockSync::Independent);
        Self { operator, clock, clock_sync, caller, is_fresh: false, guard }
    }
}

/// The relation between the clock of a scenario's peers and the target's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSync {
    /// The peers use the target's own clock. A move of one moves both.
    Shared,
    /// The target has its own clock (`clock.now`), and the peers' clock is set by it before each step.
    Follow,
    /// Each clock runs by itself. A move of the target's clock moves the peers' clock too.
    Independent,
}

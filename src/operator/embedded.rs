//! The embedded adapter: the reference platform in this process, fresh for each scenario.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use covenant_model::operator::METHOD_NOT_FOUND;
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::platform::Start;
use super::{
    ClockSync, Description, Kinds, Lease, Method, OperatorClient, OperatorError, OperatorMethod,
    TargetRequest, Targets,
};
use crate::Fault;
use crate::clock::Clock;
use crate::reference::{
    MethodError, Patch, Process, ProcessError, ProcessOptions, StartError, clock_ahead_seconds, describe,
};

/// The start time of an embedded target.
const BEGINNING: &str = "2026-06-01T00:00:00Z";
/// The options of embedded targets.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The address that the targets listen on.
    pub listen: IpAddr,
    /// The defects and variants, applied in order.
    pub patches: Vec<&'static Patch>,
    /// The settings in addition to those of the scenario.
    pub settings: Value,
}

/// A factory of embedded targets, one for each scenario.
#[derive(Clone, Debug)]
pub struct Embedded(EmbeddedOptions);

impl Embedded {
    /// Builds the factory with these options.
    #[must_use]
    pub fn new(options: EmbeddedOptions) -> Self {
        Self(options)
    }
}

#[async_trait]
impl Targets for Embedded {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let beginning: Timestamp = BEGINNING.parse().expect("a timestamp");
        let clock = Clock::manual(beginning);
        let ahead_seconds = clock_ahead_seconds(&self.0.patches);
        let (targets_clock, clock_sync) = if ahead_seconds == 0 {
            (clock.clone(), ClockSync::Shared)
        } else {
            let targets_clock = Clock::manual(beginning);
            targets_clock.advance_seconds(ahead_seconds);
            (targets_clock, ClockSync::Follow)
        };
        let folder = if request.durable {
            let folder = TempDir::with_prefix("covenant-");
            Some(folder.map_err(|error| environment(&error))?)
        } else {
            None
        };
        let description = Description::read(&describe(&self.0.patches))?;
        let process = Process::new(ProcessOptions {
            clock: targets_clock,
            seed: request.seed.derive(request.scenario).derive("target"),
            database: folder.as_ref().map(|folder| folder.path().join("platform.sqlite")),
            listen: self.0.listen,
            settings: self.0.settings.clone(),
            patches: self.0.patches.clone(),
        });
        let operator = Target { process, kinds: description.kinds };
        let guard = folder.map(|folder| Box::new(folder) as Box<dyn Send + Sync>);
        let caller = description.caller;
        Ok(Lease { operator: Arc::new(operator), clock, clock_sync, caller, is_fresh: true, guard })
    }
}

/// One embedded target.
struct Target {
    process: Process,
    kinds: Option<Kinds>,
}

#[async_trait]
impl OperatorClient for Target {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        self.process.call(method, parameters).await.map_err(|error| match error {
            ProcessError::Method(MethodError { code: METHOD_NOT_FOUND, .. }) => {
                OperatorError::unsupported(method)
            }
            ProcessError::Method(MethodError { code, message }) => {
                OperatorError::refused(method, code, message)
            }
            ProcessError::Start(error @ StartError::Listen { .. }) => environment(&error),
            ProcessError::Start(other) => OperatorError::adapter(method, crate::with_causes(&other)),
        })
    }

    fn settles_at_once(&self) -> bool {
        true
    }

    fn kinds(&self) -> Option<&Kinds> {
        self.kinds.as_ref()
    }
}

/// Creates the error for a machine on which no platform can start.
fn environment(error: &(dyn Error + 'static)) -> OperatorError {
    OperatorError::Fault(Fault::of_environment(error).of_method(Start::METHOD))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use covenant_model::operator::INVALID_PARAMS;
    use serde_json::json;

    use super::*;
    use crate::clock::Seed;
    use crate::operator::contract::{List, Release};
    use crate::operator::platform::Reset;

    async fn leased() -> Lease {
        let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let targets = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
        let request = TargetRequest { scenario: "methods", seed: Seed(1), alone: false, durable: false };
        targets.lease(request).await.expect("a target")
    }

    #[tokio::test]
    async fn every_method_of_the_table_except_the_reset_is_served() {
        let operator = leased().await.operator;
        for method in Method::all() {
            let parameters = method.definition().example.parameters();
            let is_unsupported =
                matches!(operator.call(method, parameters).await, Err(OperatorError::Unsupported { .. }));
            assert_eq!(is_unsupported, method == Reset::METHOD, "{method}");
        }
        assert!(matches!(operator.call_nonexistent().await, Err(OperatorError::Unsupported { .. })));
    }

    #[tokio::test]
    async fn a_contract_version_is_released_while_the_platform_runs() {
        let operator = leased().await.operator;
        operator.call(Start::METHOD, json!({})).await.expect("it starts");
        let released = operator.call(Release::METHOD, json!({"version": 2, "text": "abc"})).await;
        let released = released.expect("a version");
        let listed = operator.call(List::METHOD, json!({})).await.expect("the versions");
        assert!(listed.as_array().is_some_and(|rows| rows.contains(&released)), "{listed}");
        let misspelt = operator.call(Release::METHOD, json!({"version": 3, "txt": "abc"})).await;
        assert!(matches!(misspelt, Err(OperatorError::Refused { code: INVALID_PARAMS, .. })), "{misspelt:?}");
    }
}

//! The embedded adapter: the reference platform in this process, fresh for each scenario.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use covenant_model::operator::{INVALID_PARAMS, METHOD_NOT_FOUND, NOT_RUNNING};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::platform::{Advance, PlatformMethod, Reset, Start};
use super::{
    ClockSync, Description, Kinds, Lease, Method, OperatorClient, OperatorError, OperatorMethod, PROTOCOL,
    TargetRequest, Targets,
};
use crate::Fault;
use crate::clock::{Clock, Seed};
use crate::reference::{
    Database, MethodError, Options, Patch, Platform, Running, Settings, StartError, clock_ahead_seconds,
    kinds, runs_behind_proxy,
};
use crate::wire::generation::{FORWARDED_NAME, Generation, TLS_NAME};

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
        let description = Description::read(&self.0.describe())?;
        let operator = Target {
            options: self.0.clone(),
            clock: targets_clock,
            seed: request.seed.derive(request.scenario).derive("target"),
            database: folder.as_ref().map(|folder| folder.path().join("platform.sqlite")),
            running: Mutex::new(None),
            kinds: description.kinds,
        };
        let guard = folder.map(|folder| Box::new(folder) as Box<dyn Send + Sync>);
        let caller = description.caller;
        Ok(Lease { operator: Arc::new(operator), clock, clock_sync, caller, is_fresh: true, guard })
    }
}

/// One embedded target.
struct Target {
    options: EmbeddedOptions,
    clock: Clock,
    seed: Seed,
    database: Option<PathBuf>,
    running: Mutex<Option<Running>>,
    kinds: Option<Kinds>,
}

#[async_trait]
impl OperatorClient for Target {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        let Method::Platform(of_process) = method else { return self.forward(method, parameters).await };
        match of_process {
            PlatformMethod::Describe => Ok(self.options.describe()),
            PlatformMethod::Start => self.start(parsed(parameters)?).await,
            PlatformMethod::Stop => {
                if let Some(running) = self.running.lock().await.take() {
                    running.stop().await;
                }
                Ok(json!({}))
            }
            PlatformMethod::Kill => {
                if let Some(running) = self.running.lock().await.take() {
                    running.kill().await;
                }
                Ok(json!({}))
            }
            PlatformMethod::Now => Ok(json!({"now": self.clock.now().to_string()})),
            PlatformMethod::Advance => self.advance(&parsed(parameters)?).await,
            // A fresh target needs no reset.
            PlatformMethod::Reset => Err(OperatorError::unsupported(method)),
        }
    }

    fn settles_at_once(&self) -> bool {
        true
    }

    fn kinds(&self) -> Option<&Kinds> {
        self.kinds.as_ref()
    }
}

impl Target {
    /// Starts the platform, or restarts it after a stop or a kill.
    async fn start(&self, given: Start) -> Result<Value, OperatorError> {
        let mut running = self.running.lock().await;
        if let Some(before) = running.take() {
            before.stop().await;
        }
        let mut settings = self.options.settings.clone();
        let given = [json!(given.settings), json!({"release": given.release})];
        for (name, member) in given.iter().filter_map(Value::as_object).flatten() {
            if !member.is_null() {
                settings[name] = member.clone();
            }
        }
        let settings = Settings::read(&settings)
            .map_err(|error| OperatorError::refused(Start::METHOD, INVALID_PARAMS, error.to_string()))?;
        let options = Options {
            clock: self.clock.clone(),
            seed: self.seed,
            database: self.database.clone().map_or(Database::Memory, Database::File),
            listen: SocketAddr::new(self.options.listen, 0),
            settings,
            patches: self.options.patches.clone(),
        };
        let started = Platform::start(options).await.map_err(|error| match error {
            error @ StartError::Listen { .. } => environment(&error),
            other => OperatorError::adapter(Start::METHOD, crate::with_causes(&other)),
        })?;
        let reported = json!({"base_url": started.base_url(), "ca_bundle_pem": started.ca_bundle_pem()});
        *running = Some(started);
        Ok(reported)
    }

    /// Moves the clock. Everything that falls due on the way has run on return.
    async fn advance(&self, given: &Advance) -> Result<Value, OperatorError> {
        self.clock.advance_seconds(given.seconds);
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        if let Some(platform) = platform {
            platform.run_due_timers(self.clock.now()).await;
        }
        Ok(json!({"now": self.clock.now().to_string()}))
    }

    async fn forward(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        let Some(platform) = platform else {
            return Err(OperatorError::refused(method, NOT_RUNNING, "the platform is not running"));
        };
        platform.call(method, parameters).await.map_err(|MethodError { code, message }| {
            if code == METHOD_NOT_FOUND {
                OperatorError::unsupported(method)
            } else {
                OperatorError::refused(method, code, message)
            }
        })
    }
}

impl EmbeddedOptions {
    /// Returns the description of the embedded adapter.
    fn describe(&self) -> Value {
        let methods: Vec<&str> =
            Method::all().filter(|method| *method != Reset::METHOD).map(Method::name).collect();
        json!({
            "name": "reference",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": PROTOCOL,
            "contract_versions": [1],
            "verbs": methods,
            "identity": if runs_behind_proxy(&self.patches) { FORWARDED_NAME } else { TLS_NAME },
            "generation": Generation::newest().name,
            "settles_at_once": true,
            "kinds": kinds(&self.patches),
        })
    }
}

/// Parses the parameters of a method that the process answers.
fn parsed<M: OperatorMethod>(given: Value) -> Result<M, OperatorError> {
    serde_json::from_value(given)
        .map_err(|error| OperatorError::refused(M::METHOD, INVALID_PARAMS, error.to_string()))
}

/// Creates the error for a machine on which no platform can start.
fn environment(error: &(dyn Error + 'static)) -> OperatorError {
    OperatorError::Fault(Fault::of_environment(error).of_method(Start::METHOD))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::operator::contract::{List, Release};

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

//! The embedded adapter: the reference platform in this process, fresh for each scenario.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::rpc::{INVALID_PARAMS, METHOD_NOT_FOUND, NOT_RUNNING};
use super::{
    ClockSync, Description, Lease, Method, OperatorClient, OperatorError, PROTOCOL, TargetRequest, Targets,
};
use crate::clock::{Clock, Seed};
use crate::reference::{
    Database, MethodError, Options, Patch, Platform, Running, Settings, StartError, clock_ahead_seconds,
    stands_behind_a_proxy,
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
            Some(folder.map_err(|error| environment("platform.start", error.to_string()))?)
        } else {
            None
        };
        let operator = Target {
            options: self.0.clone(),
            clock: targets_clock,
            seed: request.seed.derive(request.scenario).derive("target"),
            database: folder.as_ref().map(|folder| folder.path().join("platform.sqlite")),
            running: Mutex::new(None),
        };
        let guard = folder.map(|folder| Box::new(folder) as Box<dyn Send + Sync>);
        let caller = Description::read(&self.0.describe())?.caller;
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
}

#[async_trait]
impl OperatorClient for Target {
    async fn call(&self, method: &str, parameters: Value) -> Result<Value, OperatorError> {
        match Method::parse(method) {
            // A fresh target needs no reset.
            None | Some(Method::PlatformReset) => {
                Err(OperatorError::Unsupported { method: method.to_owned() })
            }
            Some(Method::Describe) => Ok(self.options.describe()),
            Some(Method::PlatformStart) => self.start(&parameters).await,
            Some(Method::PlatformStop) => {
                if let Some(running) = self.running.lock().await.take() {
                    running.stop().await;
                }
                Ok(json!({}))
            }
            Some(Method::PlatformKill) => {
                if let Some(running) = self.running.lock().await.take() {
                    running.kill().await;
                }
                Ok(json!({}))
            }
            Some(Method::ClockNow) => Ok(json!({"now": self.clock.now().to_string()})),
            Some(Method::ClockAdvance) => self.advance(&parameters).await,
            Some(_) => self.forward(method, parameters).await,
        }
    }

    fn settles_at_once(&self) -> bool {
        true
    }
}

impl Target {
    /// Starts the platform, or restarts it after a stop or a kill.
    async fn start(&self, parameters: &Value) -> Result<Value, OperatorError> {
        let mut running = self.running.lock().await;
        if let Some(before) = running.take() {
            before.stop().await;
        }
        let mut settings = self.options.settings.clone();
        let given = [&parameters["settings"], &json!({"release": parameters["release"]})].map(Value::clone);
        for (name, member) in given.iter().filter_map(Value::as_object).flatten() {
            if !member.is_null() {
                settings[name] = member.clone();
            }
        }
        let settings = Settings::read(&settings).map_err(|error| OperatorError::Refused {
            method: Method::PlatformStart.to_string(),
            code: INVALID_PARAMS,
            message: error.to_string(),
        })?;
        let options = Options {
            clock: self.clock.clone(),
            seed: self.seed,
            database: self.database.clone().map_or(Database::Memory, Database::File),
            listen: SocketAddr::new(self.options.listen, 0),
            settings,
            patches: self.options.patches.clone(),
        };
        let started = Platform::start(options).await.map_err(|error| match error {
            StartError::Listen { .. } => environment("platform.start", error.to_string()),
            other => {
                OperatorError::Adapter { method: "platform.start".to_owned(), message: other.to_string() }
            }
        })?;
        let reported = json!({"base_url": started.base_url(), "ca_bundle_pem": started.ca_bundle_pem()});
        *running = Some(started);
        Ok(reported)
    }

    /// Moves the clock. Everything that falls due on the way has run on return.
    async fn advance(&self, parameters: &Value) -> Result<Value, OperatorError> {
        let seconds = parameters["seconds"].as_i64().ok_or_else(|| OperatorError::Refused {
            method: Method::ClockAdvance.to_string(),
            code: INVALID_PARAMS,
            message: "seconds: an integer is needed".to_owned(),
        })?;
        self.clock.advance_seconds(seconds);
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        if let Some(platform) = platform {
            platform.run_due_timers(self.clock.now()).await;
        }
        Ok(json!({"now": self.clock.now().to_string()}))
    }

    async fn forward(&self, method: &str, parameters: Value) -> Result<Value, OperatorError> {
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        let Some(platform) = platform else {
            let message = "the platform is not running".to_owned();
            return Err(OperatorError::Refused { method: method.to_owned(), code: NOT_RUNNING, message });
        };
        platform.call(method, parameters).await.map_err(|MethodError { code, message }| {
            if code == METHOD_NOT_FOUND {
                OperatorError::Unsupported { method: method.to_owned() }
            } else {
                OperatorError::Refused { method: method.to_owned(), code, message }
            }
        })
    }
}

impl EmbeddedOptions {
    /// Returns the description of the embedded adapter.
    fn describe(&self) -> Value {
        let methods: Vec<&str> = Method::ALL
            .iter()
            .filter(|method| **method != Method::PlatformReset)
            .map(|method| method.as_str())
            .collect();
        json!({
            "name": "reference",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": PROTOCOL,
            "contract_versions": [1],
            "verbs": methods,
            "identity": if stands_behind_a_proxy(&self.patches) { "forwarded" } else { "tls" },
            "generation": "G3",
            "settles_at_once": true,
        })
    }
}

fn environment(method: &str, message: String) -> OperatorError {
    OperatorError::Environment { method: method.to_owned(), message }
}

//! The platform as a process: its start, its end, its description and its clock.
//!
//! [`Process::call`] answers every method of the operator plane, so that a program needs a loop over lines and nothing
//! else to be an adapter of the reference.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use covenant_model::clock::{Clock, Seed};
use covenant_model::operator::platform::{Advance, PlatformMethod, Reset, Start};
use covenant_model::operator::{INVALID_PARAMS, Method, NOT_RUNNING, OperatorMethod, PROTOCOL};
use covenant_model::wire::generation::{FORWARDED_NAME, Generation, TLS_NAME};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::method_error::MethodError;
use super::options::{Database, Options, Settings};
use super::patch::Patch;
use super::platform::{Platform, StartError};
use super::running::{Running, kinds, runs_behind_proxy};

/// The options of a platform that its operator starts and stops.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// The platform's only source of time. `clock.advance` moves it.
    pub clock: Clock,
    /// The seed of every id and token that the platform generates.
    pub seed: Seed,
    /// The file of the store; `None` keeps it in memory.
    pub database: Option<PathBuf>,
    /// The address to listen on.
    pub listen: IpAddr,
    /// The settings in addition to those of `platform.start`.
    pub settings: Value,
    /// The defects and variants, applied in order.
    pub patches: Vec<&'static Patch>,
}

/// A platform that its operator starts and stops.
#[derive(Debug)]
pub struct Process {
    options: ProcessOptions,
    running: Mutex<Option<Running>>,
}

/// The reason why a method has no result.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The platform refused it.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The platform did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Process {
    /// Creates a platform that is not running yet.
    #[must_use]
    pub fn new(options: ProcessOptions) -> Self {
        Self { options, running: Mutex::new(None) }
    }

    /// Calls a method of the operator plane.
    pub async fn call(&self, method: Method, parameters: Value) -> Result<Value, ProcessError> {
        let Method::Platform(of_process) = method else { return self.forward(method, parameters).await };
        match of_process {
            PlatformMethod::Describe => Ok(describe(&self.options.patches)),
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
            PlatformMethod::Now => Ok(json!({"now": self.options.clock.now().to_string()})),
            PlatformMethod::Advance => self.advance(&parsed(parameters)?).await,
            // A fresh target needs no reset.
            PlatformMethod::Reset => Err(MethodError::unsupported(method).into()),
        }
    }

    /// Starts the platform, or restarts it after a stop or a kill.
    async fn start(&self, given: Start) -> Result<Value, ProcessError> {
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
        let settings =
            Settings::read(&settings).map_err(|error| MethodError::parameters(error.to_string()))?;
        let options = Options {
            clock: self.options.clock.clone(),
            seed: self.options.seed,
            database: self.options.database.clone().map_or(Database::Memory, Database::File),
            listen: SocketAddr::new(self.options.listen, 0),
            settings,
            patches: self.options.patches.clone(),
        };
        let started = Platform::start(options).await?;
        let reported = json!({"base_url": started.base_url(), "ca_bundle_pem": started.ca_bundle_pem()});
        *running = Some(started);
        Ok(reported)
    }

    /// Moves the clock. Everything that falls due on the way has run on return.
    async fn advance(&self, given: &Advance) -> Result<Value, ProcessError> {
        let clock = &self.options.clock;
        clock.advance_seconds(given.seconds);
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        if let Some(platform) = platform {
            platform.run_due_timers(clock.now()).await;
        }
        Ok(json!({"now": clock.now().to_string()}))
    }

    async fn forward(&self, method: Method, parameters: Value) -> Result<Value, ProcessError> {
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        let Some(platform) = platform else {
            return Err(MethodError::new(NOT_RUNNING, "the platform is not running").into());
        };
        Ok(platform.call(method, parameters).await?)
    }
}

/// Returns the description of a platform with these patches.
#[must_use]
pub fn describe(patches: &[&'static Patch]) -> Value {
    let methods: Vec<&str> =
        Method::all().filter(|method| *method != Reset::METHOD).map(Method::name).collect();
    json!({
        "name": "reference",
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": PROTOCOL,
        "contract_versions": [1],
        "verbs": methods,
        "identity": if runs_behind_proxy(patches) { FORWARDED_NAME } else { TLS_NAME },
        "generation": Generation::newest().name,
        "settles_at_once": true,
        "kinds": kinds(patches),
    })
}

/// Parses the parameters of a method that the process answers.
fn parsed<M: OperatorMethod>(given: Value) -> Result<M, MethodError> {
    serde_json::from_value(given).map_err(|error| MethodError::new(INVALID_PARAMS, error.to_string()))
}

//! The embedded adapter: the reference platform in this process, a fresh one for each scenario.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::rpc::{BAD_PARAMETERS, NOT_RUNNING, UNKNOWN_VERB};
use super::{Description, Hands, HandsError, Lease, PROTOCOL, Targets, Tie, Verb, Wish};
use crate::clock::{Clock, Seed};
use crate::reference::{
    Database, OperatorError, Options, Patch, Platform, Running, Settings, StartError, clock_ahead_seconds,
    stands_behind_a_proxy,
};

/// When an embedded target's time begins.
const BEGINNING: &str = "2026-06-01T00:00:00Z";
/// How embedded targets are made.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The address they listen on.
    pub listen: IpAddr,
    /// Defects and variants, planted in order.
    pub patches: Vec<&'static Patch>,
    /// Settings beside those that a scenario gives.
    pub settings: Value,
}

/// Makes an embedded target for each scenario.
#[derive(Clone, Debug)]
pub struct Embedded(EmbeddedOptions);

impl Embedded {
    /// Targets of this make.
    #[must_use]
    pub fn new(options: EmbeddedOptions) -> Self {
        Self(options)
    }
}

#[async_trait]
impl Targets for Embedded {
    async fn lease(&self, wish: Wish<'_>) -> Result<Lease, HandsError> {
        let beginning: Timestamp = BEGINNING.parse().expect("a timestamp");
        let clock = Clock::manual(beginning);
        let ahead_seconds = clock_ahead_seconds(&self.0.patches);
        let (targets_clock, tie) = if ahead_seconds == 0 {
            (clock.clone(), Tie::Shared)
        } else {
            let targets_clock = Clock::manual(beginning);
            targets_clock.advance_seconds(ahead_seconds);
            (targets_clock, Tie::Followed)
        };
        let folder = if wish.durable {
            let folder = TempDir::with_prefix("covenant-");
            Some(folder.map_err(|error| environment("platform.start", error.to_string()))?)
        } else {
            None
        };
        let hands = Target {
            options: self.0.clone(),
            clock: targets_clock,
            seed: wish.seed.derive(wish.scenario).derive("target"),
            database: folder.as_ref().map(|folder| folder.path().join("platform.sqlite")),
            running: Mutex::new(None),
        };
        let guard = folder.map(|folder| Box::new(folder) as Box<dyn Send + Sync>);
        let caller = Description::read(&self.0.describe())?.caller;
        Ok(Lease { hands: Arc::new(hands), clock, tie, caller, is_fresh: true, guard })
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
impl Hands for Target {
    async fn perform(&self, verb: &str, parameters: Value) -> Result<Value, HandsError> {
        match Verb::parse(verb) {
            // A fresh target for each scenario needs no reset.
            None | Some(Verb::PlatformReset) => Err(HandsError::Unsupported { verb: verb.to_owned() }),
            Some(Verb::Describe) => Ok(self.options.describe()),
            Some(Verb::PlatformStart) => self.start(&parameters).await,
            Some(Verb::PlatformStop) => {
                if let Some(running) = self.running.lock().await.take() {
                    running.stop().await;
                }
                Ok(json!({}))
            }
            Some(Verb::PlatformKill) => {
                if let Some(running) = self.running.lock().await.take() {
                    running.kill().await;
                }
                Ok(json!({}))
            }
            Some(Verb::ClockNow) => Ok(json!({"now": self.clock.now().to_string()})),
            Some(Verb::ClockAdvance) => self.advance(&parameters).await,
            Some(_) => self.forward(verb, parameters).await,
        }
    }

    fn settles_at_once(&self) -> bool {
        true
    }
}

impl Target {
    /// Starts the platform, or the same one again after a stop or a kill.
    async fn start(&self, parameters: &Value) -> Result<Value, HandsError> {
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
        let settings = Settings::read(&settings).map_err(|error| HandsError::Refused {
            verb: Verb::PlatformStart.to_string(),
            code: BAD_PARAMETERS,
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
            other => HandsError::Adapter { verb: "platform.start".to_owned(), message: other.to_string() },
        })?;
        let told = json!({"base_url": started.base_url(), "ca_bundle_pem": started.ca_bundle_pem()});
        *running = Some(started);
        Ok(told)
    }

    /// Moves the clock; what falls due on the way has run when this returns.
    async fn advance(&self, parameters: &Value) -> Result<Value, HandsError> {
        let seconds = parameters["seconds"].as_i64().ok_or_else(|| HandsError::Refused {
            verb: Verb::ClockAdvance.to_string(),
            code: BAD_PARAMETERS,
            message: "seconds: an integer is needed".to_owned(),
        })?;
        self.clock.advance_seconds(seconds);
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        if let Some(platform) = platform {
            platform.run_due_timers(self.clock.now()).await;
        }
        Ok(json!({"now": self.clock.now().to_string()}))
    }

    async fn forward(&self, verb: &str, parameters: Value) -> Result<Value, HandsError> {
        let platform = self.running.lock().await.as_ref().map(|running| running.platform.clone());
        let Some(platform) = platform else {
            let message = "the platform is not running".to_owned();
            return Err(HandsError::Refused { verb: verb.to_owned(), code: NOT_RUNNING, message });
        };
        platform.perform(verb, parameters).await.map_err(|OperatorError { code, message }| {
            if code == UNKNOWN_VERB {
                HandsError::Unsupported { verb: verb.to_owned() }
            } else {
                HandsError::Refused { verb: verb.to_owned(), code, message }
            }
        })
    }
}

impl EmbeddedOptions {
    /// What the embedded adapter says of itself.
    fn describe(&self) -> Value {
        let verbs: Vec<&str> =
            Verb::ALL.iter().filter(|verb| **verb != Verb::PlatformReset).map(|verb| verb.as_str()).collect();
        json!({
            "name": "reference",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": PROTOCOL,
            "contract_versions": [1],
            "verbs": verbs,
            "identity": if stands_behind_a_proxy(&self.patches) { "forwarded" } else { "tls" },
            "generation": "G3",
            "settles_at_once": true,
        })
    }
}

fn environment(verb: &str, message: String) -> HandsError {
    HandsError::Environment { verb: verb.to_owned(), message }
}

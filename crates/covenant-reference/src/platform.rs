//! The platform: its state, its keys, and its two planes, the federation plane and the operator plane.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::hmac;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::governance::counters::Counters;
use super::method_error::MethodError;
use super::operator_api;
use super::options::{Database, Options, Settings};
use super::policy::Policy;
use super::store::rows::{KnownContract, Peer};
use super::store::{self, StoreError, facts, table};
use covenant_model::clock::{Clock, Ids, Seed};
use covenant_model::operator::Method;
use covenant_net::pki::{Authority, PkiError, Trust};

/// A platform without its sockets, which [`super::Running`] has.
pub struct Platform {
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    pub(crate) keys: Keys,
    pub(super) counters: Mutex<Counters>,
    /// The store. `None` once the platform is dead. The lock is never held across an await.
    pub(super) connection: Mutex<Option<Connection>>,
    base_url: OnceLock<String>,
    pub(crate) outbound: super::outbound::Connections,
}

/// The platform's own keys, and its trust anchors.
pub(crate) struct Keys {
    pub(crate) authority: Authority,
    /// Anchors for clients of its server: its own authority, and those of peers that exchanged theirs.
    pub(crate) trust: Trust,
    /// The key that signs grant tokens.
    pub(crate) tokens: hmac::Key,
}

/// The reason why a platform did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or does not belong to this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The database is not usable, or the platform was killed while it started.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys could not be created, or stored ones are not readable.
    #[error("the platform's keys cannot be used")]
    Keys(#[from] PkiError),
    /// An announced revocation from before a crash could not be completed.
    #[error("cannot complete announced revocations: {0}")]
    Unfinished(String),
}

impl Platform {
    /// Opens the store and prepares everything but the sockets.
    pub(crate) fn open(options: Options, policy: &Policy) -> Result<Self, StartError> {
        let db = match &options.database {
            Database::Memory => store::open_in_memory()?,
            Database::File(path) => store::open_file(path)?,
        };
        let boot = db.unchecked_transaction().map_err(StoreError::from)?;
        let seed = seed_of_this_start(&boot, options.seed)?;
        let ids = Ids::new(options.clock.clone(), seed);
        let keys = Keys::load(&boot, &options.clock)?;
        if policy.identity.accepts_ended_clients {
            keys.trust.accept_ended_clients();
        }
        first_facts(&boot, &ids, &options.settings, policy.handshake.own_text)?;
        boot.commit().map_err(StoreError::from)?;
        Ok(Self {
            clock: options.clock,
            ids,
            settings: options.settings,
            policy: *policy,
            keys,
            counters: Mutex::default(),
            connection: Mutex::new(Some(db)),
            base_url: OnceLock::new(),
            outbound: super::outbound::Connections::default(),
        })
    }

    /// Calls a method of the operator plane. The methods of the process itself (`platform.*`) and of the
    /// clock are not among them.
    pub async fn call(self: &Arc<Self>, method: Method, parameters: Value) -> Result<Value, MethodError> {
        operator_api::call(self, method, parameters).await
    }

    /// Runs every timer that is due up to `until`, in order. Call it after the clock was moved.
    pub async fn run_due_timers(self: &Arc<Self>, until: Timestamp) {
        super::outbound::run_due_timers(self, until).await;
    }

    /// Returns the base URL, without the federation prefix. Empty before the platform listens.
    pub fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    /// Returns the authority to which its server and its signed peers chain.
    pub fn ca_bundle_pem(&self) -> &str {
        self.keys.authority.pem()
    }

    /// Sets the base URL, once.
    pub(super) fn listens_at(&self, base_url: String) {
        let _ = self.base_url.set(base_url);
    }

    /// Drops the store without a commit. No call is answered any more.
    pub(crate) fn die(&self) {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Returns whether the platform was killed or crashed.
    pub fn is_dead(&self) -> bool {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Platform").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

impl Keys {
    fn load(db: &Connection, clock: &Clock) -> Result<Self, StartError> {
        let authority = load_authority(db, clock)?;
        let trust = Trust::new();
        trust.add("own", authority.pem())?;
        for peer in table::all::<Peer>(db)? {
            if let Some(anchor) = &peer.anchor_pem {
                trust.add(&anchor_label(&peer.id), anchor)?;
            }
        }
        Ok(Self { authority, trust, tokens: load_token_key(db)? })
    }
}

/// Returns the label under which a peer's own authority is trusted.
pub(crate) fn anchor_label(peer_id: &str) -> String {
    format!("peer:{peer_id}")
}

/// Returns a different seed at each start on the same store, so that no id is issued twice.
fn seed_of_this_start(db: &Connection, seed: Seed) -> Result<Seed, StoreError> {
    let starts = facts::find(db, facts::STARTS)?.and_then(|value| value.as_u64()).unwrap_or(0);
    facts::set(db, facts::STARTS, &json!(starts + 1))?;
    Ok(seed.derive(&format!("start {starts}")))
}

fn load_authority(db: &Connection, clock: &Clock) -> Result<Authority, StartError> {
    if let Some(kept) = facts::find(db, facts::AUTHORITY)? {
        let part = |name: &str| kept[name].as_str().unwrap_or_default().to_owned();
        return Ok(Authority::from_pem(&part("certificate"), &part("key"), clock)?);
    }
    let authority = Authority::new("Reference platform", clock)?;
    let kept = json!({"certificate": authority.pem(), "key": authority.key_pem()});
    facts::set(db, facts::AUTHORITY, &kept)?;
    Ok(authority)
}

fn load_token_key(db: &Connection) -> Result<hmac::Key, StoreError> {
    let kept = facts::text(db, facts::TOKEN_SECRET)?.and_then(|text| hex::decode(text).ok());
    let secret = if let Some(secret) = kept {
        secret
    } else {
        let mut fresh = vec![0_u8; 32];
        aws_lc_rs::rand::fill(&mut fresh).expect("the system gives randomness");
        facts::set(db, facts::TOKEN_SECRET, &json!(hex::encode(&fresh)))?;
        fresh
    };
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &secret))
}

/// Writes the first facts of a new store: its account, and the contract versions of the settings.
/// `own_text` is the digest of version 1 where they name none.
fn first_facts(db: &Connection, ids: &Ids, settings: &Settings, own_text: &str) -> Result<(), StoreError> {
    if facts::find(db, facts::ACCOUNT)?.is_none() {
        facts::set(db, facts::ACCOUNT, &json!(ids.uuid()))?;
    }
    for given in &settings.contract_versions {
        let id = given.version.to_string();
        if table::find::<KnownContract>(db, &id)?.is_none() {
            let own = (given.version == 1).then(|| own_text.to_owned());
            let known = KnownContract {
                id,
                version: given.version,
                digest: given.digest.clone().or(own),
                effective_at: given.effective_at.clone(),
                deprecated_at: given.deprecated_at.clone(),
            };
            table::put(db, &known)?;
        }
    }
    Ok(())
}

//! One transaction, and everything that a decision inside it may rest on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::TransactionBehavior;

use super::governance::watch::Watch;
use super::options::Settings;
use super::platform::{Keys, Platform};
use super::policy::Policy;
use super::store::StoreError;
use covenant_model::clock::Ids;

/// One transaction under way: nothing that is done with it stands before all of it does.
pub(crate) struct Transaction<'a> {
    /// The connection, inside its transaction.
    pub(crate) db: &'a Connection,
    /// The moment of the act: one for all of it.
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a Ids,
    pub(crate) settings: &'a Settings,
    pub(crate) policy: &'a Policy,
    pub(crate) keys: &'a Keys,
    pub(crate) watch: &'a Mutex<Watch>,
    /// Where this platform is reached; empty before it listens.
    pub(crate) base_url: &'a str,
    /// Ties the audit entries, events and findings of this act together.
    pub(crate) correlation_id: String,
}

/// The platform is dead: killed, or crashed inside a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the platform is dead")]
pub struct Crash;

impl Platform {
    /// Does `work` in one transaction: it stands whole when this returns `Ok`, and else not at all.
    pub(crate) fn transaction<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError> + From<Crash>,
    {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let db = connection.as_ref().ok_or(Crash)?;
        let transaction = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let tx = Transaction {
            db: &transaction,
            now: self.clock.now(),
            ids: &self.ids,
            settings: &self.settings,
            policy: &self.policy,
            keys: &self.keys,
            watch: &self.watch,
            base_url: self.base_url(),
            correlation_id: self.ids.uuid().to_string(),
        };
        let result = work(&tx)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(result)
    }
}

impl Transaction<'_> {
    /// A new UUIDv7.
    pub(crate) fn new_id(&self) -> String {
        self.ids.uuid().to_string()
    }

    /// What was seen of each caller over time.
    pub(crate) fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` so that nothing of it stays where it fails; the transaction goes on.
    pub(crate) fn attempt<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let run = |sql| self.db.execute_batch(sql).map_err(StoreError::from);
        run("SAVEPOINT attempt")?;
        let result = work();
        run(if result.is_ok() { "RELEASE attempt" } else { "ROLLBACK TO attempt; RELEASE attempt" })?;
        result
    }
}

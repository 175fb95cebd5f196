//! One transaction, and everything on which a decision inside it may depend.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::TransactionBehavior;

use super::governance::counters::Counters;
use super::options::Settings;
use super::platform::{Keys, Platform};
use super::policy::Policy;
use super::store::StoreError;
use covenant_model::clock::Ids;

/// An open transaction: it is committed completely or not at all.
pub(crate) struct Transaction<'a> {
    /// The connection, inside its transaction.
    pub(crate) db: &'a Connection,
    /// The time of the transaction: one for all of it.
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a Ids,
    pub(crate) settings: &'a Settings,
    pub(crate) policy: &'a Policy,
    pub(crate) keys: &'a Keys,
    pub(crate) counters: &'a Mutex<Counters>,
    /// The base URL of this platform. Empty before it listens.
    pub(crate) base_url: &'a str,
    /// The id that links the audit entries, events and findings of this transaction.
    pub(crate) correlation_id: String,
}

impl Platform {
    /// Runs `work` in one transaction. It is committed if `work` returns `Ok`, and rolled back otherwise.
    pub(crate) fn transaction<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let db = connection.as_ref().ok_or(StoreError::Closed)?;
        let transaction = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let tx = Transaction {
            db: &transaction,
            now: self.clock.now(),
            ids: &self.ids,
            settings: &self.settings,
            policy: &self.policy,
            keys: &self.keys,
            counters: &self.counters,
            base_url: self.base_url(),
            correlation_id: self.ids.uuid().to_string(),
        };
        let result = work(&tx)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(result)
    }
}

impl Transaction<'_> {
    /// Returns a new UUIDv7.
    pub(crate) fn new_id(&self) -> String {
        self.ids.uuid().to_string()
    }

    /// Returns the counts of each caller over time.
    pub(crate) fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in a savepoint. If `work` fails, its changes are undone, and the transaction goes on.
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

//! `contract.list`, `contract.deprecate`, and `contract.release`, which adds a version.

use serde_json::{Value, json};

use super::{Answer, MethodError, parameters};
use crate::handshake::contract;
use crate::platform::Platform;
use crate::store::rows::KnownContract;
use crate::store::table;
use crate::transaction::Transaction;
use covenant_model::operator::contract::{ContractMethod, Deprecate, List, Release};
use covenant_model::wire::canonical::sha256_hex;

/// Calls a method of the group.
pub(super) fn call(platform: &Platform, method: ContractMethod, given: Value) -> Answer {
    match method {
        ContractMethod::List => list(platform, &parameters(given)?),
        ContractMethod::Release => release(platform, parameters(given)?),
        ContractMethod::Deprecate => deprecate(platform, &parameters(given)?),
    }
}

/// `contract.list`: returns a bare array.
fn list(platform: &Platform, _: &List) -> Answer {
    platform.transaction(|tx| {
        let known = contract::known(tx)?;
        Ok(known.iter().map(|known| shown(tx, known)).collect())
    })
}

/// `contract.release`: adds a version under the digest of its text (V.1). A released version is permanent.
fn release(platform: &Platform, given: Release) -> Answer {
    let digest = given.text.as_ref().map(sha256_hex).or(given.digest);
    let digest = digest.ok_or_else(|| MethodError::parameters("text or digest is due"))?;
    platform.transaction(|tx| {
        let id = given.version.to_string();
        if table::find::<KnownContract>(tx.db, &id)?.is_some() || given.version == 0 {
            return Err(MethodError::state(format!("version {id} is released already, or none")));
        }
        let released = KnownContract {
            id,
            version: given.version,
            digest: Some(digest),
            effective_at: Some(tx.now.to_string()),
            deprecated_at: None,
        };
        table::put(tx.db, &released)?;
        Ok(shown(tx, &released))
    })
}

/// `contract.deprecate`: makes a version read-only from now on (V.4).
fn deprecate(platform: &Platform, given: &Deprecate) -> Answer {
    platform.transaction(|tx| {
        let id = given.version.to_string();
        let found = table::find::<KnownContract>(tx.db, &id)?;
        let mut known = found.ok_or_else(|| MethodError::not_found("contract version", &id))?;
        known.deprecated_at.get_or_insert(tx.now.to_string());
        table::put(tx.db, &known)?;
        (tx.policy.handshake.on_deprecation)(tx, given.version)?;
        Ok(json!({}))
    })
}

fn shown(tx: &Transaction<'_>, known: &KnownContract) -> Value {
    let mut shown = json!({
        "version": known.version, "digest": known.digest, "effective_at": known.effective_at,
    });
    if let Some(at) = &known.deprecated_at {
        shown["deprecated_at"] = json!(at);
    }
    (tx.policy.handshake.override_version)(&mut shown);
    shown
}

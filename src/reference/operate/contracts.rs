//! `contract.list`, `contract.deprecate`, and `contract.release`, by which a version is handed in.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, OperatorError, parameters};
use crate::reference::act::Act;
use crate::reference::handshake::contract;
use crate::reference::platform::Platform;
use crate::reference::store::rows::KnownContract;
use crate::reference::store::table;
use crate::wire::canonical::sha256_hex;

#[derive(Deserialize)]
struct Release {
    version: u64,
    text: Option<String>,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Deprecate {
    version: u64,
}

/// `contract.list`: a bare array.
pub(super) fn list(platform: &Platform) -> Answer {
    platform.act(|act| {
        let known = contract::known(act)?;
        Ok(known.iter().map(|known| shown(act, known)).collect())
    })
}

/// `contract.release`: a version under the digest of its text (V.1). A version once released stays.
pub(super) fn release(platform: &Platform, given: Value) -> Answer {
    let given: Release = parameters(given)?;
    let digest = given.text.as_ref().map(sha256_hex).or(given.digest);
    let digest = digest.ok_or_else(|| OperatorError::parameters("text or digest is due"))?;
    platform.act(|act| {
        let id = given.version.to_string();
        if table::find::<KnownContract>(act.db, &id)?.is_some() || given.version == 0 {
            return Err(OperatorError::state(format!("version {id} is released already, or none")));
        }
        let released = KnownContract {
            id,
            version: given.version,
            digest: Some(digest),
            effective_at: Some(act.now.to_string()),
            deprecated_at: None,
        };
        table::put(act.db, &released)?;
        Ok(shown(act, &released))
    })
}

/// `contract.deprecate`: read-only from now on (V.4).
pub(super) fn deprecate(platform: &Platform, given: Value) -> Answer {
    let given: Deprecate = parameters(given)?;
    platform.act(|act| {
        let id = given.version.to_string();
        let found = table::find::<KnownContract>(act.db, &id)?;
        let mut known = found.ok_or_else(|| OperatorError::not_found("contract version", &id))?;
        known.deprecated_at.get_or_insert(act.now.to_string());
        table::put(act.db, &known)?;
        (act.rules.handshake.at_deprecation)(act, given.version)?;
        Ok(json!({}))
    })
}

fn shown(act: &Act<'_>, known: &KnownContract) -> Value {
    let mut shown = json!({
        "version": known.version, "digest": known.digest, "effective_at": known.effective_at,
    });
    if let Some(at) = &known.deprecated_at {
        shown["deprecated_at"] = json!(at);
    }
    (act.rules.handshake.amend_known)(&mut shown);
    shown
}

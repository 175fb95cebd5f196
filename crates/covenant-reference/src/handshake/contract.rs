//! The contract version that is requested, supported and agreed on (commitment 12, V, A).

use serde_json::{Value, json};

use crate::store::rows::{KnownContract, Peer};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::notice::finding;

/// Returns the requested version. Only a positive JSON integer counts (A.1): no string, no fraction, no
/// `true`.
pub(crate) fn read_version(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_u64).filter(|version| *version > 0)
}

/// Returns whether the version is known and not deprecated (V.4).
pub(crate) fn is_supported(known: &[KnownContract], version: u64) -> bool {
    known.iter().any(|contract| contract.version == version && contract.deprecated_at.is_none())
}

/// Returns the requested version.
pub(crate) fn choose_version(asked: u64) -> u64 {
    asked
}

/// Returns whether the digest is absent or equal. A different digest means another text.
pub(crate) fn digest_matches(contract: &KnownContract, given: Option<&Value>) -> bool {
    match (given, &contract.digest) {
        (None | Some(Value::Null), _) | (_, None) => true,
        (Some(Value::String(given)), Some(digest)) => given.eq_ignore_ascii_case(digest),
        (Some(_), Some(_)) => false,
    }
}

/// Returns every known version, in ascending order.
pub(crate) fn known(tx: &Transaction<'_>) -> Result<Vec<KnownContract>, StoreError> {
    let mut known: Vec<KnownContract> = table::all(tx.db)?;
    known.extend((tx.policy.handshake.list_extra_versions)());
    known.sort_by_key(|contract| contract.version);
    Ok(known)
}

/// Creates the suspicion that a peer deviates from the agreed contract: a breach of 12, which also counts for
/// 3 and 6 (12.2).
pub(crate) fn mismatch(message: &str, asked: Option<&Value>, digest: Option<&Value>) -> Suspicion {
    let payload = json!({"contract_version": asked, "contract_digest": digest});
    Suspicion::breach(finding::CONTRACT_MISMATCH, &[12, 3, 6], message, payload)
}

/// Checks the contract members of a partner's heartbeat, or of its response to one.
pub(crate) fn check(
    tx: &Transaction<'_>,
    peer: &Peer,
    version: Option<&Value>,
    digest: Option<&Value>,
) -> Result<Option<Suspicion>, StoreError> {
    let Some(agreed) = peer.contract_version_agreed else {
        return Ok(None);
    };
    let handshake = &tx.policy.handshake;
    if version.is_some_and(|version| version.as_u64() != Some(agreed)) {
        return Ok(Some(mismatch("another contract version than the agreed one", version, digest)));
    }
    let contract = known(tx)?.into_iter().find(|contract| contract.version == agreed);
    let matches = contract.is_none_or(|contract| (handshake.digest_matches)(&contract, digest));
    Ok((handshake.compares_claimed_digest && !matches)
        .then(|| mismatch("another text under the agreed contract version", version, digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_positive_integer_is_a_version() {
        assert_eq!(read_version(Some(&json!(1))), Some(1));
        for other in [json!(0), json!(-1), json!(1.0), json!("1"), json!(true), json!(null), json!([1])] {
            assert_eq!(read_version(Some(&other)), None, "{other}");
        }
        assert_eq!(read_version(None), None);
    }
}

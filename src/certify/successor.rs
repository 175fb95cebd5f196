//! Effect of a later attestation on an earlier one.

use super::verification::statement_of;
use super::{Asked, Envelope, Statement};
use crate::wire::canonical::sha256_hex;

/// Effect of a later attestation on an earlier one.
pub(super) enum Successor {
    /// It supersedes the earlier one: how, and what to do.
    Supersedes(String),
    /// It says nothing of the earlier one: why not. That there is no other successor is not shown.
    SaysNothing(String),
}

/// Compares an attestation with a later one. One by another signer supersedes it only if the verifier lets the key of
/// that signer count too, and it never does so unsaid.
pub(super) fn of(newer: &[u8], stated: &Statement, older: &Envelope, asked: &Asked<'_>) -> Successor {
    match read(newer, stated, asked) {
        Err(why) => Successor::SaysNothing(why),
        Ok((envelope, issued)) => {
            let is_of_other = envelope.key_id != older.key_id;
            match asked.trust.map(|trust| trust.signer(&envelope, asked.now)) {
                None => Successor::SaysNothing(format!(
                    "it says that it supersedes this one, and no key was given (--key or --trust) that shows who made it: it names \
                     {} as its signer's",
                    if is_of_other {
                        format!("another key, {},", envelope.key_id)
                    } else {
                        "the same key".to_owned()
                    }
                )),
                Some(Err(why)) => {
                    Successor::SaysNothing(format!("it supersedes nothing: of its signature, {why}"))
                }
                Some(Ok(signer)) if is_of_other => Successor::Supersedes(format!(
                    "it supersedes this one, was issued at {issued}, and ANOTHER SIGNER made it: {signer}; this one is of the key \
                     {}. Ask both signers which one holds, or leave the key that should not count out of the trust file",
                    older.key_id
                )),
                Some(Ok(_)) => Successor::Supersedes(format!(
                    "it supersedes this one, was issued at {issued}, and the same signer made it: verify that one"
                )),
            }
        }
    }
}

/// Reads a later attestation that supersedes an earlier one, with the time at which it was issued.
fn read(newer: &[u8], stated: &Statement, asked: &Asked<'_>) -> Result<(Envelope, jiff::Timestamp), String> {
    let envelope = Envelope::parse(newer).map_err(|error| error.to_string())?;
    let statement = statement_of(&envelope)?;
    let old = statement.predicate.supersedes.as_ref();
    if old.is_none_or(|old| old.sha256 != sha256_hex(asked.attestation)) {
        return Err("it supersedes another one, or none, and says nothing of this one".to_owned());
    }
    let issued = statement.predicate.validity.issued;
    if issued < stated.predicate.validity.issued {
        return Err("it was issued before this one".to_owned());
    }
    Ok((envelope, issued))
}

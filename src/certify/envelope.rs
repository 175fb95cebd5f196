//! The DSSE envelope of an attestation: one payload, one signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{PublicKey, SigningKey};

/// The type of the payload: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A signed payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The payload.
    pub payload: Vec<u8>,
    /// The id of the key that signed it, as the envelope names it. The signature does not cover it.
    pub key_id: String,
    /// The signature.
    signature: Vec<u8>,
}

/// The envelope as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    payload: String,
    payload_type: String,
    signatures: Vec<WrittenSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSignature {
    keyid: String,
    sig: String,
}

/// Why a file is no envelope of an attestation.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// It is no JSON of this form.
    #[error("this is not an attestation in a DSSE envelope: {0}")]
    Form(String),
    /// It holds another thing than a statement.
    #[error("the payload is of the type {0:?}, and not {PAYLOAD_TYPE}")]
    Type(String),
    /// It has no signature, or several.
    #[error("{0} signatures, and an attestation has one")]
    Signatures(usize),
    /// A part is not base64.
    #[error("the {0} is not base64, or was changed")]
    Base64(&'static str),
    /// The parts are valid, and their notation is another one.
    #[error(
        "not as it was written: something was added, reordered or changed outside of what the signature covers"
    )]
    Rewritten,
}

impl Envelope {
    /// Signs a payload.
    #[must_use]
    pub fn sign(payload: Vec<u8>, key: &SigningKey) -> Self {
        let signature = key.sign(&signed_bytes(&payload));
        Self { payload, key_id: key.public().id(), signature }
    }

    /// Returns whether a file is an envelope, or is meant to be one.
    #[must_use]
    pub fn is_like(bytes: &[u8]) -> bool {
        let value: Result<Value, _> = serde_json::from_slice(bytes);
        let members = ["payload", "payloadType", "signatures"];
        value.is_ok_and(|value| members.iter().any(|member| value.get(member).is_some()))
    }

    /// Reads an envelope. It has one notation, so that no byte outside of the signed ones can be changed.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let form = |error: serde_json::Error| EnvelopeError::Form(error.to_string());
        let Written { payload, payload_type, signatures } = serde_json::from_slice(bytes).map_err(form)?;
        if payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::Type(payload_type));
        }
        let [WrittenSignature { keyid, sig }] = &signatures[..] else {
            return Err(EnvelopeError::Signatures(signatures.len()));
        };
        let decode = |what, text: &str| STANDARD.decode(text).map_err(|_| EnvelopeError::Base64(what));
        let envelope = Self {
            payload: decode("payload", &payload)?,
            key_id: keyid.clone(),
            signature: decode("signature", sig)?,
        };
        if envelope.text().as_bytes() == bytes { Ok(envelope) } else { Err(EnvelopeError::Rewritten) }
    }

    /// Returns the envelope as a file holds it: one line, as a bundle of in-toto has it.
    #[must_use]
    pub fn text(&self) -> String {
        let written = Written {
            payload: STANDARD.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![WrittenSignature {
                keyid: self.key_id.clone(),
                sig: STANDARD.encode(&self.signature),
            }],
        };
        serde_json::to_string(&written).expect("texts alone") + "\n"
    }

    /// Returns whether the key signed the payload, and the envelope names it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.id() == self.key_id && key.verifies(&signed_bytes(&self.payload), &self.signature)
    }
}

/// Returns the bytes that are signed: the pre-authentication encoding of DSSE version 1.
fn signed_bytes(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_reads_back_and_verifies_with_its_key_alone() {
        let (key, other) = (SigningKey::generate().expect("a key"), SigningKey::generate().expect("a key"));
        let envelope = Envelope::sign(b"{}".to_vec(), &key);
        let read = Envelope::parse(envelope.text().as_bytes()).expect("an envelope");
        assert_eq!(read, envelope);
        assert!(read.is_signed_by(&key.public()));
        assert!(!read.is_signed_by(&other.public()));
    }

    #[test]
    fn the_signed_bytes_are_those_of_dsse() {
        // The example of the DSSE specification, with this payload type.
        assert_eq!(
            String::from_utf8(signed_bytes(b"hello world")).expect("a text"),
            "DSSEv1 28 application/vnd.in-toto+json 11 hello world"
        );
    }

    #[test]
    fn every_changed_added_missing_or_moved_byte_is_noticed() {
        let key = SigningKey::generate().expect("a key");
        let public = key.public();
        let text = Envelope::sign(b"{\"result\":\"WARNED\"}".to_vec(), &key).text().into_bytes();
        let holds =
            |bytes: &[u8]| Envelope::parse(bytes).is_ok_and(|envelope| envelope.is_signed_by(&public));
        assert!(holds(&text));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut changed = text.clone();
                changed[at] ^= 1 << bit;
                assert!(!holds(&changed), "bit {bit} of byte {at}");
            }
            assert!(!holds(&text[..at]), "cut at {at}");
            let mut added = text.clone();
            added.insert(at, b' ');
            assert!(!holds(&added), "a space at {at}");
            let mut missing = text.clone();
            missing.remove(at);
            assert!(!holds(&missing), "byte {at} is missing");
            let mut moved = text.clone();
            if at > 0 && moved[at] != moved[at - 1] {
                moved.swap(at, at - 1);
                assert!(!holds(&moved), "byte {at} moved");
            }
        }
        assert!(!holds(&[&text[..], b"\n"].concat()));
        assert!(!holds(&text.repeat(2)));
    }

    #[test]
    fn an_envelope_of_something_else_says_what_it_is() {
        let signed = r#"{"payload":"e30=","payloadType":"text/plain","signatures":[]}"#;
        assert_eq!(Envelope::parse(signed.as_bytes()), Err(EnvelopeError::Type("text/plain".to_owned())));
        let none = signed.replace("text/plain", PAYLOAD_TYPE);
        assert_eq!(Envelope::parse(none.as_bytes()), Err(EnvelopeError::Signatures(0)));
        assert!(Envelope::is_like(signed.as_bytes()));
        assert!(!Envelope::is_like(b"{\"previous\":\"\"}") && !Envelope::is_like(b"hello"));
    }
}

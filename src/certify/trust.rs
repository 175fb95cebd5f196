//! The keys that a verifier lets count: one key, or a file of the verifier's own.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error;

use super::{Envelope, KeyError, PublicKey};
use crate::input::{self, InputError};

/// The longest trust file that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// An error for a trust file.
#[derive(Debug, Error)]
pub enum TrustError {
    /// The path is that of no file that can be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file has another form.
    #[error("{path}: {what}\nhint: each [[key]] has name and public_key, and may have expires = 2027-01-31")]
    Form {
        /// The path of the file.
        path: String,
        /// Fault, with its line.
        what: String,
    },
}

/// A key that counts.
#[derive(Clone, Debug)]
pub struct TrustedKey {
    /// The name that the verifier gives to the signer.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// The last day on which it counts, in UTC.
    pub expires: Option<Date>,
}

/// The keys that count.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The file that has them.
    file: String,
    keys: Vec<TrustedKey>,
    /// The keys are of a trust file: the verifier says whom it trusts.
    is_trust_file: bool,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    key: Vec<WrittenKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    name: String,
    public_key: String,
    expires: Option<toml::value::Datetime>,
}

impl Trust {
    /// Lets the key of one file count.
    pub fn of_key(path: &Path) -> Result<Self, TrustError> {
        let file = path.display().to_string();
        let key = TrustedKey { name: file.clone(), key: PublicKey::read(path)?, expires: None };
        Ok(Self { file, keys: vec![key], is_trust_file: false })
    }

    /// Reads a trust file.
    pub fn read(path: &Path) -> Result<Self, TrustError> {
        Self::parse(&input::read_text(path, BYTES_MAX)?, &path.display().to_string())
    }

    /// Parses the text of a trust file. `file` appears in errors, and in the detail of a signature.
    pub fn parse(text: &str, file: &str) -> Result<Self, TrustError> {
        let file = file.to_owned();
        let wrong = |what: String| TrustError::Form { path: file.clone(), what };
        let written: Written =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        if written.key.is_empty() {
            return Err(wrong("it names no key, so no signature counts".to_owned()));
        }
        let keys = written.key.into_iter().map(|WrittenKey { name, public_key, expires }| {
            let in_key = |what: String| wrong(format!("the key {name:?}: {what}"));
            let pem = format!("{}\n", public_key.trim());
            let key = PublicKey::from_pem(&pem).map_err(|found| in_key(format!("public_key is {found}")))?;
            let expires = expires.map(|date| date.to_string().parse::<Date>()).transpose();
            let expires = expires.map_err(|_| in_key("expires is no date, such as 2027-01-31".to_owned()))?;
            Ok(TrustedKey { name, key, expires })
        });
        let keys = keys.collect::<Result<Vec<_>, TrustError>>()?;
        if let Some((one, other)) = doubled(&keys) {
            return Err(wrong(format!(
                "the keys {:?} and {:?} are the same key ({}), so which name and which end hold is open; leave one out",
                one.name,
                other.name,
                one.key.id()
            )));
        }
        Ok(Self { keys, file, is_trust_file: true })
    }

    /// Says who signed an envelope, if a key that counts did; else why the signature does not count.
    pub(super) fn signer(&self, envelope: &Envelope, now: Timestamp) -> Result<String, String> {
        let Some(signer) = self.keys.iter().find(|trusted| envelope.is_signed_by(&trusted.key)) else {
            return Err(self.why_not(envelope));
        };
        let today = now.strftime("%Y-%m-%d").to_string().parse().unwrap_or(Date::MAX);
        let id = signer.key.id();
        match signer.expires {
            Some(last) if last < today => Err(format!(
                "{} lets the key of {:?} count until {last} alone; ask that signer for its key of today",
                self.file, signer.name
            )),
            _ if self.is_trust_file => {
                Ok(format!("made by {:?}, whose key {} lets count (key id {id})", signer.name, self.file))
            }
            _ => Ok(format!(
                "made with the key of {} (key id {id}); whether its owner is to be trusted is for you to decide",
                self.file
            )),
        }
    }

    /// Says why no key that counts made a signature.
    fn why_not(&self, envelope: &Envelope) -> String {
        let named = &envelope.key_id;
        if self.keys.iter().any(|trusted| trusted.key.id() == *named) {
            return format!(
                "not made with the key {named} that the envelope names: payload or signature was changed; get the file again from the \
                 signer"
            );
        }
        let (file, ids) = (&self.file, self.keys.iter().map(|trusted| trusted.key.id()));
        let ids: Vec<String> = ids.collect();
        format!(
            "the envelope names the key {named}, and {file} has {} alone; if you trust its signer, get that key by a way that you trust",
            ids.join(", ")
        )
    }
}

/// Returns two entries of one key.
fn doubled(keys: &[TrustedKey]) -> Option<(&TrustedKey, &TrustedKey)> {
    let before = |place: usize| keys[..place].iter().find(|one| one.key == keys[place].key);
    (0..keys.len()).find_map(|place| Some((before(place)?, &keys[place])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::SigningKey;

    #[test]
    fn a_trust_file_says_whose_keys_count_and_until_when() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trust.toml");
        let (key, other) = (SigningKey::generate().expect("a key"), SigningKey::generate().expect("a key"));
        let pem = key.public().pem();
        let entry = |rest: &str| format!("[[key]]\nname = \"Desk\"\npublic_key = '''\n{pem}'''\n{rest}");
        std::fs::write(&path, entry("expires = 2026-12-31\n")).expect("written");
        let trust = Trust::read(&path).expect("a trust file");
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let envelope = Envelope::sign(b"{}".to_vec(), &key);
        let signer = trust.signer(&envelope, at("2026-12-31T23:00:00Z")).expect("it counts");
        assert!(signer.contains("Desk"), "{signer}");
        let late = trust.signer(&envelope, at("2027-01-01T00:00:00Z")).expect_err("it has expired");
        assert!(late.contains("until 2026-12-31"), "{late}");
        let of_other = Envelope::sign(b"{}".to_vec(), &other);
        assert!(trust.signer(&of_other, at("2026-12-01T00:00:00Z")).is_err());
        for (text, expected) in [
            (String::new(), "names no key"),
            (entry("expire = 2026-12-31\n"), "unknown field"),
            (entry("expires = 12:00:00\n"), "no date"),
            (format!("{}{}", entry("expires = 2026-12-31\n"), entry("")), "are the same key"),
            (entry("").replace("MCow", "MCox"), "public_key is a public key of another kind"),
        ] {
            std::fs::write(&path, &text).expect("written");
            let error = Trust::read(&path).map(|_| ()).expect_err(&text).to_string();
            assert!(error.contains(expected) && error.contains("trust.toml"), "{error}");
        }
    }
}

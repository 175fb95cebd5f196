//! Keys that sign attestations: Ed25519, as PEM files. A file that is not exactly as it was written is refused, so that
//! no changed byte passes unnoticed.

use std::fmt;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::input::{self, InputError};
use crate::pki::pem_of;
use crate::wire::canonical::sha256_hex;

/// The longest key file that is read, in bytes.
const BYTES_MAX: u64 = 4096;
/// The label of a private key in PEM (PKCS#8).
const PRIVATE: &str = "PRIVATE KEY";
/// The label of a public key in PEM (SubjectPublicKeyInfo).
const PUBLIC: &str = "PUBLIC KEY";
/// The bytes of a SubjectPublicKeyInfo of Ed25519 before the key itself (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The length of a public key, in bytes.
const PUBLIC_BYTES: usize = 32;

/// An error for a key or its file.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The path is that of no file that can be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Others than the owner can read a private key.
    #[error(
        "{path}: others can read this private key (mode {mode:04o}); run chmod 600 on it, and make a new key if someone may \
         have read it"
    )]
    Exposed {
        /// The path of the file.
        path: String,
        /// The mode of the file.
        mode: u32,
    },
    /// The file holds another thing than the key that is needed.
    #[error("{path}: {found}; expected {wanted}")]
    Wrong {
        /// The path of the file.
        path: String,
        /// Content of the file.
        found: &'static str,
        /// Description of the key that is needed, and how to make it.
        wanted: &'static str,
    },
    /// The library has no key, or no random numbers for one.
    #[error("no key could be made: the system gave no random numbers")]
    NotMade,
}

const PRIVATE_WANTED: &str =
    "an Ed25519 private key as PEM (PKCS#8, not encrypted), unchanged, as `covenant key new` writes it";
const PUBLIC_WANTED: &str = "an Ed25519 public key as PEM, unchanged, as `covenant key new` writes it";

/// A private key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    /// PKCS#8, version 1.
    der: Vec<u8>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

impl SigningKey {
    /// Makes a new key.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NotMade)?;
        let der = pair.to_pkcs8v1().map_err(|_| KeyError::NotMade)?.as_ref().to_vec();
        Ok(Self { pair, der })
    }

    /// Reads a key from its file, which only the owner may read.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = input::read_text(path, BYTES_MAX)?;
        let key = Self::from_pem(&text).map_err(|found| wrong(path, found, PRIVATE_WANTED))?;
        refuse_exposed(path)?;
        Ok(key)
    }

    /// Reads a key from PEM. The error says what the text is instead.
    fn from_pem(text: &str) -> Result<Self, &'static str> {
        let der = from_pem(PRIVATE, text).ok_or_else(|| other_pem(text))?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| "a private key of another kind")?;
        Ok(Self { pair, der })
    }

    /// Returns the key as PEM, for its file.
    #[must_use]
    pub fn pem(&self) -> String {
        pem_of(PRIVATE, &self.der)
    }

    /// Returns the public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; PUBLIC_BYTES];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; PUBLIC_BYTES]);

impl PublicKey {
    /// Reads a key from its file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = input::read_text(path, BYTES_MAX)?;
        Self::from_pem(&text).map_err(|found| wrong(path, found, PUBLIC_WANTED))
    }

    /// Reads the public key of a file that holds a public or a private key.
    pub fn read_either(path: &Path) -> Result<Self, KeyError> {
        let text = input::read_text(path, BYTES_MAX)?;
        if from_pem(PRIVATE, &text).is_some() {
            return Ok(SigningKey::read(path)?.public());
        }
        Self::from_pem(&text).map_err(|found| wrong(path, found, PUBLIC_WANTED))
    }

    /// Reads a key from PEM. The error says what the text is instead.
    pub fn from_pem(text: &str) -> Result<Self, &'static str> {
        let der = from_pem(PUBLIC, text).ok_or_else(|| other_pem(text))?;
        let key = der.strip_prefix(&SPKI_PREFIX).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or("a public key of another kind")
    }

    /// Returns the key as DER (SubjectPublicKeyInfo).
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.0].concat()
    }

    /// Returns the key as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem_of(PUBLIC, &self.der())
    }

    /// Returns the key id: the SHA-256 of the DER, in hex.
    #[must_use]
    pub fn id(&self) -> String {
        sha256_hex(self.der())
    }

    /// Returns whether the signature of a message was made with this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

/// Returns the path of the public key beside a private one: `covenant-key.pub.pem` beside `covenant-key.pem`.
#[must_use]
pub fn public_path(private: &Path) -> PathBuf {
    private.with_extension("pub.pem")
}

fn wrong(path: &Path, found: &'static str, wanted: &'static str) -> KeyError {
    KeyError::Wrong { path: path.display().to_string(), found, wanted }
}

/// Decodes PEM that is exactly as [`pem_of`] writes it.
fn from_pem(label: &str, text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix(&format!("-----BEGIN {label}-----\n"))?;
    let inner = inner.strip_suffix(&format!("\n-----END {label}-----\n"))?;
    let der = STANDARD.decode(inner.replace('\n', "")).ok()?;
    (pem_of(label, &der) == text).then_some(der)
}

/// Says what a text is that is not the expected key.
fn other_pem(text: &str) -> &'static str {
    let begins = |label: &str| text.starts_with(&format!("-----BEGIN {label}-----"));
    match () {
        () if begins("ENCRYPTED PRIVATE KEY") => "an encrypted private key",
        () if begins("CERTIFICATE") => "a certificate",
        () if from_pem(PRIVATE, text).is_some() => "a private key",
        () if from_pem(PUBLIC, text).is_some() => "a public key",
        () if begins(PRIVATE) => "a private key that was changed or is not whole",
        () if begins(PUBLIC) => "a public key that was changed or is not whole",
        () => "no key",
    }
}

/// Refuses a private key that others can read.
#[cfg(unix)]
fn refuse_exposed(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let opened = input::open(path)?.metadata();
    let mode = opened.map_or(0, |found| found.permissions().mode() & 0o777);
    let is_exposed = mode & 0o077 != 0;
    if !is_exposed {
        return Ok(());
    }
    Err(KeyError::Exposed { path: path.display().to_string(), mode })
}

/// A system without modes has nothing to refuse.
#[cfg(not(unix))]
fn refuse_exposed(_: &Path) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_its_signature_is_of_it_alone() {
        let (key, other) = (SigningKey::generate().expect("a key"), SigningKey::generate().expect("a key"));
        let again = SigningKey::from_pem(&key.pem()).expect("the same key");
        assert_eq!(again.public(), key.public());
        assert_eq!(PublicKey::from_pem(&key.public().pem()), Ok(key.public()));
        let signature = again.sign(b"message");
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"massage", &signature));
        assert!(!other.public().verifies(b"message", &signature));
        assert_ne!(key.public().id(), other.public().id());
    }

    #[test]
    fn a_key_file_with_a_changed_byte_is_refused_or_is_another_key() {
        let key = SigningKey::generate().expect("a key").public();
        let text = key.pem();
        for at in 0..text.len() {
            for byte in [b'\n', b' ', b'A', b'Q', b'-'] {
                let mut changed = text.clone().into_bytes();
                if changed[at] == byte {
                    continue;
                }
                changed[at] = byte;
                let changed = String::from_utf8(changed).expect("a text");
                assert_ne!(PublicKey::from_pem(&changed), Ok(key), "{changed}");
            }
            assert!(PublicKey::from_pem(&text[..at]).is_err(), "cut at {at}");
        }
        for more in [format!("{text}\n"), format!(" {text}"), text.repeat(2), text.replace('\n', "\r\n")] {
            assert!(PublicKey::from_pem(&more).is_err(), "{more:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_private_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        std::fs::write(&path, SigningKey::generate().expect("a key").pem()).expect("written");
        for (mode, is_taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
            assert_eq!(SigningKey::read(&path).is_ok(), is_taken, "{mode:o}");
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        let key = SigningKey::generate().expect("a key");
        assert_eq!(PublicKey::from_pem(&key.pem()), Err("a private key"));
        assert_eq!(SigningKey::from_pem(&key.public().pem()).err(), Some("a public key"));
        assert_eq!(PublicKey::from_pem("hello"), Err("no key"));
        assert_eq!(PublicKey::from_pem(&pem_of(PUBLIC, b"x")), Err("a public key of another kind"));
    }
}

//! PEM files that the command line and `covenant.toml` name.

use std::path::Path;

use super::{Exit, Failure};
use crate::input;
use crate::pki::{Certificate, Identity};
use crate::with_causes;

/// The longest PEM file that is read, in bytes.
const PEM_BYTES_MAX: u64 = 1 << 20;

/// Reads the authorities to trust for the target.
pub(super) fn read_bundle(path: &Path) -> Result<String, Failure> {
    let text = read_pem("--ca", path)?;
    let wrong = |error| Failure::usage(format!("--ca {}: {error}", path.display()));
    crate::pki::Trust::new().add("ca", &text).map_err(wrong)?;
    Ok(text)
}

/// Reads a PEM file that a flag names.
fn read_pem(flag: &str, path: &Path) -> Result<String, Failure> {
    input::read_text(path, PEM_BYTES_MAX).map_err(|error| Failure::usage(format!("{flag} {error}")))
}

/// Returns the SHA-256 of the certificate in a PEM file that a flag names.
pub(super) fn fingerprint(flag: &str, path: &Path) -> Result<String, Failure> {
    let certificate = Certificate::from_pem(&read_pem(flag, path)?)
        .map_err(|error| Failure::usage(format!("{flag} {}: {}", path.display(), with_causes(&error))))?;
    Ok(certificate.fingerprint)
}

pub(super) fn system_bundle() -> Result<String, Failure> {
    crate::pki::system_bundle_pem().map_err(|error| Failure::new(Exit::Environment, error))
}

/// Reads the certificate that the simulated peers present, and its key.
pub(super) fn server_identity(chain: Option<&Path>, key: Option<&Path>) -> Result<Option<Identity>, Failure> {
    let (chain, key) = match (chain, key) {
        (Some(chain), Some(key)) => (chain, key),
        (None, None) => return Ok(None),
        _ => return Err(Failure::usage("peers: certificate and key belong together")),
    };
    let (chain_pem, key_pem) = (read_pem("--peer-certificate", chain)?, read_pem("--peer-key", key)?);
    let wrong = |error| Failure::usage(format!("--peer-certificate {}: {error}", chain.display()));
    Identity::from_pem(&chain_pem, &key_pem).map(Some).map_err(wrong)
}

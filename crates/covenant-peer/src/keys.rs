//! Certificate of a peer's server, and the trust of the peer in itself.

use url::Url;

use super::Options;
use covenant_net::pki::{Authority, Identity, PkiError, Trust};

/// Lifetime of a server certificate, in days.
pub(super) const SERVER_DAYS: u32 = 3650;

pub(super) fn server_identity(authority: &Authority, options: &Options) -> Result<Identity, PkiError> {
    let ip = options.listen.ip().to_string();
    let advertised = options.advertise.as_ref().and_then(Url::host_str).unwrap_or("localhost");
    authority.leaf(&options.name, &server_names(&ip, advertised), SERVER_DAYS)
}

/// Returns the names of a server's certificate.
pub(super) fn server_names<'a>(ip: &'a str, advertised: &'a str) -> Vec<&'a str> {
    let mut names = vec!["localhost", "127.0.0.1", "::1"];
    for name in [ip, advertised.trim_matches(['[', ']'])] {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

pub(super) fn own_trust(authority: &Authority) -> Result<Trust, PkiError> {
    let trust = Trust::new();
    trust.add("self", authority.pem())?;
    Ok(trust)
}

//! Calls a federation plane from outside: is it there, and which generation does it speak?

use bytes::Bytes;
use serde_json::json;
use url::Url;

use super::{Exit, Failure, block_on};
use crate::clock::Clock;
use crate::net::{Client, ClientOptions, Limits, NetError, Request, Response};
use crate::pki::{ClientTls, PkiError, TlsOptions, Trust};
use crate::wire::generation::{CallerForm, Generation};
use crate::wire::header;
use crate::wire::path::{PREFIX, Route};

/// The platform name in the user agent of the anonymous client.
const NO_ONE: &str = "covenant";
/// The status of a path that is no route.
const NOT_FOUND: u16 = 404;

/// An anonymous client of a federation plane.
pub(super) struct AnonymousClient {
    client: Client,
    url: Url,
}

impl AnonymousClient {
    /// Builds an anonymous client for `url`. It trusts the authorities in `ca_bundle_pem`; without them it
    /// pins the first certificate that it sees.
    pub(super) fn before(url: &Url, ca_bundle_pem: Option<&str>, limits: Limits) -> Result<Self, PkiError> {
        let trust = match ca_bundle_pem {
            Some(bundle) => {
                let trust = Trust::new();
                trust.add("target", bundle)?;
                trust
            }
            None => Trust::on_first_use(),
        };
        let tls = match url.scheme() {
            "https" => Some(ClientTls::new(None, trust, &Clock::system(), TlsOptions::default())?),
            _ => None,
        };
        Ok(Self { client: Client::new(tls, limits, ClientOptions::default()), url: url.clone() })
    }

    /// Requests the trust bundle without a certificate. A platform that has the route refuses.
    pub(super) async fn trust_bundle(&self) -> Result<Response, NetError> {
        self.send("GET", "trust_bundle", None).await
    }

    /// Calls accept with a token that was never issued. The platform refuses and creates nothing.
    pub(super) async fn accept(&self) -> Result<Response, NetError> {
        let body = json!({"acceptance_token": "of-no-one", "contract_version": 1});
        self.send("POST", "accept", Some(Bytes::from(body.to_string()))).await
    }

    async fn send(&self, method: &str, route: &str, body: Option<Bytes>) -> Result<Response, NetError> {
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("user-agent".to_owned(), header::user_agent(NO_ONE)),
        ];
        headers.extend(body.as_ref().map(|_| ("content-type".to_owned(), "application/json".to_owned())));
        let path_and_query = format!("{PREFIX}/{route}");
        let request = Request { method: method.to_owned(), path_and_query, headers, body };
        self.client.send(&self.url, request).await
    }
}

/// Detects how callers identify themselves to a platform behind plain HTTP, by whether it has a trust bundle.
pub(super) fn detect(url: &Url, limits: Limits) -> Result<CallerForm, Failure> {
    let anonymous_client =
        AnonymousClient::before(url, None, limits).map_err(|error| Failure::new(Exit::Suite, error))?;
    let answered = block_on(anonymous_client.trust_bundle())?;
    let answered = answered.map_err(|error| {
        let why = format!("{url}: {error}; is it running? `covenant doctor` shows more");
        Failure::new(Exit::Target, anyhow::anyhow!(why))
    })?;
    let generation = generations(&answered).first().copied().unwrap_or(Generation::newest());
    Ok(CallerForm::Forwarded(generation.forwarded))
}

/// Returns the generations that a platform may be, from its answer to the trust bundle request.
pub(super) fn generations(answered: &Response) -> Vec<&'static Generation> {
    Generation::by_route(&Route::TrustBundle, answered.status != NOT_FOUND)
}

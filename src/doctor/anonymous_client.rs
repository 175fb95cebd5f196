//! An anonymous client of a federation plane: is the plane there, and which generation does it speak?

use bytes::Bytes;
use serde_json::json;
use thiserror::Error;
use url::Url;

use crate::clock::Clock;
use crate::net::{Client, ClientOptions, Limits, NetError, Request, Response};
use crate::pki::{ClientTls, PkiError, TlsOptions, Trust};
use crate::wire::generation::{CallerForm, Generation};
use crate::wire::header;
use crate::wire::path::{PREFIX, Route};

/// The platform name in the user agent of the anonymous client.
const NO_ONE: &str = "covenant";
/// The status of a path that is no route.
pub(super) const NOT_FOUND: u16 = 404;
/// A path that is no route of any generation.
const NOWHERE: &str = "covenant_no_such_route";

/// An anonymous client of a federation plane.
pub(super) struct AnonymousClient {
    client: Client,
    url: Url,
}

impl AnonymousClient {
    /// Builds an anonymous client for `url`. It trusts the authorities in `ca_bundle_pem`; without them it
    /// pins the first certificate that it sees. `are_named` if the user names the authorities: they certify other
    /// hosts too.
    pub(super) fn new(
        url: &Url,
        ca_bundle_pem: Option<&str>,
        are_named: bool,
        limits: Limits,
    ) -> Result<Self, PkiError> {
        let trust = match ca_bundle_pem {
            Some(bundle) if are_named => Trust::of_hosts(bundle),
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

    /// Requests a path that does not exist. A server that answers everything alike shows nothing of itself.
    pub(super) async fn nowhere(&self) -> Result<Response, NetError> {
        self.send("GET", NOWHERE, None).await
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
pub async fn detect_caller_form(url: &Url, limits: Limits) -> Result<CallerForm, DetectError> {
    let client = AnonymousClient::new(url, None, false, limits)?;
    let answered = client.trust_bundle().await;
    let answered = answered.map_err(|source| DetectError::Call { url: url.to_string(), source })?;
    let generation = generations(&answered).first().copied().unwrap_or(Generation::newest());
    Ok(CallerForm::Forwarded(generation.forwarded))
}

/// An error that occurs when the form of a caller is detected.
#[derive(Debug, Error)]
pub enum DetectError {
    /// The client can't be built.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The platform can't be called.
    #[error("{url}: cannot be called (`covenant doctor` shows more)")]
    Call {
        /// The URL that was given.
        url: String,
        /// The network error.
        source: NetError,
    },
}

/// Returns the generations that a platform may be, from its answer to the trust bundle request.
pub(super) fn generations(answered: &Response) -> Vec<&'static Generation> {
    Generation::by_route(&Route::TrustBundle, answered.status != NOT_FOUND)
}

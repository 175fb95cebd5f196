//! An anonymous client of a federation plane: is the plane there, and which generation does it speak?

use bytes::Bytes;
use serde_json::json;
use thiserror::Error;
use url::Url;

use crate::clock::Clock;
use crate::net::{Client, ClientOptions, Limits, NetError, Request, Response};
use crate::pki::{ClientTls, PkiError, TlsOptions, Trust};
use crate::transcript::{Recorder, What};
use crate::wire::generation::{CallerForm, Generation};
use crate::wire::header;
use crate::wire::path::{PREFIX, Route};

/// The platform name in the user agent of the anonymous client.
const NO_ONE: &str = "covenant";
/// The status of a path that is no route.
pub(super) const NOT_FOUND: u16 = 404;
/// A path that is no route of any generation.
const NOWHERE: &str = "covenant_no_such_route";

/// A call of an anonymous client.
#[derive(Debug)]
pub struct Probe {
    /// The method.
    pub method: &'static str,
    /// The path below the prefix of the federation plane.
    route: &'static str,
    /// True if it sends the body of an accept.
    is_accept: bool,
    /// Requests that it sends, and the reason for each.
    pub about: &'static str,
}

impl Probe {
    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{PREFIX}/{}", self.route)
    }
}

const ACCEPT: Probe = Probe {
    method: "POST",
    route: "accept",
    is_accept: true,
    about: "accept with a token that was never issued, which the target refuses",
};
const TRUST_BUNDLE: Probe = Probe {
    method: "GET",
    route: "trust_bundle",
    is_accept: false,
    about: "the trust bundle without a certificate: the answer shows the generation of the wire",
};
const NO_ROUTE: Probe = Probe {
    method: "GET",
    route: NOWHERE,
    is_accept: false,
    about: "a path that does not exist: a server that answers everything alike shows nothing of itself",
};

/// The calls of a diagnosis of a federation plane, in order.
pub const PROBES: [Probe; 3] = [ACCEPT, TRUST_BUNDLE, NO_ROUTE];
/// The call that finds out how callers identify themselves behind plain HTTP.
pub const DETECTION: Probe = TRUST_BUNDLE;

/// An anonymous client of a federation plane.
pub(super) struct AnonymousClient {
    client: Client,
    url: Url,
    /// Recorder of its exchanges; `None` if they are not recorded.
    recorder: Option<Recorder>,
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
        Ok(Self {
            client: Client::new(tls, limits, ClientOptions::default()),
            url: url.clone(),
            recorder: None,
        })
    }

    /// Records its exchanges.
    pub(super) fn recorded(self, recorder: Option<Recorder>) -> Self {
        Self { recorder, ..self }
    }

    /// Requests the trust bundle without a certificate. A platform that has the route refuses.
    pub(super) async fn trust_bundle(&self) -> Result<Response, NetError> {
        self.send(&TRUST_BUNDLE).await
    }

    /// Requests a path that does not exist. A server that answers everything alike shows nothing of itself.
    pub(super) async fn nowhere(&self) -> Result<Response, NetError> {
        self.send(&NO_ROUTE).await
    }

    /// Calls accept with a token that was never issued. The platform refuses and creates nothing.
    pub(super) async fn accept(&self) -> Result<Response, NetError> {
        self.send(&ACCEPT).await
    }

    async fn send(&self, probe: &Probe) -> Result<Response, NetError> {
        let body = probe.is_accept.then(|| {
            let body = json!({"acceptance_token": "of-no-one", "contract_version": 1});
            Bytes::from(body.to_string())
        });
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("user-agent".to_owned(), header::user_agent(NO_ONE)),
        ];
        headers.extend(body.as_ref().map(|_| ("content-type".to_owned(), "application/json".to_owned())));
        let request =
            Request { method: probe.method.to_owned(), path_and_query: probe.path(), headers, body };
        let outcome = self.client.send(&self.url, request.clone()).await;
        if let Some(recorder) = &self.recorder {
            recorder.record(None, None, What::Exchange(request.exchange(NO_ONE, outcome.clone())));
        }
        outcome
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

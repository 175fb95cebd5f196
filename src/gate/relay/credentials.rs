//! The credentials that accept and the trust bundle exchange, each replaced by the relay's own.

use bytes::Bytes;
use serde_json::{Value, json};

use super::address::with_address;
use super::{OTHER, Shared};
use crate::net::{Inbound, NetError, Outbound, Request, Response};
use crate::pki::{Certificate, Identity, SigningRequest};
use crate::transcript::{Body, Direction, Exchange, Failure, Message};
use crate::wire::generation::{CallerForm, ProxiedCaller};
use crate::wire::path::Route;

/// The headers that belong to one connection.
const OF_CONNECTION: [&str; 9] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "accept-encoding",
    "keep-alive",
    "te",
    "upgrade",
    "expect",
];

/// The requests of a caller for a certificate: its own, and the one that the relay made in its place.
struct Requested {
    own: String,
    in_its_place: SigningRequest,
}

impl Shared {
    /// Calls the platform in place of the caller. Returns what both sent, and the answer for the caller.
    pub(super) async fn exchange(&self, callee: usize, request: Inbound) -> (Exchange, Outbound) {
        let route = Route::parse(&request.method, &request.path);
        let path = match &request.query {
            Some(query) => format!("{}?{query}", request.path),
            None => request.path.clone(),
        };
        let (body, requested) = self.to_callee(callee, route.as_ref(), &request.body);
        let mut exchange = Exchange {
            peer: OTHER.to_owned(),
            direction: Direction::ToTarget,
            request: Message {
                method: Some(request.method.clone()),
                path: Some(path.clone()),
                headers: request.headers.clone(),
                body: Body::capture(&request.body),
                ..Message::default()
            },
            response: None,
            failure: None,
            tls: request.tls.clone(),
            protocol: Some(request.protocol.to_owned()),
            source: None,
            injected: vec![],
        };
        match self.send(callee, &request, path, body).await {
            Ok(response) => {
                exchange.response = Some(Message {
                    status: Some(response.status),
                    headers: response.headers.clone(),
                    body: Body::capture(&response.body),
                    ..Message::default()
                });
                let outbound = self.to_caller(callee, route.as_ref(), requested, &response);
                (exchange, outbound)
            }
            Err(error) => {
                exchange.failure = Some(Failure { kind: error.kind(), message: error.to_string() });
                (exchange, Outbound::abort())
            }
        }
    }

    async fn send(
        &self,
        callee: usize,
        request: &Inbound,
        path_and_query: String,
        body: Bytes,
    ) -> Result<Response, NetError> {
        let (end, stand_in) = (self.end(callee), &self.stand_ins[callee]);
        let no_keys = |error: crate::pki::PkiError| NetError::Request(error.to_string());
        let certificate = request.peer_certificate.as_ref();
        let way =
            stand_in.way(certificate, &self.stand_ins[1 - callee], &end, self.limits).map_err(no_keys)?;
        let mut headers = passed_on(&request.headers);
        headers.extend(way.identity.iter().flat_map(|identity| forwarded(end.caller, identity)));
        let has_body = !(body.is_empty() && request.method == "GET");
        let request = Request {
            method: request.method.clone(),
            path_and_query,
            headers,
            body: has_body.then_some(body),
        };
        way.client.send(&end.base_url, request).await
    }

    /// Returns the body of a call as the callee gets it.
    fn to_callee(&self, callee: usize, route: Option<&Route>, body: &Bytes) -> (Bytes, Option<Requested>) {
        let caller = 1 - callee;
        let (of_callee, of_caller) = (&self.stand_ins[callee], &self.stand_ins[caller]);
        let Ok(text) = std::str::from_utf8(body) else { return (body.clone(), None) };
        let text = with_address(text, &self.end(caller).base_url, of_caller.url());
        let text = with_address(&text, of_callee.url(), &self.end(callee).base_url);
        if route != Some(&Route::Accept) {
            return (Bytes::from(text), None);
        }
        let Ok(mut accept) = serde_json::from_str::<Value>(&text) else { return (Bytes::from(text), None) };
        let mut requested = None;
        if let (Some(own), Ok(request)) = (accept["csr_pem"].as_str(), SigningRequest::new("relay")) {
            let own = own.to_owned();
            accept["csr_pem"] = json!(request.pem());
            requested = Some(Requested { own, in_its_place: request });
        }
        if let Some(bundle) = accept["peer_ca_bundle_pem"].as_str() {
            of_callee.admit("accept", bundle);
            accept["peer_ca_bundle_pem"] = json!(of_caller.ca_bundle_pem());
        }
        (Bytes::from(accept.to_string()), requested)
    }

    /// Returns the answer as the caller gets it.
    fn to_caller(
        &self,
        callee: usize,
        route: Option<&Route>,
        requested: Option<Requested>,
        response: &Response,
    ) -> Outbound {
        let caller = 1 - callee;
        let (of_callee, of_caller) = (&self.stand_ins[callee], &self.stand_ins[caller]);
        let body = match String::from_utf8(response.body.to_vec()) {
            Ok(text) => {
                let text = with_address(&text, &self.end(callee).base_url, of_callee.url());
                let text = with_address(&text, of_caller.url(), &self.end(caller).base_url);
                let is_exchange = matches!(route, Some(Route::Accept | Route::TrustBundle));
                Bytes::from(if is_exchange { self.with_own(callee, requested, text) } else { text })
            }
            Err(_) => response.body.clone(),
        };
        let headers = passed_on(&response.headers);
        Outbound { status: response.status, headers, body, ..Outbound::default() }
    }

    /// Returns the answer to an accept or to a request for the trust bundle with the relay's own authority and certificate.
    fn with_own(&self, callee: usize, requested: Option<Requested>, text: String) -> String {
        let Ok(mut answer) = serde_json::from_str::<Value>(&text) else { return text };
        let (of_callee, of_caller) = (&self.stand_ins[callee], &self.stand_ins[1 - callee]);
        let own = json!(of_callee.ca_bundle_pem());
        for place in ["/data/trust_exchange/ca_bundle_pem", "/data/ca_bundle_pem"] {
            if let Some(bundle) = answer.pointer_mut(place).filter(|bundle| bundle.is_string()) {
                of_caller.admit(place, bundle.as_str().unwrap_or_default());
                *bundle = own.clone();
            }
        }
        let certificate = answer.pointer_mut("/data/federation_certificate");
        if let (Some(certificate), Some(requested)) = (certificate, requested) {
            self.exchange_certificate(callee, certificate, requested);
        }
        answer.to_string()
    }

    /// Keeps the certificate that the platform signed for the relay, and signs one for the caller under the same name.
    fn exchange_certificate(&self, callee: usize, given: &mut Value, requested: Requested) {
        let (of_callee, of_caller) = (&self.stand_ins[callee], &self.stand_ins[1 - callee]);
        let text = |given: &Value, name: &str| given[name].as_str().unwrap_or_default().to_owned();
        let (signed, chain) = (text(given, "cert_pem"), text(given, "ca_chain_pem"));
        of_caller.admit("chain", &chain);
        let Ok(original) = Certificate::from_pem(&signed) else { return };
        let Ok(identity) = requested.in_its_place.into_identity(&signed, &chain) else { return };
        let name = original.common_name.clone().unwrap_or_default();
        let days = original.not_after.duration_since(original.not_before).as_secs() / 86_400;
        let days = u32::try_from(days).unwrap_or(super::stand_in::DAYS).max(1);
        let Ok(certificate) = of_callee.authority().sign_request(&requested.own, &name, days) else { return };
        of_callee.keep(identity);
        given["cert_pem"] = json!(certificate.pem());
        if given["ca_chain_pem"].is_string() {
            given["ca_chain_pem"] = json!(of_callee.ca_bundle_pem());
        }
        if given["serial"].as_str() == Some(&*original.serial) {
            given["serial"] = json!(certificate.serial);
        }
    }
}

/// Returns the headers that are passed on.
fn passed_on(headers: &[(String, String)]) -> Vec<(String, String)> {
    let is_passed = |name: &str| !OF_CONNECTION.iter().any(|other| name.eq_ignore_ascii_case(other));
    headers.iter().filter(|(name, _)| is_passed(name)).cloned().collect()
}

/// Returns the headers in which a proxy forwards the identity of a caller, if the platform is behind one.
fn forwarded(form: CallerForm, identity: &Identity) -> Vec<(String, String)> {
    let CallerForm::Forwarded(form) = form else { return vec![] };
    let certificate = identity.certificate();
    let name = certificate.common_name.clone().unwrap_or_default();
    let peer_id = name.strip_prefix("fed:").map(ToOwned::to_owned);
    (form.headers)(&ProxiedCaller { peer_id, certificate: Some((name, certificate.pem())) })
}

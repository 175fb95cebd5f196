//! The making of a call: the request with its deviations, and the connection on which it is sent.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::behaviour::{Sending, mutate};
use super::call::{Call, CallOutcome, OtherCertificate, StepContext};
use super::link::CERTIFICATE_DAYS;
use super::state::State;
use super::{Peer, PeerError};
use covenant_model::wire::generation::{CallerForm, ProxiedCaller};
use covenant_model::wire::header;
use covenant_model::wire::path::Route;
use covenant_net::net::{Client, ClientOptions, NetError, Pause, Request, Response};
use covenant_net::pki::{Authority, ClientTls, Identity, TlsOptions};

impl Peer {
    /// Returns whether the target sees the certificate of a caller. A proxy of an older form names the caller only.
    #[must_use]
    pub fn certificate_is_seen(&self) -> bool {
        let state = self.state();
        let caller = state.target.as_ref().map(|target| target.caller).unwrap_or_default();
        let CallerForm::Forwarded(form) = caller else { return true };
        let certificate = Some((String::new(), "seen".to_owned()));
        let headers = (form.headers)(&ProxiedCaller { peer_id: None, certificate });
        headers.iter().any(|(_, value)| value.contains("seen"))
    }

    /// Returns whether a proxy stands before the target and verifies the validity of the certificates that it forwards. The
    /// suite plays this proxy.
    #[must_use]
    pub fn is_forwarded(&self) -> bool {
        let caller = self.state().target.as_ref().map(|target| target.caller).unwrap_or_default();
        matches!(caller, CallerForm::Forwarded(_))
    }

    /// Returns whether another peer has the same certificate authority.
    #[must_use]
    pub fn shares_authority_with(&self, other: &Self) -> bool {
        self.0.authority.pem() == other.0.authority.pem()
    }

    /// Returns whether the peer can present a certificate in place of its own. The former one may be missing, or be the
    /// present one again.
    #[must_use]
    pub fn has_certificate(&self, other: OtherCertificate) -> bool {
        if other != OtherCertificate::Former {
            return true;
        }
        let state = self.state();
        let own = state.identity.as_ref().map(|own| own.certificate().pem());
        state.former_identity.as_ref().is_some_and(|former| Some(former.certificate().pem()) != own)
    }

    /// Sends a call to the target and records it. A failure on the target's side is recorded and is never an
    /// error here.
    pub async fn call(&self, context: &StepContext, call: Call) -> Result<CallOutcome, PeerError> {
        self.make(context, call, None).await
    }

    /// Sends a call as [`Peer::call`] does, with a pause in the middle of its body.
    pub async fn call_in_halves(
        &self,
        context: &StepContext,
        call: Call,
        pause: &Pause,
    ) -> Result<CallOutcome, PeerError> {
        self.make(context, call, Some(pause)).await
    }

    async fn make(
        &self,
        context: &StepContext,
        mut call: Call,
        pause: Option<&Pause>,
    ) -> Result<CallOutcome, PeerError> {
        let route = Route::parse(&call.method, &call.path);
        let before = route.as_ref().map_or(0, |route| self.count(route));
        let now = self.0.options.clock.now();
        let mut injected = route.as_ref().map_or_else(Vec::new, |route| self.overstepped(route, before));
        if let (Some(route), Some(body)) = (&route, &mut call.body) {
            if *route == Route::Migrations {
                self.complete_plan(body);
            }
            injected.extend(mutate(&self.behaviours(), body, |behaviour, body| {
                if let Some(hook) = behaviour.request {
                    hook(&Sending { route, before, now }, body);
                }
            }));
        }
        // A behaviour may both repeat a call and change it.
        let mut named = BTreeSet::new();
        injected.retain(|name| named.insert(name.clone()));
        let failed = |source| PeerError::Call { name: self.name().to_owned(), source };
        let other = self.other_identity(&call)?;
        let request = self.request(&call, other.as_ref());
        if let Some(other) = &other {
            let outcome = self.send_as(other, &request).await?;
            return Ok(self.record(context, request, outcome, injected));
        }
        let mut outcome = self.send(&call, &request, pause).await?;
        if matches!(outcome, Err(NetError::Handshake(_))) && self.offers_more_protocols() {
            outcome = self.send(&call, &request, pause).await?;
        }
        if let Err(error @ NetError::Request(_)) = outcome {
            return Err(failed(error));
        }
        Ok(self.record(context, request, outcome, injected))
    }

    /// Completes a plan, as observed platforms send it: with a summary, and with the account in each record. The
    /// destination has the record in an account of its own.
    fn complete_plan(&self, plan: &mut Value) {
        let Some(members) = plan.as_object_mut().filter(|members| members.contains_key("operation")) else {
            return;
        };
        members.entry("plan_summary").or_insert_with(|| json!({}));
        let steps = members.get_mut("steps").and_then(Value::as_array_mut);
        let payloads =
            steps.into_iter().flatten().filter_map(|step| step.get_mut("payload")?.as_object_mut());
        for payload in payloads {
            payload.entry("account_id").or_insert_with(|| json!(self.0.account_id));
        }
    }

    /// Closes the kept connections; the next call opens a new one.
    pub fn close_connections(&self) {
        let state = self.state();
        state.client.iter().chain(&state.anonymous_client).for_each(Client::forget_connections);
    }

    async fn send(
        &self,
        call: &Call,
        request: &Request,
        pause: Option<&Pause>,
    ) -> Result<Result<Response, NetError>, PeerError> {
        let client = self.client(call.without_certificate)?;
        if let Some(pace) = &self.0.options.pace {
            pace.wait().await;
        }
        let base_url = self.target()?.base_url;
        match pause {
            Some(pause) => Box::pin(self.send_in_halves(call, request, pause)).await,
            None => Ok(client.send(&base_url, request.clone()).await),
        }
    }

    async fn send_in_halves(
        &self,
        call: &Call,
        request: &Request,
        pause: &Pause,
    ) -> Result<Result<Response, NetError>, PeerError> {
        let base_url = self.target()?.base_url;
        let over_http1 = self.client_over_http1(call.without_certificate)?;
        let outcome = over_http1.send_in_halves(&base_url, request.clone(), pause).await;
        if !matches!(outcome, Err(NetError::Handshake(_))) {
            return Ok(outcome);
        }
        let client = self.client(call.without_certificate)?;
        Ok(client.send_in_halves(&base_url, request.clone(), pause).await)
    }

    /// Returns the identity that a call presents in place of the peer's own: with the peer's name at the target, and one
    /// that the target has to refuse.
    fn other_identity(&self, call: &Call) -> Result<Option<Identity>, PeerError> {
        let options = &self.0.options;
        let own = self.state().identity.as_ref().and_then(|own| own.certificate().common_name.clone());
        let name = own.unwrap_or_default();
        let issued = match (&call.issuer, call.certificate) {
            (Some(issuer), _) => issuer.0.authority.leaf(&name, &[], CERTIFICATE_DAYS),
            (None, Some(OtherCertificate::Ended)) => self.0.authority.ended_leaf(&name),
            (None, Some(OtherCertificate::Foreign)) => Authority::new("foreign", &options.clock)
                .and_then(|foreign| foreign.leaf(&name, &[], CERTIFICATE_DAYS)),
            (None, Some(OtherCertificate::Former)) => {
                let former = self.state().former_identity.clone().ok_or_else(|| PeerError::Call {
                    name: options.name.clone(),
                    source: NetError::Request("the peer had no certificate before".to_owned()),
                });
                return former.map(Some);
            }
            (None, None) => return Ok(None),
        };
        issued.map(Some).map_err(|source| PeerError::Keys { name: options.name.clone(), source })
    }

    /// Sends a request under another identity, on a connection of its own.
    async fn send_as(
        &self,
        identity: &Identity,
        request: &Request,
    ) -> Result<Result<Response, NetError>, PeerError> {
        let options = &self.0.options;
        let trust = self.state().target_trust.clone();
        let tls = ClientTls::new(Some(identity), trust, &options.clock, TlsOptions::default())
            .map_err(|source| PeerError::Keys { name: options.name.clone(), source })?;
        let client = Client::new(Some(tls), options.limits, ClientOptions::default());
        if let Some(pace) = &options.pace {
            pace.wait().await;
        }
        Ok(client.send(&self.target()?.base_url, request.clone()).await)
    }

    /// Makes a peer that offers HTTP/1.1 only offer both versions from now on. Returns whether this changed
    /// anything. A target that supports HTTP/2 only is valid.
    fn offers_more_protocols(&self) -> bool {
        let mut state = self.state();
        let more = self.0.options.permitted_choices.without_http2 && !state.offers_all_protocols;
        if more {
            state.offers_all_protocols = true;
            state.client = None;
            state.anonymous_client = None;
        }
        more
    }

    /// Returns the text of a body, in the form that the seed selects.
    pub(super) fn write(&self, body: &Value) -> Bytes {
        let nonce = {
            let mut state = self.state();
            state.bodies += 1;
            state.bodies
        };
        Bytes::from(self.0.options.permitted_choices.write(body, nonce))
    }

    /// Counts a call. Returns the number of earlier calls of its route.
    fn count(&self, route: &Route) -> u64 {
        let mut state = self.state();
        let calls = state.calls.entry(route.name()).or_default();
        *calls += 1;
        *calls - 1
    }

    /// Returns the names of the behaviours for which this call is a deviation.
    fn overstepped(&self, route: &Route, before: u64) -> Vec<String> {
        let behaviours = self.behaviours();
        let too_many =
            behaviours.iter().filter(|behaviour| behaviour.oversteps.is_some_and(|hook| hook(route, before)));
        too_many.map(|behaviour| behaviour.name.to_owned()).collect()
    }

    fn request(&self, call: &Call, other: Option<&Identity>) -> Request {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let id = self.id_at_target().unwrap_or_else(|| self.name().to_owned());
        headers.push(("user-agent".to_owned(), header::user_agent(&id)));
        if let Some(token) = &call.bearer_token {
            // A token with characters that no header can hold is sent without them. The target refuses it,
            // and the trace shows the refusal.
            let token: String = token.chars().filter(char::is_ascii_graphic).collect();
            headers.push((header::AUTHORIZATION.to_lowercase(), header::bearer(&token)));
        }
        let body = call.body.as_ref().map(|body| {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            self.write(body)
        });
        if !call.without_certificate {
            headers.extend(self.forwarded_identity(other));
        }
        headers.extend(call.headers.iter().cloned());
        let path_and_query = match &call.query {
            Some(query) => format!("{}?{query}", call.path),
            None => call.path.clone(),
        };
        Request { method: call.method.clone(), path_and_query, headers, body }
    }

    /// Returns the headers that a proxy sets for this peer, if the target takes its callers' identity from a
    /// proxy.
    fn forwarded_identity(&self, other: Option<&Identity>) -> Vec<(String, String)> {
        let state = self.state();
        let caller = state.target.as_ref().map(|target| target.caller).unwrap_or_default();
        let CallerForm::Forwarded(form) = caller else { return vec![] };
        let certificate = other.or(state.identity.as_ref()).map(|identity| {
            let certificate = identity.certificate();
            (certificate.common_name.clone().unwrap_or_default(), certificate.pem())
        });
        (form.headers)(&ProxiedCaller { peer_id: state.id_at_target.clone(), certificate })
    }

    fn client(&self, anonymous: bool) -> Result<Client, PeerError> {
        let mut state = self.state();
        let anonymous = anonymous || state.identity.is_none();
        let kept = if anonymous { &state.anonymous_client } else { &state.client };
        if let Some(client) = kept {
            return Ok(client.clone());
        }
        let options = &self.0.options;
        let form =
            if state.offers_all_protocols { TlsOptions::default() } else { options.permitted_choices.tls() };
        let client = self.new_client(&state, anonymous, form)?;
        if anonymous {
            state.anonymous_client = Some(client.clone());
        } else {
            state.client = Some(client.clone());
        }
        Ok(client)
    }

    /// Returns a client that offers HTTP/1.1 only. There a server that has read the head of a request can be seen to ask for
    /// its body (`100 Continue`); the client of HTTP/2 does not show it.
    fn client_over_http1(&self, anonymous: bool) -> Result<Client, PeerError> {
        let state = self.state();
        let form = TlsOptions { without_http2: true, ..TlsOptions::default() };
        self.new_client(&state, anonymous || state.identity.is_none(), form)
    }

    fn new_client(&self, state: &State, anonymous: bool, form: TlsOptions) -> Result<Client, PeerError> {
        let options = &self.0.options;
        let identity = if anonymous { None } else { state.identity.as_ref() };
        let tls = ClientTls::new(identity, state.target_trust.clone(), &options.clock, form)
            .map_err(|source| PeerError::Keys { name: options.name.clone(), source })?;
        Ok(Client::new(Some(tls), options.limits, options.permitted_choices.client()))
    }

    fn target(&self) -> Result<super::TargetAddress, PeerError> {
        self.state().target.clone().ok_or_else(|| PeerError::Call {
            name: self.name().to_owned(),
            source: NetError::Request("the peer has no target".to_owned()),
        })
    }
}

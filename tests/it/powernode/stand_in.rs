//! A stand-in of the REST surface in the shapes of the three generations, without a federation plane.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use covenant::net::{Handler, Inbound, Outbound};
use serde_json::{Value, json};

use super::PASSWORD;

/// The shape in which a generation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The grant's row holds the whole token as a preview, or nothing but its id.
    G1 { previews: bool },
    /// The row holds the token as a preview, signed.
    G2,
    /// The row holds the token at issuance alone; an absent allowlist is refused; the peer's status is gated.
    G3,
}

/// The stand-in.
pub(super) struct StandIn {
    shape: Shape,
    /// The number of calls for which an access token is valid.
    token_calls: u32,
    /// True if the log-in gives a refresh token, as a cookie.
    refreshes: bool,
    /// True if this account may approve.
    approves: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    log_ins: u32,
    refreshes: u32,
    token: String,
    calls_left: u32,
    /// The grants, with the peer of each.
    grants: BTreeMap<String, String>,
    suspended: bool,
    pending: bool,
    /// The paths that were called.
    called: Vec<String>,
}

impl StandIn {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, token_calls: u32::MAX, refreshes: false, approves: true, state: Mutex::default() }
    }

    pub(super) fn with_tokens_for(self, token_calls: u32, refreshes: bool) -> Self {
        Self { token_calls, refreshes, ..self }
    }

    pub(super) fn without_approvals(self) -> Self {
        Self { approves: false, ..self }
    }

    pub(super) fn log_ins(&self) -> u32 {
        self.state().log_ins
    }

    pub(super) fn refreshes(&self) -> u32 {
        self.state().refreshes
    }

    pub(super) fn called(&self, path: &str) -> bool {
        self.state().called.iter().any(|called| called == path)
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.state().suspended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_token(&self) -> String {
        let mut state = self.state();
        state.token = format!("jwt-{}-{}", state.log_ins, state.refreshes);
        state.calls_left = self.token_calls;
        state.token.clone()
    }

    fn log_in(&self, body: &Value) -> Outbound {
        self.state().log_ins += 1;
        if self.state().log_ins > 5 {
            let mut answer = Outbound::json(429, &json!({"error": "too many"}));
            answer.headers.push(("retry-after".to_owned(), "1800".to_owned()));
            return answer;
        }
        if body["password"] != PASSWORD {
            return refused(401, "Invalid email or password");
        }
        let mut answer = success(200, &json!({"access_token": self.new_token()}));
        if self.refreshes {
            let cookie = "refresh_token=r-1; path=/; HttpOnly; SameSite=Strict";
            answer.headers.push(("set-cookie".to_owned(), cookie.to_owned()));
        }
        answer
    }

    fn refresh(&self, request: &Inbound) -> Outbound {
        if request.header("cookie") != Some("refresh_token=r-1") {
            return refused(401, "Invalid or expired refresh token");
        }
        self.state().refreshes += 1;
        let mut answer = success(200, &json!({"access_token": self.new_token()}));
        answer.headers.push(("set-cookie".to_owned(), "refresh_token=r-1; path=/".to_owned()));
        answer
    }

    fn is_authenticated(&self, request: &Inbound) -> bool {
        let mut state = self.state();
        let is_current = request.header("authorization") == Some(&format!("Bearer {}", state.token));
        if !is_current || state.calls_left == 0 {
            return false;
        }
        state.calls_left -= 1;
        true
    }

    fn issue(&self, peer: &str, body: &Value) -> Outbound {
        let axes = ["node_instance_ids", "sdwan_network_ids", "source_cidrs"];
        let is_starred = axes.iter().all(|axis| body[*axis] == json!(["*"]));
        let is_blank = axes.iter().all(|axis| body[*axis].is_null());
        if self.shape == Shape::G3 && !is_starred {
            return refused(422, "Grant creation failed: Node instance ids can't be blank");
        }
        if self.shape != Shape::G3 && !is_blank {
            return refused(500, "IPAddr::InvalidAddressError: *");
        }
        let id = format!("01a2075f-bf10-732f-90d5-{:012}", self.state().grants.len());
        self.state().grants.insert(id.clone(), peer.to_owned());
        let mut row = json!({"id": id, "expires_at": "2100-01-01T00:00:00Z"});
        match self.shape {
            Shape::G1 { previews: true } => row["bearer_token_preview"] = json!(format!("fg-{id}")),
            Shape::G1 { previews: false } => {}
            Shape::G2 => row["bearer_token_preview"] = json!(format!("fgs.{id}.5f2c")),
            Shape::G3 => row["bearer_token"] = json!(format!("fgs.{id}.5f2c")),
        }
        success(201, &json!({"grant": row}))
    }

    fn suspend(&self) -> Outbound {
        if self.shape != Shape::G3 {
            self.state().suspended = true;
            return success(200, &json!({}));
        }
        self.state().pending = true;
        let pending = json!({"pending": true, "approval_request_id": "a-1"});
        success(202, &pending)
    }

    fn approve(&self) -> Outbound {
        if !self.approves {
            return refused(403, "Forbidden");
        }
        let mut state = self.state();
        state.suspended = std::mem::take(&mut state.pending);
        success(200, &json!({"status": "approved"}))
    }

    fn respond(&self, request: &Inbound, body: &Value) -> Outbound {
        let path = request.path.trim_start_matches("/api/v1");
        self.state().called.push(path.to_owned());
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["system", "platform", "peers", id]) => {
                let status = if self.is_suspended() { "suspended" } else { "active" };
                success(200, &json!({"peer": {"id": id, "status": status}}))
            }
            ("POST", ["system", "platform", "peers", id, "grants"]) => self.issue(id, body),
            ("GET", ["system", "sdwan", "federation_peers", id]) => {
                success(200, &json!({"federation_peer": {"id": id, "data_residency": "eu"}}))
            }
            ("POST", ["system", "platform", "peers", id, "grants", grant, "revoke"]) => {
                match self.state().grants.get(*grant) {
                    Some(peer) if peer == id => success(200, &json!({})),
                    _ => refused(404, "Grant not found"),
                }
            }
            ("PATCH", ["system", "sdwan", "federation_peers", _]) => self.suspend(),
            ("POST", ["ai", "autonomy", "approvals", "a-1", "approve"]) => self.approve(),
            ("POST", ["system", "fleet", "signals"]) if self.shape == Shape::G3 => {
                success(200, &json!({"events": [{"id": "e-1", "kind": "federation.peer.heartbeat"}]}))
            }
            ("GET", ["system", "federation", "peers", "answers", "catalog"]) => success(200, &json!({})),
            ("GET", ["system", "federation", "peers", "refuses", "catalog"]) => refused(502, "401"),
            ("GET", ["system", "federation", "peers", "silent", "catalog"]) => {
                refused(503, "Could not reach peer")
            }
            _ => Outbound::json(404, &json!({"status": 404, "error": "Not Found"})),
        }
    }
}

#[async_trait]
impl Handler for StandIn {
    async fn handle(&self, request: Inbound) -> Outbound {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        match request.path.as_str() {
            "/api/v1/auth/login" => self.log_in(&body),
            "/api/v1/auth/refresh" => self.refresh(&request),
            _ if !self.is_authenticated(&request) => refused(401, "Token expired"),
            _ => self.respond(&request, &body),
        }
    }
}

fn success(status: u16, data: &Value) -> Outbound {
    Outbound::json(status, &json!({"success": true, "data": data}))
}

fn refused(status: u16, error: &str) -> Outbound {
    Outbound::json(status, &json!({"success": false, "error": error}))
}

/// Serves a stand-in and returns it.
pub(super) async fn served(stand_in: StandIn) -> (Arc<StandIn>, covenant::net::Server, url::Url) {
    let stand_in = Arc::new(stand_in);
    let (server, url) = super::serve(stand_in.clone()).await;
    (stand_in, server, url)
}

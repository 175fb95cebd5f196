//! Plan of an audit, read from the scenario that it plays: `covenant audit --dry-run`.

use std::time::Duration;

use serde::Serialize;
use toml::Spanned;

use super::scenario;
use super::watch::scenario as watch_scenario;
use crate::doctor::{DETECTION, PROBES, Probe};
use crate::runner::RunError;
use crate::scenario::format::{AnyCall, Step};
use crate::scenario::{Loaded, Scenario};
use crate::wire::path::Route;

/// The rows of the target's lists that each route adds to.
const LEAVES: &[(&str, &str)] = &[
    (
        "accept",
        "a peering: one peer, with its address, certificate and disclosures; it stays listed as revoked once the audit has left, until \
         its operator removes it",
    ),
    (
        "heartbeat",
        "the times, the endpoints and the disclosures of the peer's heartbeats, in the row of the peer",
    ),
    (
        "audit_excerpts",
        "a request for an audit excerpt, which its operator may have to answer within 72 hours",
    ),
];
/// Effects that no call of an audit has.
const LEAVES_NONE: &str = "no grant, no record, no migration, no subscription: no call makes one";
/// Addition of a misbehaviour.
const LEAVES_ALARMS: &str = "findings or alarms about the peer; a session or a replication, if the target grants what the contract leaves out";
/// Addition of each call.
const LEAVES_LOG: &str = "entries of its log and of its audit, one for each call";

/// Subject of a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DryRunOf {
    /// The audit of an anonymous client.
    AnonymousClient,
    /// An audit as a peer.
    Peer {
        /// True if the peer misbehaves too.
        intrusive: bool,
    },
    /// A watch.
    Watch {
        /// How long it lasts.
        lasts: Duration,
        /// The time between two heartbeats.
        every: Duration,
        /// True if it reads under a grant.
        has_grant: bool,
    },
}

/// The settings of an audit that a dry run shows.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Subject of the audit.
    pub of: DryRunOf,
    /// The calls that it makes in one minute, at most.
    pub rate: u64,
    /// How long it waits for a heartbeat of the target.
    pub poll_timeout: Duration,
    /// True if it finds out first how callers identify themselves behind plain HTTP.
    pub detects_caller: bool,
}

/// How a caller shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// No certificate and no token.
    AnonymousClient,
    /// No certificate, and the acceptance token.
    TokenHolder,
    /// The certificate of the peering.
    Peer,
    /// The certificate of the peering, and the token of a grant.
    GrantHolder,
}

impl Caller {
    /// Returns the caller in words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::AnonymousClient => "anonymous client",
            Self::TokenHolder => "holder of the acceptance token",
            Self::Peer => "peer, by its certificate",
            Self::GrantHolder => "peer, with the token of the grant",
        }
    }
}

/// A call that an audit would make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedCall {
    /// The label of its entries in the transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The method.
    pub method: String,
    /// The path, with the prefix of the federation plane.
    pub path: String,
    /// The caller.
    pub caller: Caller,
    /// How often it is made.
    pub times: String,
    /// Requests that it sends, and the reason for each.
    pub about: String,
    /// True if a conforming peer makes no such call.
    pub misbehaves: bool,
    /// The clauses that it is evidence of.
    pub shows: Vec<String>,
}

/// A call of the target that an audit would wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedWait {
    /// The method.
    pub method: &'static str,
    /// The path, with the prefix of the federation plane.
    pub path: String,
    /// The longest wait, in seconds.
    pub seconds_at_most: u64,
}

/// Plan of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DryRun {
    /// The calls, in order.
    pub calls: Vec<PlannedCall>,
    /// The calls of the target that it waits for.
    pub waits: Vec<PlannedWait>,
    /// The calls in one minute, at most; `None` for an anonymous client, which makes all of them at once.
    pub calls_per_minute_at_most: Option<u64>,
    /// The methods of the target's operator plane that it calls. It has no operator client.
    pub operator_methods: Vec<&'static str>,
    /// True if it spends the acceptance token.
    pub spends_token: bool,
    /// Remains that it would leave at the target.
    pub leaves_behind: Vec<String>,
    /// True for a watch, which makes its calls again and again.
    #[serde(skip)]
    repeats: bool,
}

impl DryRun {
    /// Returns what an audit would do. It is read from the scenario that the audit plays.
    pub fn of(asked: &Asked) -> Result<Self, RunError> {
        let mut calls = Vec::new();
        if asked.detects_caller {
            calls.push(of_probe(&DETECTION));
        }
        let mut waits = Vec::new();
        let is_peer = match &asked.of {
            DryRunOf::AnonymousClient => {
                calls.extend(PROBES.iter().map(of_probe));
                false
            }
            DryRunOf::Peer { intrusive } => {
                let loaded = scenario(*intrusive)?;
                calls.extend(calls_of(&loaded.scenario));
                waits = waits_of(&loaded, asked.poll_timeout);
                true
            }
            DryRunOf::Watch { lasts, every, has_grant } => {
                let loaded = watch_scenario(*has_grant).map_err(|error| RunError::Library(error.into()))?;
                calls.extend(calls_of(&loaded.scenario));
                over_time(&mut calls, *lasts, *every);
                true
            }
        };
        let leaves_behind = leaves(&calls);
        Ok(Self {
            calls,
            waits,
            calls_per_minute_at_most: is_peer.then_some(asked.rate),
            operator_methods: vec![],
            spends_token: is_peer,
            leaves_behind,
            repeats: matches!(asked.of, DryRunOf::Watch { .. }),
        })
    }

    /// Returns the shortest time that the calls take at the rate, without waits; `None` for a watch and an anonymous
    /// client.
    #[must_use]
    pub fn shortest(&self) -> Option<Duration> {
        let rate = self.calls_per_minute_at_most.filter(|_| !self.repeats)?;
        let pauses = u32::try_from(self.calls.len().saturating_sub(1)).ok()?;
        Some(Duration::from_mins(1) / u32::try_from(rate).ok()? * pauses)
    }
}

fn of_probe(probe: &Probe) -> PlannedCall {
    PlannedCall {
        label: None,
        method: probe.method.to_owned(),
        path: probe.path(),
        caller: Caller::AnonymousClient,
        times: "once".to_owned(),
        about: probe.about.to_owned(),
        misbehaves: false,
        shows: vec![],
    }
}

/// Returns the calls of a scenario's steps.
fn calls_of(scenario: &Scenario) -> Vec<PlannedCall> {
    let mut has_left = false;
    let mut calls = Vec::new();
    for step in scenario.steps.iter().map(Spanned::get_ref) {
        let Some((route, caller, about, misbehaves)) = of_step(step, has_left) else { continue };
        has_left |= matches!(step, Step::Revoke(_));
        let label = step.label().map(ToOwned::to_owned);
        let shows = label.as_deref().map_or_else(Vec::new, |label| shown_by(scenario, label));
        let (method, path) = route;
        calls.push(PlannedCall {
            label,
            method,
            path,
            caller,
            times: "once".to_owned(),
            about: about.to_owned(),
            misbehaves,
            shows,
        });
    }
    calls
}

/// Returns the call of a step: its route, its caller, what it sends, and whether it misbehaves. `None` for a step that
/// calls nothing.
fn of_step(step: &Step, has_left: bool) -> Option<((String, String), Caller, &'static str, bool)> {
    let of = |route: &Route| (route.method().to_owned(), route.path());
    Some(match step {
        Step::Accept(_) => {
            let about = "the handshake: the token, a certificate or the request for one, address and disclosures of the peer";
            (of(&Route::Accept), Caller::TokenHolder, about, false)
        }
        Step::Heartbeat(_) if has_left => {
            let about = "a heartbeat after the peer left, which the target refuses";
            (of(&Route::Heartbeat), Caller::Peer, about, false)
        }
        Step::Heartbeat(_) => {
            let about = "a heartbeat: status, address and disclosures of the peer";
            (of(&Route::Heartbeat), Caller::Peer, about, false)
        }
        Step::Excerpt(_) => {
            (of(&Route::AuditExcerpts), Caller::Peer, "asks for the peer's audit excerpt", false)
        }
        Step::Revoke(_) => {
            let about = "a heartbeat with the notice that the peer leaves";
            (of(&Route::Heartbeat), Caller::Peer, about, false)
        }
        Step::Fetch(_) => {
            // The grant names the record, and may come later.
            let route = Route::Resource { kind: "KIND".to_owned(), id: "ID".to_owned() };
            (of(&route), Caller::GrantHolder, "reads the record that the grant is for", false)
        }
        Step::Call(call) => return Some(of_any_call(call)),
        _ => return None,
    })
}

fn of_any_call(call: &AnyCall) -> ((String, String), Caller, &'static str, bool) {
    let route = Route::parse(&call.method, &call.path);
    let presents_another = call.certificate.is_some() || call.issuer.is_some();
    let misbehaves = call.without_certificate || presents_another || route.is_none();
    let has_token = call.body.as_ref().is_some_and(|body| body.get("acceptance_token").is_some());
    let caller = match (call.without_certificate, has_token) {
        (true, true) => Caller::TokenHolder,
        (true, false) => Caller::AnonymousClient,
        (false, _) => Caller::Peer,
    };
    let about = match (&route, caller) {
        (Some(Route::TrustBundle), _) => "reads the trust bundle",
        (Some(Route::ServiceCatalog), _) => "reads the service catalogue",
        (_, Caller::TokenHolder) => {
            "a second handshake with the token that is spent, which the target refuses"
        }
        (_, Caller::AnonymousClient) => "the same without a certificate, which the target refuses",
        _ => "asks for what the contract leaves out, which the target refuses",
    };
    ((call.method.clone(), call.path.clone()), caller, about, misbehaves)
}

/// Returns the clauses whose checks name a label.
fn shown_by(scenario: &Scenario, label: &str) -> Vec<String> {
    let checks = scenario.checks.iter().map(Spanned::get_ref);
    let named = checks.filter(|check| check.with.values().any(|value| value == label));
    named.map(|check| format!("{} {}", check.clause, check.aspect)).collect()
}

fn waits_of(loaded: &Loaded, poll_timeout: Duration) -> Vec<PlannedWait> {
    let waits = loaded.scenario.steps.iter().filter(|step| matches!(step.get_ref(), Step::Wait(_)));
    let route = Route::Heartbeat;
    waits
        .map(|_| PlannedWait {
            method: route.method(),
            path: route.path(),
            seconds_at_most: poll_timeout.as_secs(),
        })
        .collect()
}

/// Says how often a watch makes each call. It reads under its grant before it leaves.
fn over_time(calls: &mut [PlannedCall], lasts: Duration, every: Duration) {
    calls.sort_by_key(|call| matches!(call.label.as_deref(), Some("left" | "late")));
    for call in calls {
        let times = match call.label.as_deref() {
            Some("beat") => {
                let count = lasts.as_secs() / every.as_secs().max(1) + 1;
                format!("every {} s, {count} times at most", every.as_secs())
            }
            Some("asked") => {
                "once, and if it was promised each hour until it is there, or 72 hours are over".to_owned()
            }
            Some("read") => "each hour, and each second around the end of the grant".to_owned(),
            _ => continue,
        };
        call.times = times;
    }
}

/// Returns what calls leave at the target.
fn leaves(calls: &[PlannedCall]) -> Vec<String> {
    let is_called = |name: &str| {
        let mut routes = calls.iter().filter_map(|call| {
            let is_refused = call.caller == Caller::AnonymousClient;
            Route::parse(&call.method, &call.path).filter(|_| !is_refused)
        });
        routes.any(|route| route.name() == name)
    };
    let by_route = LEAVES.iter().filter(|(route, _)| is_called(route)).map(|(_, left)| (*left).to_owned());
    let mut leaves: Vec<String> = by_route.collect();
    if calls.iter().any(|call| call.misbehaves) {
        leaves.push(LEAVES_ALARMS.to_owned());
    }
    leaves.push(LEAVES_LOG.to_owned());
    leaves.push(LEAVES_NONE.to_owned());
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dry_run(of: DryRunOf) -> DryRun {
        let poll_timeout = Duration::from_secs(75);
        DryRun::of(&Asked { of, rate: 30, poll_timeout, detects_caller: false }).expect("a dry run")
    }

    #[test]
    fn each_step_of_an_audit_that_calls_is_in_its_dry_run() {
        let audits = [false, true].map(|intrusive| scenario(intrusive).expect("a scenario"));
        for loaded in audits.into_iter().chain([watch_scenario(true).expect("a scenario")]) {
            for step in loaded.scenario.steps.iter().map(Spanned::get_ref) {
                let calls_nothing =
                    matches!(step, Step::Propose(_) | Step::Expect(_) | Step::Wait(_) | Step::Operator(_));
                assert_ne!(of_step(step, false).is_none(), !calls_nothing, "{}: {step:?}", loaded.id);
            }
        }
    }

    #[test]
    fn only_an_intrusive_audit_misbehaves() {
        let conforming = dry_run(DryRunOf::Peer { intrusive: false });
        assert!(conforming.spends_token && !conforming.calls.iter().any(|call| call.misbehaves));
        assert_eq!(conforming.shortest(), Some(Duration::from_secs(2 * (conforming.calls.len() as u64 - 1))));
        let intrusive = dry_run(DryRunOf::Peer { intrusive: true });
        let labels: Vec<_> =
            intrusive.calls.iter().filter(|call| call.misbehaves).map(|call| call.label.as_deref()).collect();
        assert_eq!(labels, [Some("used-token"), Some("anonymous"), Some("beyond"), Some("beyond")]);
        assert!(intrusive.leaves_behind.iter().any(|left| left.contains("alarms")));
        let watch =
            DryRunOf::Watch { lasts: Duration::from_mins(5), every: Duration::from_mins(1), has_grant: true };
        let watch = dry_run(watch);
        assert!(!watch.calls.iter().any(|call| call.misbehaves), "{watch:?}");
        assert_eq!(watch.shortest(), None, "its calls are made again and again");
        assert!(watch.calls.iter().any(|call| call.times == "every 60 s, 6 times at most"), "{watch:?}");
        let places = ["read", "left", "late"]
            .map(|label| watch.calls.iter().position(|call| call.label.as_deref() == Some(label)));
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{watch:?}");
    }

    #[test]
    fn an_anonymous_client_leaves_no_peering() {
        let dry = dry_run(DryRunOf::AnonymousClient);
        assert!(!dry.spends_token && dry.calls_per_minute_at_most.is_none());
        assert!(!dry.leaves_behind.iter().any(|left| left.contains("a peering")), "{dry:?}");
    }
}

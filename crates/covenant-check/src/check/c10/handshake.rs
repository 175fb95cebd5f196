//! The handshake of two platforms, in which each reports its version.

use semver::Version;
use serde_json::Value;

use super::service::{is_like, shortfall};
use crate::check::arguments::Labels;
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::path::Route;

/// The reason for which a check ends without a handshake.
pub(super) const NO_HANDSHAKE: &str = "the two did not federate, or did not exchange versions";

/// Two platforms that exchanged their versions.
pub(super) struct Handshake {
    /// The number of the entry.
    pub n: u64,
    /// Both versions, for the texts of results.
    pub versions: String,
    /// `true` if the versions are compatible.
    pub is_compatible: bool,
    /// The refusal, in words, if the target refused the peer.
    pub refusal: Option<String>,
    /// The release that the target runs.
    local: String,
}

impl Handshake {
    /// Returns the handshake in a peer's call: its accept, or a later heartbeat. `controls` are calls of
    /// other peers.
    pub(super) fn of_call(trace: &Trace, label: &str, controls: Option<&Labels>) -> Result<Self, Stop> {
        let call = calls(trace).labelled(label).first_or(NO_HANDSHAKE)?;
        Self::read(trace, &call, controls).or_unproven(NO_HANDSHAKE)
    }

    fn read(trace: &Trace, accept: &Call<'_>, controls: Option<&Labels>) -> Option<Self> {
        let exchange = accept.exchange;
        let remote = version_in(exchange.sent()?)?;
        if exchange.was_put_off() {
            return None;
        }
        let is_admitted = is_admitted(trace, exchange);
        let refusal = if exchange.was_refused() {
            Some(accept.summary())
        } else if let Some(other) = like_peer_admitted(trace, exchange, controls).filter(|_| !is_admitted) {
            let status = status(exchange).unwrap_or_else(|| "no status".to_owned());
            let call = accept.summary();
            Some(format!("{call}, with {status}; {other} was enrolled"))
        } else {
            None
        };
        let local = match refusal {
            // A target that refuses one peer may have reported its release to another.
            Some(_) => trace.release()?.to_string(),
            // A release that the target reports in its heartbeats only counts.
            None => local_release(trace, exchange)?,
        };
        // A peer that is not admitted has no heartbeat to keep. A version of the target that is not well-formed
        // is reported by commitment 1.
        if Version::parse(&local).is_err() || !(is_admitted || refusal.is_some()) {
            return None;
        }
        Some(Self::of_versions(accept.n(), local, remote, refusal))
    }

    /// Returns the handshake in which the target called accept at a peer.
    pub(super) fn of_join(trace: &Trace, peer: &str) -> Option<Self> {
        let accept = calls(trace).of(peer).made_by_target().on(Route::Accept).accepted().next()?;
        let answer = accept.exchange.data()?;
        let remote = version_in(&answer)?;
        let local = local_release(trace, accept.exchange)?;
        Some(Self::of_versions(accept.n(), local, remote, None))
    }

    /// Returns the handshake in a peer's call, if the target admitted the peer and the versions are not
    /// compatible. Otherwise the check is unproven.
    pub(super) fn of_incompatible(
        trace: &Trace,
        label: &str,
        controls: Option<&Labels>,
    ) -> Result<Self, Stop> {
        let handshake = Self::of_call(trace, label, controls)?;
        match &handshake.refusal {
            _ if handshake.is_compatible => Err(handshake.unproven("are compatible")),
            Some(refusal) => Err(handshake.unproven(refusal)),
            None => Ok(handshake),
        }
    }

    fn of_versions(n: u64, local: String, remote: &str, refusal: Option<String>) -> Self {
        let is_compatible = is_compatible(&local, remote);
        Self { n, versions: format!("{local} and {remote}"), is_compatible, refusal, local }
    }

    /// Returns the stop `unproven`, for this reason.
    pub(super) fn unproven(&self, reason: &str) -> Stop {
        Stop::unproven(format!("{} {reason}", self.versions), [self.n])
    }

    /// Returns whether a peer reported a version that is not compatible with the target's either.
    pub(super) fn is_incompatible_with(&self, trace: &Trace, peer: &str) -> bool {
        version_reported_by(trace, peer).is_some_and(|remote| !is_compatible(&self.local, remote))
    }

    /// Evaluates whether every call with these labels has its effect. A shortfall that a compatible peer has
    /// too, in a like call among the controls, is not due to the version.
    pub(super) fn all_served(&self, trace: &Trace, labels: &[&str], controls: Option<&Labels>) -> Outcome {
        let made: Vec<Call<'_>> = labels.iter().flat_map(|label| calls(trace).labelled(label)).collect();
        let failed = made.iter().find_map(|call| Some((call, shortfall(trace, call)?)));
        if let Some((call, reason)) = failed {
            let evidence = [self.n, call.n()];
            let actual = format!("{}: {reason}", self.versions);
            let mut like = self
                .compatible_controls(trace, controls)
                .filter(|control| is_like(control.exchange, call.exchange));
            if like.any(|control| shortfall(trace, &control).is_some()) {
                let actual = format!("{actual}; a peer of another version has the same result");
                return Err(Stop::unproven(actual, evidence));
            }
            if call.exchange.was_put_off() {
                return Err(Stop::unproven(actual, evidence));
            }
            return Err(Stop::broken(actual, evidence));
        }
        let evidence = [self.n].into_iter().chain(made.iter().map(Call::n));
        if let Some(open) = made.iter().find(|call| call_outcome(call.exchange) == CallOutcome::Open) {
            return Err(self.unproven(&format!("exchanged a plan whose end is to come: {}", open.summary())));
        }
        let is_made = |label: &&str| calls(trace).labelled(label).next().is_some();
        if !labels.iter().all(is_made) || !made.iter().all(|call| call.exchange.can_be_read()) {
            let actual = format!("{}: a call was not made, or its answer can't be read", self.versions);
            return Err(Stop::unproven(actual, evidence));
        }
        Ok(Pass::new(format!("{}: {} calls accepted", self.versions, made.len()), evidence))
    }

    /// Returns the calls of the peers that the target has to work with, by the versions in their accepts.
    pub(super) fn compatible_controls<'a>(
        &'a self,
        trace: &'a Trace,
        controls: Option<&'a Labels>,
    ) -> impl Iterator<Item = Call<'a>> {
        let controls = controls.into_iter().flat_map(|labels| labelled_calls(trace, labels));
        controls.filter(|control| {
            version_reported_by(trace, &control.exchange.peer)
                .is_none_or(|remote| is_compatible(&self.local, remote))
        })
    }
}

/// Returns the release that the target reports in its part of a handshake, or elsewhere.
fn local_release(trace: &Trace, exchange: &Exchange) -> Option<String> {
    exchange.release_reported().or_else(|| trace.release().map(|release| release.to_string()))
}

/// Returns the release that a peer reported in its accept.
fn version_reported_by<'a>(trace: &'a Trace, peer: &'a str) -> Option<&'a str> {
    let mut accepts = calls(trace).of(peer).made_by_peer().on(Route::Accept);
    accepts.find_map(|call| version_in(call.exchange.sent()?))
}

pub(in crate::check) fn version_in(body: &Value) -> Option<&str> {
    body["platform_version"].as_str().or(body["metadata"]["platform_version"].as_str())
}

/// Returns whether the peer of an accept was admitted, by it or by a later heartbeat: a platform may enrol at
/// either.
fn is_admitted(trace: &Trace, accept: &Exchange) -> bool {
    let admits = |exchange: &Exchange| matches!(status(exchange).as_deref(), Some("enrolled" | "active"));
    let mut heartbeats = calls(trace).of(&accept.peer).made_by_peer().on(Route::Heartbeat);
    admits(accept) || heartbeats.any(|call| admits(call.exchange))
}

fn status(accept: &Exchange) -> Option<String> {
    accept.data()?["status"].as_str().map(ToOwned::to_owned)
}

/// Returns another peer, in words, which asked for its certificate in the same way and was admitted: a peer of
/// the target's own release, if the release that it reports is that one.
fn like_peer_admitted(trace: &Trace, accept: &Exchange, controls: Option<&Labels>) -> Option<String> {
    let asks = |accept: &Exchange| accept.sent().map(|sent| sent["csr_pem"].is_string());
    let controls = controls.into_iter().flat_map(|labels| labelled_calls(trace, labels));
    let mut accepts = controls.filter(|control| control.route() == Some(Route::Accept));
    let control = accepts
        .find(|control| is_admitted(trace, control.exchange) && asks(control.exchange) == asks(accept))?;
    let release = control.exchange.sent().and_then(version_in);
    let own = trace.release().map(|release| release.to_string());
    Some(match release {
        Some(release) if own.as_deref() != Some(release) => format!("a peer of release {release}"),
        _ => "a peer of the target's own release".to_owned(),
    })
}

/// Returns whether two versions are compatible: the same major version, and a minor version at most one
/// apart. Patch, pre-release and build do not count.
pub(in crate::check) fn is_compatible(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => local.major == remote.major && local.minor.abs_diff(remote.minor) <= 1,
        _ => false,
    }
}

//! Commitment 10: backwards compatibility.

mod retirement;

use std::collections::BTreeSet;

use semver::Version;
use serde_json::Value;

use super::CheckResult;
use super::common::{finding_raised, findings, new_findings, peer_id, reply_summary};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::path::Route;

const MEETING: &[LegacyParameter] = &[
    LegacyParameter::required("first", "label of the accept, in which both sides say their versions"),
    LegacyParameter::required("call", "label, or labels, of the peer's work: its sync and the like"),
    LegacyParameter::required("probe", "label of its heartbeats"),
    LegacyParameter::optional(
        "control",
        "labels of the same work, or of the accept, of a peer whose version goes with the target's",
    ),
];

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "compatible-versions-federate",
        about: "two versions that go together, by the model, federate and sync",
        parameters: MEETING,
        evaluate: versions_go_together,
    },
    LegacyCheck {
        name: "incompatible-versions-do-not-sync",
        about: "of two versions that do not go together the sync is frozen, and the heartbeat alive",
        parameters: MEETING,
        evaluate: versions_keep_apart,
    },
    LegacyCheck {
        name: "compatible-versions-are-joined",
        about: "a peer whose version goes with the target's is joined, and works with it",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that proposed"),
            LegacyParameter::required("join", "label of the target's join"),
            LegacyParameter::required("call", "labels of the peer's work afterwards"),
            LegacyParameter::required("probe", "label of its heartbeats"),
            LegacyParameter::required("like", "label of the join of a peer of the target's own release"),
            LegacyParameter::optional("control", "labels of the same work of that peer"),
        ],
        evaluate: neighbours_are_joined,
    },
    LegacyCheck {
        name: "no-sync-to-incompatible-version",
        about: "a peer whose version does not go with the target's is sent no sync, and another peer is",
        parameters: &[
            LegacyParameter::required("first", "label of the accept, in which both sides say their versions"),
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required(
                "conforming",
                "the name of a peer whose version goes with the target's",
            ),
        ],
        evaluate: no_sync_is_sent,
    },
    LegacyCheck {
        name: "drift-is-reported",
        about: "a finding is raised about a peer whose version does not go with the target's",
        parameters: &[
            LegacyParameter::required("first", "label of the accept, in which both sides say their versions"),
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required("before", "label of the scan before the two met"),
            LegacyParameter::required("after", "label of the scan after it"),
            LegacyParameter::optional(
                "conforming",
                "the name of a peer whose version goes with the target's",
            ),
        ],
        evaluate: drift_is_reported,
    },
    LegacyCheck {
        name: "short-notice-is-reported",
        about: "a finding about a peer that broke too soon after its notice, of a kind that was not raised about one that waited",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that broke too soon after its notice"),
            LegacyParameter::required(
                "waited",
                "the name of a peer that broke when its notice was old enough",
            ),
            LegacyParameter::required("silent", "the name of a peer that broke with no notice at all"),
            LegacyParameter::required("moved", "label of the heartbeats in which they broke"),
            LegacyParameter::required("before", "label of the scan before they broke"),
            LegacyParameter::required("after", "label of the scan after it"),
        ],
        evaluate: short_notice_is_noticed,
    },
    LegacyCheck {
        name: "deprecation-announced",
        about: "the end of a release is announced to a partner, with its date",
        parameters: &[
            LegacyParameter::required("peer", "the partner's name"),
            LegacyParameter::required("start", "label of the operator's release.deprecate"),
        ],
        evaluate: retirement::deprecation_announced,
    },
    LegacyCheck {
        name: "major-break-follows-30-day-notice",
        about: "a partner of the major version before is served until 30 days after it was told of the end",
        parameters: &[
            LegacyParameter::required("peer", "the partner's name"),
            LegacyParameter::required("call", "labels of its calls, before the end and after it"),
        ],
        evaluate: retirement::break_waits_for_its_notice,
    },
];

fn versions_go_together(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting("every call accepted, the sync and the heartbeat too");
    let Some(meeting) = Meeting::read(trace, with) else {
        return expect(CheckResult::unproven(
            "the two did not set_target, or did not say their versions",
            vec![],
        ));
    };
    if !meeting.go_together {
        return expect(meeting.says_nothing("do not go together"));
    }
    if let Some(refusal) = &meeting.refusal {
        return expect(CheckResult::broken(format!("{}: {refusal}", meeting.names), vec![meeting.n]));
    }
    meeting.accepted(trace, with, &[with.texts("call"), with.texts("probe")].concat(), expect)
}

fn versions_keep_apart(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("the sync refused, the heartbeats accepted");
    let meeting = match Meeting::of_anonymous_clients(trace, with) {
        Ok(meeting) => meeting,
        Err(unproven) => return expect(unproven),
    };
    if let Some((n, control)) = meeting.neighbours(trace, with).find(|(_, control)| !control.succeeded()) {
        let actual = format!("a conforming peer fares no better: {}", reply_summary(control));
        return expect(CheckResult::unproven(actual, vec![meeting.n, n]));
    }
    let labels = with.texts("call");
    let mut synced = labels.iter().flat_map(|label| trace.exchanges_labelled(label));
    match synced.next() {
        Some((n, exchange)) if took_nothing(exchange) => {
            let actual =
                format!("{}, and the sync was answered with success, and nothing taken", meeting.names);
            expect(CheckResult::unproven(actual, vec![meeting.n, n]))
        }
        Some((n, exchange)) if exchange.succeeded() => expect(CheckResult::broken(
            format!("{}, and the sync was taken", meeting.names),
            vec![meeting.n, n],
        )),
        Some((_, exchange)) if exchange.was_refused() && !is_a_limit(exchange) => {
            meeting.accepted(trace, with, &with.texts("probe"), expect)
        }
        _ => expect(CheckResult::unproven("the sync was neither taken nor refused", vec![meeting.n])),
    }
}

fn neighbours_are_joined(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("the peer joined, and every call of its accepted");
    let (Some((n, join)), Some((_, like))) =
        (trace.operation(with.text("join")), trace.operation(with.text("like")))
    else {
        return expect(CheckResult::unproven("the target was not asked to join", vec![]));
    };
    let Some(meeting) = Meeting::of_joined(trace, with.text("peer")) else {
        return expect(CheckResult::unproven(
            "the two did not set_target, or did not say their versions",
            vec![n],
        ));
    };
    if !meeting.go_together {
        return expect(meeting.says_nothing("do not go together"));
    }
    match (&join.failure, &like.failure) {
        (None, _) => {
            meeting.accepted(trace, with, &[with.texts("call"), with.texts("probe")].concat(), expect)
        }
        (Some(failure), None) => {
            let actual = format!("{}: the join was refused: {failure:?}", meeting.names);
            expect(CheckResult::broken(actual, vec![meeting.n, n]))
        }
        (Some(_), Some(_)) => expect(meeting.says_nothing("did not join, and neither did its like")),
    }
}

fn no_sync_is_sent(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("no sync to a peer whose version is too far off");
    let meeting = match Meeting::of_anonymous_clients(trace, with) {
        Ok(meeting) => meeting,
        Err(unproven) => return expect(unproven),
    };
    let sent = |peer| {
        let calls = trace.exchanges_of(peer, Direction::FromTarget);
        let mut syncs = calls.filter(|(_, call)| call.route() == Some(Route::Sync)).map(|(entry, _)| entry.n);
        syncs.find(|n| *n > meeting.n)
    };
    match (sent(with.text("peer")), sent(with.text("conforming"))) {
        (Some(n), _) => {
            let actual = format!("{}, and a sync was sent", meeting.names);
            expect(CheckResult::broken(actual, vec![meeting.n, n]))
        }
        (None, Some(n)) => {
            let actual = format!("{}: a sync was sent to another peer only", meeting.names);
            expect(CheckResult::kept(actual, vec![meeting.n, n]))
        }
        (None, None) => expect(meeting.says_nothing("had no sync, and nobody else had one")),
    }
}

fn drift_is_reported(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    match Meeting::of_anonymous_clients(trace, with) {
        Ok(_) => finding_raised(trace, with),
        Err(unproven) => unproven.expecting("a new finding about the peer, under any name"),
    }
}

/// Evaluates whether a short notice is noticed. A peer of another major version is drift, whatever it
/// announced (10.1). Only a kind of finding that is not raised about the peer that waited is about the
/// notice.
fn short_notice_is_noticed(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting("a new finding about the one that broke too soon, alone");
    if let Some((n, moved)) =
        trace.exchanges_labelled(with.text("moved")).find(|(_, moved)| !moved.succeeded())
    {
        return expect(CheckResult::unproven(
            format!("a break was not taken: {}", reply_summary(moved)),
            vec![n],
        ));
    }
    let (Some((before_n, before)), Some((after_n, after))) =
        (findings(trace, with.text("before")), findings(trace, with.text("after")))
    else {
        return expect(CheckResult::unproven("the findings could not be read", vec![]));
    };
    let kinds = |name: &str| {
        let id = peer_id(trace, with.text(name))?;
        let raised = new_findings(&before, &after, &id).into_iter();
        Some(raised.map(|finding| finding.kind.as_str()).collect::<BTreeSet<_>>())
    };
    let evidence = vec![before_n, after_n];
    let (Some(short), Some(waited), Some(silent)) = (kinds("peer"), kinds("waited"), kinds("silent")) else {
        return expect(CheckResult::unproven("a peer's id is not known", evidence));
    };
    expect(match (short.difference(&waited).next(), silent.difference(&waited).next()) {
        (Some(kind), _) => CheckResult::kept(format!("{kind} was raised"), evidence),
        (None, _) if short.is_empty() => CheckResult::broken("no finding was raised", evidence),
        (None, Some(kind)) => CheckResult::broken(
            format!("{kind} was raised about a break without a notice, and not about this one"),
            evidence,
        ),
        (None, None) => {
            CheckResult::unproven("only what was raised about the one that waited, too", evidence)
        }
    })
}

/// Two platforms that reported their versions to each other.
struct Meeting {
    n: u64,
    names: String,
    /// The release that the target runs.
    ours: String,
    go_together: bool,
    /// The refusal, in words, if the target rejected the peer.
    refusal: Option<String>,
}

impl Meeting {
    fn read(trace: &Trace, with: Arguments<'_>) -> Option<Self> {
        let (n, accept) = trace.exchanges_labelled(with.text("first")).next()?;
        let sent = accept.sent()?;
        let theirs = version_in(sent)?;
        let refusal = if is_a_limit(accept) {
            return None;
        } else if accept.was_refused() {
            Some(reply_summary(accept))
        } else if !is_let_in(trace, accept) && its_like_is_let_in(trace, with, accept) {
            let status = status(accept).unwrap_or_else(|| "no status".to_owned());
            Some(format!("{}, with {status}; its like was enrolled", reply_summary(accept)))
        } else {
            None
        };
        let ours = match refusal {
            // A target that rejects one peer may have reported its release to another.
            Some(_) => trace.release()?.to_string(),
            // A release that the target reports in its heartbeats only counts.
            None => accept.release_reported().or_else(|| trace.release().map(|said| said.to_string()))?,
        };
        // A peer that is not admitted has no sync to freeze. A version of the target that is not well-formed
        // is reported by commitment 1.
        if Version::parse(&ours).is_err() || !(is_let_in(trace, accept) || refusal.is_some()) {
            return None;
        }
        let go_together = go_together(&ours, theirs);
        Some(Self { n, names: format!("{ours} and {theirs}"), ours, go_together, refusal })
    }

    /// Returns the meeting in which the target called accept at a peer.
    fn of_joined(trace: &Trace, peer: &str) -> Option<Self> {
        let mut calls = trace.exchanges_of(peer, Direction::FromTarget);
        let (entry, accept) =
            calls.find(|(_, call)| call.route() == Some(Route::Accept) && call.succeeded())?;
        let answer = accept.data()?;
        let theirs = version_in(&answer)?;
        let ours = accept.release_reported().or_else(|| trace.release().map(|said| said.to_string()))?;
        let go_together = go_together(&ours, theirs);
        Some(Self { n: entry.n, names: format!("{ours} and {theirs}"), ours, go_together, refusal: None })
    }

    /// Returns the meeting of two platforms that are not compatible and of which one admitted the other.
    fn of_anonymous_clients(trace: &Trace, with: Arguments<'_>) -> Result<Self, CheckResult> {
        let Some(meeting) = Self::read(trace, with) else {
            return Err(CheckResult::unproven(
                "the two did not set_target, or did not say their versions",
                vec![],
            ));
        };
        match &meeting.refusal {
            _ if meeting.go_together => Err(meeting.says_nothing("go together")),
            Some(refusal) => Err(meeting.says_nothing(refusal)),
            None => Ok(meeting),
        }
    }

    fn says_nothing(&self, why: &str) -> CheckResult {
        CheckResult::unproven(format!("{} {why}", self.names), vec![self.n])
    }

    fn accepted(
        &self,
        trace: &Trace,
        with: Arguments<'_>,
        labels: &[&str],
        expect: impl Fn(CheckResult) -> CheckResult,
    ) -> CheckResult {
        let calls: Vec<_> = labels.iter().flat_map(|label| trace.exchanges_labelled(label)).collect();
        let failed =
            calls.iter().find_map(|(n, exchange)| Some((*n, *exchange, shortfall(trace, *n, exchange)?)));
        if let Some((n, exchange, why)) = failed {
            let evidence = vec![self.n, n];
            let mut like = self.neighbours(trace, with).filter(|(_, control)| is_like(control, exchange));
            if like.any(|(n, control)| shortfall(trace, n, control).is_some()) {
                let actual = format!("{}: {why}; a peer of another version fares no better", self.names);
                return expect(CheckResult::unproven(actual, evidence));
            }
            if is_a_limit(exchange) || exchange.status().is_none() && !exchange.was_refused() {
                return expect(CheckResult::unproven(format!("{}: {why}", self.names), evidence));
            }
            return expect(CheckResult::broken(format!("{}: {why}", self.names), evidence));
        }
        let evidence = [self.n].into_iter().chain(calls.iter().map(|(n, _)| *n)).collect();
        let is_made = |label: &&str| trace.exchanges_labelled(label).next().is_some();
        if !labels.iter().all(is_made) || !calls.iter().all(|(_, exchange)| exchange.can_be_read()) {
            let actual = format!("{}: not every call was made and answered in its form", self.names);
            return expect(CheckResult::unproven(actual, evidence));
        }
        expect(CheckResult::kept(format!("{}: {} calls accepted", self.names, calls.len()), evidence))
    }

    /// Returns the calls of the peers that the target has to work with, by the versions in their accepts.
    fn neighbours<'a>(
        &'a self,
        trace: &'a Trace,
        with: Arguments<'a>,
    ) -> impl Iterator<Item = (u64, &'a Exchange)> {
        let controls = with.texts("control").into_iter().flat_map(|label| trace.exchanges_labelled(label));
        controls.filter(|(_, control)| {
            version_reported_by(trace, &control.peer).is_none_or(|theirs| go_together(&self.ours, theirs))
        })
    }
}

/// Returns the failure of a call that works among compatible peers, in words: it was not admitted, or it had
/// no effect.
fn shortfall(trace: &Trace, n: u64, exchange: &Exchange) -> Option<String> {
    if !exchange.succeeded() {
        return Some(reply_summary(exchange));
    }
    if took_nothing(exchange) {
        return Some(format!("{}, and took nothing", reply_summary(exchange)));
    }
    was_lost(trace, n, exchange)
        .then(|| format!("{}: what was migrated just before is not there", reply_summary(exchange)))
}

/// Returns whether a batch with records was answered with success and a count of zero.
fn took_nothing(exchange: &Exchange) -> bool {
    let sent_some =
        exchange.sent().is_some_and(|sent| sent["records"].as_array().is_some_and(|sent| !sent.is_empty()));
    let taken = exchange.data().map(|data| data["accepted"].clone()).unwrap_or_default();
    exchange.succeeded() && exchange.route() == Some(Route::Sync) && sent_some && taken.as_f64() == Some(0.0)
}

/// Returns whether an answer says that a record is not there although a completed migration of the same peer
/// had just brought it.
fn was_lost(trace: &Trace, n: u64, exchange: &Exchange) -> bool {
    let Some(Route::Resource { id, .. }) = exchange.route() else { return false };
    let says_no = exchange.data().is_some_and(|data| data["exists"] == false);
    let mut migrations =
        trace.exchanges_of(&exchange.peer, Direction::ToTarget).filter(|(entry, migration)| {
            let is_done = migration.data().is_some_and(|data| data["status"] == "completed");
            entry.n < n && migration.route() == Some(Route::Migrations) && migration.succeeded() && is_done
        });
    says_no
        && migrations.any(|(_, migration)| {
            let steps = migration.sent().and_then(|sent| sent["steps"].as_array());
            steps.into_iter().flatten().any(|step| step["resource_id"] == *id)
        })
}

/// Returns whether two calls have the same route, whatever records they name.
fn is_like(one: &Exchange, other: &Exchange) -> bool {
    one.route().map(|route| route.name()) == other.route().map(|route| route.name())
}

/// Returns whether an exchange is limited. A limit says nothing about versions.
fn is_a_limit(exchange: &Exchange) -> bool {
    exchange.status() == Some(429)
}

/// Returns the release that a peer reported in its accept.
fn version_reported_by<'a>(trace: &'a Trace, peer: &'a str) -> Option<&'a str> {
    let mut accepts = trace.exchanges_of(peer, Direction::ToTarget);
    accepts.find_map(|(_, exchange)| {
        (exchange.route() == Some(Route::Accept)).then(|| version_in(exchange.sent()?)).flatten()
    })
}

fn version_in(said: &Value) -> Option<&str> {
    said["platform_version"].as_str().or(said["metadata"]["platform_version"].as_str())
}

/// Returns whether the peer of an accept was admitted, by it or by a later heartbeat: a platform may enrol at
/// either.
fn is_let_in(trace: &Trace, accept: &Exchange) -> bool {
    let says_so = |call: &Exchange| matches!(status(call).as_deref(), Some("enrolled" | "active"));
    let mut calls = trace.exchanges_of(&accept.peer, Direction::ToTarget);
    says_so(accept) || calls.any(|(_, call)| call.route() == Some(Route::Heartbeat) && says_so(call))
}

fn status(accept: &Exchange) -> Option<String> {
    accept.data()?["status"].as_str().map(ToOwned::to_owned)
}

/// Returns whether a peer of the target's own release, which asked for its certificate in the same way, was
/// admitted.
fn its_like_is_let_in(trace: &Trace, with: Arguments<'_>, accept: &Exchange) -> bool {
    let asks = |accept: &Exchange| accept.sent().map(|sent| sent["csr_pem"].is_string());
    let mut controls = with.texts("control").into_iter().flat_map(|label| trace.exchanges_labelled(label));
    controls.any(|(_, control)| {
        control.route() == Some(Route::Accept) && is_let_in(trace, control) && asks(control) == asks(accept)
    })
}

/// Returns whether two versions are compatible: the same major version, and a minor version at most one
/// apart. Patch, pre-release and build do not count.
fn go_together(ours: &str, theirs: &str) -> bool {
    match (Version::parse(ours), Version::parse(theirs)) {
        (Ok(ours), Ok(theirs)) => ours.major == theirs.major && ours.minor.abs_diff(theirs.minor) <= 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests;

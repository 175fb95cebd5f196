//! Commitment 10: backwards compatibility.

use jiff::SignedDuration;
use semver::Version;
use serde_json::Value;

use super::common::{finding_raised, outcome};
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Entry, Exchange, Story};
use crate::wire::notice::kind;
use crate::wire::path::Route;

/// How long a major break is announced before it comes.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

const MEETING: &[Parameter] = &[
    Parameter::required("first", "label of the accept, in which both sides say their versions"),
    Parameter::required("call", "label, or labels, of the peer's work: its sync and the like"),
    Parameter::required("probe", "label of its heartbeats"),
    Parameter::optional(
        "twin",
        "label of the same work, or of the accept, of a peer whose version goes with the target's",
    ),
];

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "versions-go-together",
        about: "two versions that go together, by the model, federate and sync",
        parameters: MEETING,
        decide: versions_go_together,
    },
    Judge {
        name: "versions-keep-apart",
        about: "of two versions that do not go together the sync is frozen, and the heartbeat alive",
        parameters: MEETING,
        decide: versions_keep_apart,
    },
    Judge {
        name: "drift-is-reported",
        about: "a finding is raised about a peer whose version does not go with the target's",
        parameters: &[
            Parameter::required("first", "label of the accept, in which both sides say their versions"),
            Parameter::required("peer", "the peer's name"),
            Parameter::required("before", "label of the scan before the two met"),
            Parameter::required("after", "label of the scan after it"),
            Parameter::optional("honest", "the name of a peer whose version goes with the target's"),
        ],
        decide: drift_is_reported,
    },
    Judge {
        name: "deprecation-announced",
        about: "the end of a release is announced to a partner, with its date",
        parameters: &[
            Parameter::required("peer", "the partner's name"),
            Parameter::required("start", "label of the operator's release.deprecate"),
        ],
        decide: deprecation_announced,
    },
    Judge {
        name: "break-waits-for-its-notice",
        about: "a partner of the major version before is served until 30 days after it was told of the end",
        parameters: &[
            Parameter::required("peer", "the partner's name"),
            Parameter::required("call", "labels of its calls, before the end and after it"),
        ],
        decide: break_waits_for_its_notice,
    },
];

fn versions_go_together(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("every call accepted, the sync and the heartbeat too");
    let Some(meeting) = Meeting::read(story, with) else {
        return expect(Judgement::unproven("the two did not say their versions", vec![]));
    };
    if !meeting.go_together {
        return expect(meeting.says_nothing("do not go together"));
    }
    if let Some(refusal) = &meeting.refusal {
        return expect(Judgement::broken(format!("{}: {refusal}", meeting.names), vec![meeting.n]));
    }
    meeting.accepted(story, &[with.texts("call"), with.texts("probe")].concat(), expect)
}

fn versions_keep_apart(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("the sync refused, the heartbeats accepted");
    let meeting = match Meeting::of_strangers(story, with) {
        Ok(meeting) => meeting,
        Err(unproven) => return expect(unproven),
    };
    let mut lawful = with.texts("twin").into_iter().flat_map(|label| story.exchanges_labelled(label));
    if let Some((n, twin)) = lawful.find(|(_, twin)| !twin.succeeded()) {
        let actual = format!("a lawful peer fares no better: {}", outcome(twin));
        return expect(Judgement::unproven(actual, vec![meeting.n, n]));
    }
    let labels = with.texts("call");
    let mut synced = labels.iter().flat_map(|label| story.exchanges_labelled(label));
    match synced.next() {
        Some((n, exchange)) if exchange.succeeded() => expect(Judgement::broken(
            format!("{}, and the sync was taken", meeting.names),
            vec![meeting.n, n],
        )),
        Some((_, exchange)) if exchange.was_refused() => {
            meeting.accepted(story, &with.texts("probe"), expect)
        }
        _ => expect(Judgement::unproven("the sync was neither taken nor refused", vec![meeting.n])),
    }
}

fn drift_is_reported(story: &Story, with: Arguments<'_>) -> Judgement {
    match Meeting::of_strangers(story, with) {
        Ok(_) => finding_raised(story, with),
        Err(unproven) => unproven.expecting("a new finding about the peer, under any name"),
    }
}

/// Two platforms that said their versions to each other.
struct Meeting {
    n: u64,
    names: String,
    go_together: bool,
    /// How the target turned the peer away, if it did.
    refusal: Option<String>,
}

impl Meeting {
    fn read(story: &Story, with: Arguments<'_>) -> Option<Self> {
        let (n, accept) = story.exchanges_labelled(with.text("first")).next()?;
        let sent = accept.sent()?;
        let theirs = sent["platform_version"].as_str().or(sent["metadata"]["platform_version"].as_str())?;
        let refusal = if accept.was_refused() {
            Some(outcome(accept))
        } else if !is_let_in(accept) && its_like_is_let_in(story, with, accept) {
            let status = status(accept).unwrap_or_else(|| "no status".to_owned());
            Some(format!("{}, with {status}; its like was enrolled", outcome(accept)))
        } else {
            None
        };
        let ours = match refusal {
            // Whoever turns one peer away may have told another what it runs.
            Some(_) => story.release()?.to_string(),
            // Where it says so in its heartbeats only, that counts.
            None => accept.release_told().or_else(|| story.release().map(|said| said.to_string()))?,
        };
        // Who is not let in has no sync to freeze; and whose own version is none is told of by commitment 1.
        if Version::parse(&ours).is_err() || !(is_let_in(accept) || refusal.is_some()) {
            return None;
        }
        let go_together = go_together(&ours, theirs);
        Some(Self { n, names: format!("{ours} and {theirs}"), go_together, refusal })
    }

    /// That of two who do not go together, and of whom the one let the other in.
    fn of_strangers(story: &Story, with: Arguments<'_>) -> Result<Self, Judgement> {
        let Some(meeting) = Self::read(story, with) else {
            return Err(Judgement::unproven("the two did not say their versions", vec![]));
        };
        match &meeting.refusal {
            _ if meeting.go_together => Err(meeting.says_nothing("go together")),
            Some(refusal) => Err(meeting.says_nothing(refusal)),
            None => Ok(meeting),
        }
    }

    fn says_nothing(&self, why: &str) -> Judgement {
        Judgement::unproven(format!("{} {why}", self.names), vec![self.n])
    }

    fn accepted(&self, story: &Story, labels: &[&str], expect: impl Fn(Judgement) -> Judgement) -> Judgement {
        let calls: Vec<_> = labels.iter().flat_map(|label| story.exchanges_labelled(label)).collect();
        if let Some((n, exchange)) = calls.iter().find(|(_, exchange)| !exchange.succeeded()) {
            let actual = format!("{}: {}", self.names, outcome(exchange));
            return expect(Judgement::broken(actual, vec![self.n, *n]));
        }
        let evidence = [self.n].into_iter().chain(calls.iter().map(|(n, _)| *n)).collect();
        let is_made = |label: &&str| story.exchanges_labelled(label).next().is_some();
        if !labels.iter().all(is_made) || !calls.iter().all(|(_, exchange)| exchange.can_be_read()) {
            let actual = format!("{}: not every call was made and answered in its form", self.names);
            return expect(Judgement::unproven(actual, evidence));
        }
        expect(Judgement::kept(format!("{}: {} calls accepted", self.names, calls.len()), evidence))
    }
}

fn is_let_in(accept: &Exchange) -> bool {
    matches!(status(accept).as_deref(), Some("enrolled" | "active"))
}

fn status(accept: &Exchange) -> Option<String> {
    accept.data()?["status"].as_str().map(ToOwned::to_owned)
}

/// Whether a peer of the target's own release, that asked for its certificate in the same way, was let in.
fn its_like_is_let_in(story: &Story, with: Arguments<'_>, accept: &Exchange) -> bool {
    let asks = |accept: &Exchange| accept.sent().map(|sent| sent["csr_pem"].is_string());
    let mut twins = with.texts("twin").into_iter().flat_map(|label| story.exchanges_labelled(label));
    twins
        .any(|(_, twin)| twin.route() == Some(Route::Accept) && is_let_in(twin) && asks(twin) == asks(accept))
}

/// Same major version, minor at most one apart; patch, pre-release and build do not count.
fn go_together(ours: &str, theirs: &str) -> bool {
    match (Version::parse(ours), Version::parse(theirs)) {
        (Ok(ours), Ok(theirs)) => ours.major == theirs.major && ours.minor.abs_diff(theirs.minor) <= 1,
        _ => false,
    }
}

fn deprecation_announced(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting(format!("{} or metadata.deprecations, with breaks_at", kind::RELEASE_DEPRECATED))
    };
    let declared = story.operation(with.text("start")).filter(|(_, operation)| operation.failure.is_none());
    let Some((declared, operation)) = declared else {
        return expect(Judgement::unproven("no release was deprecated", vec![]));
    };
    // The date alone: its time may be written in other ways.
    let breaks_at =
        operation.parameters["breaks_at"].as_str().and_then(|text| text.get(..10)).unwrap_or_default();
    let told: Vec<_> =
        announcements(story, with.text("peer")).filter(|(entry, _)| entry.n > declared).collect();
    let dated = told.iter().find(|(_, said)| said.to_string().contains(breaks_at));
    match (dated, told.first()) {
        (Some((entry, _)), _) => {
            expect(Judgement::kept(format!("announced for {breaks_at}"), vec![declared, entry.n]))
        }
        (None, Some((entry, _))) => {
            expect(Judgement::unproven("announced, and its date can't be found", vec![declared, entry.n]))
        }
        (None, None) => expect(Judgement::broken("the partner was told nothing of it", vec![declared])),
    }
}

/// A target may serve the version before for ever: only a break that comes too early is against the clause.
fn break_waits_for_its_notice(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("every call accepted until 30 days after the notice");
    let labels = with.texts("call");
    let is_call = |entry: &Entry| entry.label.as_deref().is_some_and(|label| labels.contains(&label));
    let calls: Vec<_> = story.exchanges().filter(|(entry, _)| is_call(entry)).collect();
    let broken = calls.iter().position(|(_, exchange)| !exchange.succeeded());
    let (Some((first, served)), None | Some(1..)) = (calls.first(), broken) else {
        return expect(Judgement::unproven("the version before was never served", vec![]));
    };
    let Some((entry, exchange)) = broken.and_then(|place| calls.get(place)) else {
        let evidence = calls.iter().map(|(entry, _)| entry.n).collect();
        if !runs_another_major(story, first.n) {
            return expect(Judgement::unproven(
                "the target never said that it runs another major version",
                evidence,
            ));
        }
        return expect(Judgement::kept(format!("served throughout, from {}", outcome(served)), evidence));
    };
    let Some((told, _)) = announcements(story, with.text("peer")).find(|(told, _)| told.n < entry.n) else {
        let actual = format!("no notice of any form, and {}", outcome(exchange));
        return expect(Judgement::broken(actual, vec![first.n, entry.n]));
    };
    let evidence = vec![first.n, told.n, entry.n];
    let notice = entry.at.duration_since(told.at);
    let actual = format!("{} hours after the notice {}", notice.as_hours(), outcome(exchange));
    if notice < NOTICE {
        return expect(Judgement::broken(actual, evidence));
    }
    expect(Judgement::kept(actual, evidence))
}

/// Whether the target said, after that entry, that it runs another major version than it said first:
/// without it there was no break to wait for.
fn runs_another_major(story: &Story, since: u64) -> bool {
    let told = story.exchanges().filter_map(|(entry, exchange)| {
        Some((entry.n, Version::parse(&exchange.release_told()?).ok()?.major))
    });
    let told: Vec<(u64, u64)> = told.collect();
    let first = told.first().map(|(_, major)| *major);
    told.iter().any(|(n, major)| *n > since && Some(*major) != first)
}

/// What the target said to a peer, in requests and answers, that tells of the end of a release.
fn announcements<'a>(story: &'a Story, peer: &'a str) -> impl Iterator<Item = (&'a Entry, Value)> {
    let exchanges = story.exchanges().filter(move |(_, exchange)| exchange.peer == peer);
    exchanges.filter_map(|(entry, exchange)| {
        let said = match exchange.direction {
            Direction::FromTarget => exchange.sent()?.clone(),
            Direction::ToTarget => exchange.data()?,
        };
        tells_of_an_end(&said).then_some((entry, said))
    })
}

/// An event, or a member that is not empty, by whatever name that speaks of a deprecation. A remark
/// in a text is no notice.
fn tells_of_an_end(said: &Value) -> bool {
    let speaks = |text: &str| text.to_lowercase().contains("deprecat");
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    match said {
        Value::Object(members) => members.iter().any(|(name, member)| {
            let is_event = matches!(name.as_str(), "kind" | "type") && member.as_str().is_some_and(speaks);
            is_event || (speaks(name) && !is_empty(member)) || tells_of_an_end(member)
        }),
        Value::Array(items) => items.iter().any(tells_of_an_end),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Body, Message, Operation, Recorder, What};
    use serde_json::json;

    const DAY: i64 = 24 * 3600;

    /// A story that moves through time.
    struct Tale(Recorder, Clock);

    impl Tale {
        fn begin() -> Self {
            let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
            Self(Recorder::in_memory("x", clock.clone()), clock)
        }

        fn exchange(
            self,
            label: Option<&str>,
            direction: Direction,
            sent: &Value,
            answer: (u16, Value),
        ) -> Self {
            let exchange = Exchange {
                peer: "alice".into(),
                direction,
                request: Message { body: Body::Json(sent.clone()), ..Message::default() },
                response: Some(Message {
                    status: Some(answer.0),
                    body: Body::Json(answer.1),
                    ..Message::default()
                }),
                failure: None,
                tls: None,
                protocol: None,
                injected: vec![],
            };
            self.0.record(None, label, What::Exchange(exchange));
            self
        }

        fn call(self, label: &str, status: u16) -> Self {
            self.exchange(Some(label), Direction::ToTarget, &json!({}), (status, json!({"data": {}})))
        }

        fn runs(self, release: &str) -> Self {
            self.tell(&json!({ "platform_version": release }))
        }

        fn tell(self, body: &Value) -> Self {
            self.exchange(None, Direction::FromTarget, body, (200, json!({"data": {}})))
        }

        fn declare(self) -> Self {
            let parameters = json!({"breaks_at": "2026-07-01T00:00:01Z"});
            let verb = "release.deprecate".into();
            let operation = Operation { verb, parameters, result: Some(json!({})), failure: None };
            self.0.record(None, Some("declared"), What::Operation(operation));
            self
        }

        fn after(self, seconds: i64) -> Self {
            self.1.advance_seconds(seconds);
            self
        }

        fn verdict(self, decide: fn(&Story, Arguments<'_>) -> Judgement, with: Value) -> Verdict {
            let with = serde_json::from_value(with).expect("arguments");
            decide(&self.0.story(), Arguments::new(&with)).verdict
        }

        fn broke_in_time(self) -> Verdict {
            self.verdict(break_waits_for_its_notice, json!({"peer": "alice", "call": ["served", "later"]}))
        }

        fn announced(self) -> Verdict {
            self.verdict(deprecation_announced, json!({"peer": "alice", "start": "declared"}))
        }

        fn meet(self, theirs: &str, status: &str) -> Self {
            let said = json!({"platform_version": theirs});
            let met = json!({"data": {"platform_version": "1.4.0", "status": status, "peer_id": "p"}});
            self.exchange(Some("met"), Direction::ToTarget, &said, (200, met))
        }

        fn keep_apart(self, theirs: &str, status: &str, sync: u16) -> Verdict {
            let with = json!({"first": "met", "call": "sync", "probe": "beat", "twin": "lawful"});
            let tale = self.meet(theirs, status).call("sync", sync).call("beat", 200);
            tale.verdict(versions_keep_apart, with)
        }

        /// What comes of the accept of a neighbour, after another peer was let in or not.
        fn go_together(self, theirs: &str, accept: u16) -> Verdict {
            let said = json!({"platform_version": theirs});
            let tale = self.exchange(Some("neighbour"), Direction::ToTarget, &said, (accept, json!({})));
            let with = json!({"first": "neighbour", "call": "neighbour", "probe": "beat"});
            tale.call("beat", 200).verdict(versions_go_together, with)
        }

        fn scans(self, found: &Value) -> Self {
            for (label, findings) in [("before", &json!([])), ("after", found)] {
                let result = Some(json!({ "findings": findings }));
                let verb = "governance.scan".into();
                let scan = Operation { verb, parameters: json!({}), result, failure: None };
                self.0.record(None, Some(label), What::Operation(scan));
            }
            self
        }

        fn reported(self) -> Verdict {
            let with = json!({"first": "met", "peer": "p", "before": "before", "after": "after"});
            self.verdict(drift_is_reported, with)
        }
    }

    fn notice() -> Value {
        json!({"events": [{"kind": kind::RELEASE_DEPRECATED, "payload": {"breaks_at": "2026-07-01"}}]})
    }

    #[test]
    fn a_break_before_30_days_of_notice_is_broken() {
        let told = || Tale::begin().runs("1.4.0").call("served", 200).tell(&notice());
        assert_eq!(told().after(30 * DAY - 1).call("later", 422).broke_in_time(), Broken);
        assert_eq!(told().after(30 * DAY).call("later", 422).broke_in_time(), Kept);
        assert_eq!(told().runs("2.0.0").after(30 * DAY).call("later", 200).broke_in_time(), Kept);
        assert_eq!(told().runs("1.5.0").after(30 * DAY).call("later", 200).broke_in_time(), Unproven);
        assert_eq!(Tale::begin().call("served", 200).call("later", 422).broke_in_time(), Broken);
        assert_eq!(Tale::begin().call("served", 422).broke_in_time(), Unproven);
        assert_eq!(Tale::begin().broke_in_time(), Unproven);
    }

    #[test]
    fn an_end_that_no_one_hears_of_is_broken_in_whatever_form_it_might_be_told() {
        let answered = json!({"data": {"metadata": {"deprecations": [{"breaks_at": "2026-07-01"}]}}});
        let declared = || Tale::begin().declare();
        assert_eq!(declared().tell(&notice()).announced(), Kept);
        assert_eq!(
            declared().exchange(None, Direction::ToTarget, &json!({}), (200, answered)).announced(),
            Kept
        );
        assert_eq!(declared().tell(&json!({"deprecated": ["1.x"]})).announced(), Unproven);
        assert_eq!(declared().tell(&json!({"metadata": {"deprecations": []}})).announced(), Broken);
        assert_eq!(declared().tell(&json!({"notes": "until the deprecation is due"})).announced(), Broken);
        assert_eq!(Tale::begin().tell(&notice()).declare().announced(), Broken);
        assert_eq!(Tale::begin().tell(&notice()).announced(), Unproven);
    }

    #[test]
    fn a_sync_between_versions_that_do_not_go_together_is_broken() {
        assert_eq!(Tale::begin().keep_apart("1.6.0", "enrolled", 422), Kept);
        assert_eq!(Tale::begin().keep_apart("1.6.0", "enrolled", 200), Broken);
        assert_eq!(Tale::begin().keep_apart("1.6.0", "enrolled", 500), Unproven);
        assert_eq!(Tale::begin().keep_apart("1.6.0", "accepted", 422), Unproven);
        assert_eq!(Tale::begin().keep_apart("1.5.0", "enrolled", 422), Unproven);
        assert_eq!(Tale::begin().call("lawful", 422).keep_apart("1.6.0", "enrolled", 422), Unproven);
    }

    #[test]
    fn a_neighbour_that_is_turned_away_is_broken() {
        let met = || Tale::begin().meet("1.4.7", "enrolled");
        assert_eq!(met().go_together("1.3.9", 422), Broken);
        assert_eq!(met().go_together("1.2.9", 422), Unproven);
        assert_eq!(Tale::begin().go_together("1.3.9", 422), Unproven);
    }

    #[test]
    fn a_neighbour_that_is_left_at_the_door_is_broken_where_its_like_was_let_in() {
        let accept = |tale: Tale, label: &str, theirs: &str, answer: (u16, Value)| {
            let exchange = Exchange {
                peer: label.into(),
                direction: Direction::ToTarget,
                request: Message {
                    path: Some("/api/v1/system/federation_api/accept".into()),
                    method: Some("POST".into()),
                    body: Body::Json(json!({"platform_version": theirs, "csr_pem": "x"})),
                    ..Message::default()
                },
                response: Some(Message {
                    status: Some(answer.0),
                    body: Body::Json(answer.1),
                    ..Message::default()
                }),
                failure: None,
                tls: None,
                protocol: None,
                injected: vec![],
            };
            tale.0.record(None, Some(label), What::Exchange(exchange));
            tale
        };
        let said = |status: &str| json!({"data": {"platform_version": "1.4.0", "status": status}});
        let verdict = |twin: &str, theirs: &str, answer: (u16, Value)| {
            let tale = accept(Tale::begin(), "twin", "1.4.0", (200, said(twin)));
            let with = json!({"first": "met", "call": "met", "probe": "beat", "twin": "twin"});
            accept(tale, "met", theirs, answer).call("beat", 200).verdict(versions_go_together, with)
        };
        assert_eq!(verdict("enrolled", "1.3.0", (200, said("enrolled"))), Kept);
        assert_eq!(verdict("enrolled", "1.3.0", (200, said("accepted"))), Broken);
        assert_eq!(verdict("enrolled", "1.3.0", (500, json!({"error": "oh"}))), Broken);
        assert_eq!(verdict("enrolled", "1.2.0", (500, json!({"error": "oh"}))), Unproven);
        assert_eq!(verdict("accepted", "1.3.0", (200, said("accepted"))), Unproven);
    }

    #[test]
    fn silence_is_broken_of_a_version_that_does_not_go_with_the_targets() {
        let found = json!([{"kind": "peer_schema_version_drift", "federation_peer_id": "p"}]);
        let met = |theirs: &str| {
            let tale = Tale::begin().meet(theirs, "enrolled");
            let joined = Operation {
                verb: "peer.join".into(),
                parameters: json!({}),
                result: Some(json!({"peer_id": "p"})),
                failure: None,
            };
            tale.0.record(None, Some("p"), What::Operation(joined));
            tale
        };
        assert_eq!(met("2.0.0").scans(&found).reported(), Kept);
        assert_eq!(met("2.0.0").scans(&json!([])).reported(), Broken);
        assert_eq!(met("1.5.0").scans(&json!([])).reported(), Unproven);
        assert_eq!(Tale::begin().scans(&json!([])).reported(), Unproven);
    }
}

//! Commitment 10: backwards compatibility.

use jiff::SignedDuration;
use semver::Version;
use serde_json::Value;

use super::common::outcome;
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Entry, Story};
use crate::wire::notice::kind;

/// How long a major break is announced before it comes.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

const MEETING: &[Parameter] = &[
    Parameter::required("first", "label of the accept, in which both sides say their versions"),
    Parameter::required("call", "label of the peer's sync"),
    Parameter::required("probe", "label of its heartbeats"),
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
    let expect = |judgement: Judgement| judgement.expecting("sync and heartbeat accepted");
    let Some(meeting) = Meeting::read(story, with) else {
        return expect(Judgement::unproven("the two did not say their versions", vec![]));
    };
    if !meeting.go_together {
        return expect(Judgement::unproven(format!("{} do not go together", meeting.names), vec![meeting.n]));
    }
    meeting.accepted(story, &[with.text("call"), with.text("probe")], expect)
}

fn versions_keep_apart(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("the sync refused, the heartbeats accepted");
    let Some(meeting) = Meeting::read(story, with) else {
        return expect(Judgement::unproven("the two did not say their versions", vec![]));
    };
    if meeting.go_together {
        return expect(Judgement::unproven(format!("{} go together", meeting.names), vec![meeting.n]));
    }
    let synced = story.exchanges_labelled(with.text("call")).next();
    match synced {
        Some((n, exchange)) if exchange.succeeded() => expect(Judgement::broken(
            format!("{}, and the sync was taken", meeting.names),
            vec![meeting.n, n],
        )),
        Some((_, exchange)) if exchange.was_refused() => {
            meeting.accepted(story, &[with.text("probe")], expect)
        }
        _ => expect(Judgement::unproven("the sync was neither taken nor refused", vec![meeting.n])),
    }
}

/// Two platforms that said their versions to each other.
struct Meeting {
    n: u64,
    names: String,
    go_together: bool,
}

impl Meeting {
    fn read(story: &Story, with: Arguments<'_>) -> Option<Self> {
        let mut accepts = story.exchanges_labelled(with.text("first"));
        let (n, accept) = accepts.find(|(_, exchange)| exchange.succeeded())?;
        let version = |body: &Value| {
            body["platform_version"]
                .as_str()
                .or(body["metadata"]["platform_version"].as_str())
                .map(ToOwned::to_owned)
        };
        let theirs = version(accept.sent()?)?;
        let answered = accept.data()?;
        let ours = version(&answered)?;
        // Whose own version is none is told of by commitment 1; and who is not let in has no sync to freeze.
        let is_let_in = matches!(answered["status"].as_str(), Some("enrolled" | "active"));
        if Version::parse(&ours).is_err() || !is_let_in {
            return None;
        }
        Some(Self { n, names: format!("{ours} and {theirs}"), go_together: go_together(&ours, &theirs) })
    }

    fn accepted(&self, story: &Story, labels: &[&str], expect: impl Fn(Judgement) -> Judgement) -> Judgement {
        let calls: Vec<_> = labels.iter().flat_map(|label| story.exchanges_labelled(label)).collect();
        if let Some((n, exchange)) = calls.iter().find(|(_, exchange)| !exchange.succeeded()) {
            let actual = format!("{}: {}", self.names, outcome(exchange));
            return expect(Judgement::broken(actual, vec![self.n, *n]));
        }
        let evidence = [self.n].into_iter().chain(calls.iter().map(|(n, _)| *n)).collect();
        expect(Judgement::kept(format!("{}: {} calls accepted", self.names, calls.len()), evidence))
    }
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
    use crate::transcript::{Body, Exchange, Message, Operation, Recorder, What};
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

        fn keep_apart(self, theirs: &str, status: &str, sync: u16) -> Verdict {
            let said = json!({"platform_version": theirs});
            let met = json!({"data": {"platform_version": "1.4.0", "status": status}});
            let tale = self.exchange(Some("met"), Direction::ToTarget, &said, (200, met));
            let with = json!({"first": "met", "call": "sync", "probe": "beat"});
            tale.call("sync", sync).call("beat", 200).verdict(versions_keep_apart, with)
        }
    }

    fn notice() -> Value {
        json!({"events": [{"kind": kind::RELEASE_DEPRECATED, "payload": {"breaks_at": "2026-07-01"}}]})
    }

    #[test]
    fn a_break_before_30_days_of_notice_is_broken() {
        let told = || Tale::begin().call("served", 200).tell(&notice());
        assert_eq!(told().after(30 * DAY - 1).call("later", 422).broke_in_time(), Broken);
        assert_eq!(told().after(30 * DAY).call("later", 422).broke_in_time(), Kept);
        assert_eq!(told().after(30 * DAY).call("later", 200).broke_in_time(), Kept);
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
    }
}

//! Commitment 10: backwards compatibility.

use semver::Version;
use serde_json::Value;

use super::common::outcome;
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Story};
use crate::wire::notice::kind;

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
        let ours = version(&accept.data()?)?;
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
    let told: Vec<_> = story
        .exchanges_of(with.text("peer"), Direction::FromTarget)
        .filter(|(entry, _)| entry.n > 0)
        .collect();
    let names = |text: &str| {
        told.iter().find_map(|(entry, exchange)| {
            let body = exchange.sent()?.to_string();
            (body.contains("deprecat") && body.contains(text)).then_some(entry.n)
        })
    };
    match (names(breaks_at), names("deprecat")) {
        (Some(n), _) => expect(Judgement::kept(format!("announced for {breaks_at}"), vec![declared, n])),
        (None, Some(n)) => {
            expect(Judgement::unproven("announced, and its date can't be found", vec![declared, n]))
        }
        (None, None) => expect(Judgement::broken("the partner was told nothing of it", vec![declared])),
    }
}

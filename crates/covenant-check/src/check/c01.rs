//! Commitment 1: identity disclosure.

use std::fmt::{self, Display, Formatter};

use semver::Version;
use serde_json::Value;

use super::CheckResult;
use super::common::peer_shown;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Entry, Exchange, Operation, Trace};
use covenant_model::wire::path::Route;
use covenant_model::wire::state::PeerStatus;

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "disclosure-member-is-sent",
        about: "the target says a member of its disclosure, well-formed, to a peer that it federates with",
        parameters: &[
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required("member", "the member of `metadata`"),
            LegacyParameter::optional("beside", "the name of a peer that says other things of itself"),
        ],
        evaluate: discloses,
    },
    LegacyCheck {
        name: "anonymous-peer-is-not-enrolled",
        about: "who does not disclose all of itself never reaches `enrolled`, and who does, does",
        parameters: &[
            LegacyParameter::required(
                "call",
                "labels of the accepts and heartbeats that disclose too little",
            ),
            LegacyParameter::required("shown", "labels of the operator's looks at those peers"),
            LegacyParameter::required("control", "label of the operator's look at a peer that discloses all"),
        ],
        evaluate: never_enrolled,
    },
    LegacyCheck {
        name: "anonymous-peer-is-not-joined",
        about: "as the one who joins, the target enrols no one whose answer does not disclose all of itself",
        parameters: &[
            LegacyParameter::required("call", "labels of the joins that were answered with too little"),
            LegacyParameter::required("shown", "label of the operator's list of peers after them"),
            LegacyParameter::required("control", "label of a join whose answer discloses all"),
        ],
        evaluate: never_joined,
    },
];

fn discloses(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let (peer, member) = (with.text("peer"), with.text("member"));
    let expect = |result: CheckResult| {
        result.expecting(format!("a well-formed {member} in the target's heartbeat, or at the handshake"))
    };
    let beats: Vec<u64> = beats_to(trace, peer).map(|(entry, _)| entry.n).collect();
    let (echoed, disclosed): (Vec<_>, Vec<_>) =
        reported_to(trace, peer, member).into_iter().partition(|(_, value)| is_echo(trace, with, value));
    if let Some((n, value)) = disclosed.iter().find(|(_, value)| !is_well_formed(member, value)) {
        return expect(CheckResult::broken(format!("{member} is {value}"), vec![*n]));
    }
    if let Some((n, value)) = disclosed.first() {
        return expect(CheckResult::kept(format!("{member} is {value}"), vec![*n]));
    }
    if beats.is_empty() {
        return expect(CheckResult::unproven("the target sent no heartbeat", vec![]));
    }
    if let Some((n, value)) = echoed.first() {
        let actual = format!("{member} is {value}, which is what each peer had said of itself");
        return expect(CheckResult::broken(actual, vec![*n]));
    }
    expect(CheckResult::broken(format!("{} heartbeats, none with {member}", beats.len()), beats))
}

/// Returns the values of a member that the target sent to a peer about itself: in its heartbeats first, then
/// in its answers. A value that was disclosed at the handshake stays valid for a heartbeat that omits it.
fn reported_to(trace: &Trace, peer: &str, member: &str) -> Vec<(u64, Value)> {
    let in_heartbeats = beats_to(trace, peer)
        .filter_map(|(entry, exchange)| Some((entry.n, read(exchange.sent()?, member)?)));
    let in_answers = introductions_of(trace, peer)
        .filter_map(|(entry, exchange)| Some((entry.n, read(&exchange.data()?, member)?)));
    in_heartbeats.chain(in_answers).collect()
}

/// Returns whether the target repeats to each of two peers, who send different values, the value of that
/// peer.
fn is_echo(trace: &Trace, with: Arguments<'_>, value: &Value) -> bool {
    let Some(other) = with.text_if_given("beside") else { return false };
    let member = with.text("member");
    let has_said = |peer: &str, value: &Value| {
        introductions_of(trace, peer)
            .any(|(_, exchange)| exchange.sent().and_then(|body| read(body, member)).as_ref() == Some(value))
    };
    let reported_other = reported_to(trace, other, member);
    has_said(with.text("peer"), value)
        && reported_other.iter().any(|(_, recorded)| recorded != value && has_said(other, recorded))
}

fn beats_to<'a>(trace: &'a Trace, peer: &'a str) -> impl Iterator<Item = (&'a Entry, &'a Exchange)> {
    trace
        .exchanges_of(peer, Direction::FromTarget)
        .filter(|(_, exchange)| exchange.route() == Some(Route::Heartbeat))
}

fn introductions_of<'a>(trace: &'a Trace, peer: &'a str) -> impl Iterator<Item = (&'a Entry, &'a Exchange)> {
    trace
        .exchanges_of(peer, Direction::ToTarget)
        .filter(|(_, exchange)| matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat)))
}

/// Returns a member of `metadata`, or of the body itself, where the observed wire has it.
fn read(body: &Value, member: &str) -> Option<Value> {
    let places = [body.get("metadata").and_then(|metadata| metadata.get(member)), body.get(member)];
    places.into_iter().flatten().find(|value| !value.is_null()).cloned()
}

/// Returns whether a value is well-formed: an email address or an identifier with a signature (1.1), a
/// semantic version (1.3), any text (1.2, 1.4). A text may be inside a list or an object if the binding
/// defines no form.
fn is_well_formed(member: &str, value: &Value) -> bool {
    match member {
        "operator_contact" if value.is_object() => has_text(value, &|_| true),
        "operator_contact" => has_text(value, &is_contact),
        "platform_version" => value.as_str().is_some_and(|text| Version::parse(text.trim()).is_ok()),
        _ => has_text(value, &|_| true),
    }
}

/// Returns whether a value contains a text that is not blank and satisfies the condition.
fn has_text(value: &Value, is_right: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty() && is_right(text.trim()),
        Value::Array(items) => items.iter().any(|item| has_text(item, is_right)),
        Value::Object(members) => members.values().any(|member| has_text(member, is_right)),
        _ => false,
    }
}

fn is_contact(text: &str) -> bool {
    let is_address =
        |word: &str| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_email = text.split_whitespace().any(is_address);
    let lower = text.to_lowercase();
    is_email || ["pgp", "fpr"].iter().any(|word| lower.contains(word)) || is_fingerprint(&lower)
}

/// Returns whether a text is the fingerprint of a key, or its long id: in groups or not, with `0x` or not.
fn is_fingerprint(lower: &str) -> bool {
    const DIGITS: [usize; 3] = [16, 40, 64];
    let digits: String = lower.trim_start_matches("0x").chars().filter(|c| !" :".contains(*c)).collect();
    DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn never_enrolled(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("refused, or left at `accepted`; never `enrolled` or `active`")
    };
    let recorded: Vec<Standing<'_>> =
        with.texts("call").into_iter().flat_map(|label| reported_under(trace, label)).collect();
    let shown: Vec<Standing<'_>> =
        with.texts("shown").into_iter().filter_map(|label| shown_under(trace, label)).collect();
    let standings = || recorded.iter().chain(&shown);
    if let Some(standing) = standings().find(|standing| standing.is_let_in() == Some(true)) {
        return expect(CheckResult::broken(standing.to_string(), vec![standing.n]));
    }
    if shown.len() < with.texts("shown").len() {
        return expect(CheckResult::unproven("not each of the peers was shown", vec![]));
    }
    if let Some(standing) = standings().find(|standing| standing.is_let_in().is_none()) {
        let actual = format!("{standing}, whatever that is");
        return expect(CheckResult::unproven(actual, vec![standing.n]));
    }
    let control = shown_under(trace, with.text("control"));
    let Some(control) = control.filter(|control| control.is_let_in() == Some(true)) else {
        return expect(CheckResult::unproven("a whole disclosure was not let in either", vec![]));
    };
    let evidence = std::iter::once(control.n).chain(standings().map(|standing| standing.n)).collect();
    expect(CheckResult::kept(format!("{} disclosures were too little", shown.len()), evidence))
}

fn never_joined(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(
            "the join refused, or its peer left short of enrolled; the one that disclosed all enrolled",
        )
    };
    let Some((shown, listed)) = trace.operation(with.text("shown")) else {
        return expect(CheckResult::unproven("the peers were not listed", vec![]));
    };
    let labels = with.texts("call");
    if let Some(label) = labels.iter().find(|label| trace.operation(label).is_none()) {
        return expect(CheckResult::unproven(format!("{label:?} was not tried"), vec![shown]));
    }
    let joined: Vec<Standing<'_>> =
        labels.iter().filter_map(|label| listed_as(trace, label, (shown, listed))).collect();
    if let Some(standing) = joined.iter().find(|standing| standing.is_let_in() == Some(true)) {
        return expect(CheckResult::broken(standing.to_string(), vec![shown]));
    }
    if let Some(standing) = joined.iter().find(|standing| standing.is_let_in().is_none()) {
        return expect(CheckResult::unproven(format!("{standing}, whatever that is"), vec![shown]));
    }
    let control = listed_as(trace, with.text("control"), (shown, listed));
    if control.is_none_or(|control| control.is_let_in() != Some(true)) {
        let actual = "a join whose answer disclosed all did not enrol either";
        return expect(CheckResult::unproven(actual, vec![shown]));
    }
    expect(CheckResult::kept(format!("{} disclosed too little", labels.len()), vec![shown]))
}

/// The reported status of a peer, and the label under which it was reported.
struct Standing<'a> {
    n: u64,
    label: &'a str,
    status: String,
}

impl Standing<'_> {
    /// Returns whether the peer may call, or `None` if the status is not one of the wire.
    fn is_let_in(&self) -> Option<bool> {
        PeerStatus::parse(&self.status).map(PeerStatus::may_call)
    }
}

impl Display for Standing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is {:?}", self.label, self.status)
    }
}

/// Returns the statuses that the target reported to the peers that made these calls. An answer may report
/// none.
fn reported_under<'a>(trace: &'a Trace, label: &'a str) -> impl Iterator<Item = Standing<'a>> {
    let answered = trace.exchanges_labelled(label).filter(|(_, exchange)| exchange.succeeded());
    answered.filter_map(move |(n, exchange)| {
        let data = exchange.data()?;
        let status = data.get("status").filter(|status| !status.is_null())?;
        Some(Standing { n, label, status: word(status) })
    })
}

/// Returns the status of a peer as the operator sees it.
fn shown_under<'a>(trace: &Trace, label: &'a str) -> Option<Standing<'a>> {
    let (n, peer) = peer_shown(trace, label)?;
    Some(Standing { n, label, status: word(&peer["status"]) })
}

/// Returns the status of the joined peer in the operator's list, or `None` if the join was refused.
fn listed_as<'a>(trace: &Trace, join: &'a str, (n, listed): (u64, &Operation)) -> Option<Standing<'a>> {
    let id = trace.operation(join)?.1.result.as_ref()?.get("peer_id")?;
    let rows = listed.result.as_ref().and_then(|result| result["peers"].as_array());
    let row = rows.into_iter().flatten().find(|row| row["peer_id"] == *id);
    Some(Standing { n, label: join, status: word(row.map_or(&Value::Null, |row| &row["status"])) })
}

fn word(status: &Value) -> String {
    status.as_str().map_or_else(|| status.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder, What};
    use serde_json::json;

    #[test]
    fn blanks_and_what_is_no_address_or_version_are_not_well_formed() {
        for (member, value, good) in [
            ("operator_contact", json!("ops@example.org"), true),
            ("operator_contact", json!("openpgp4fpr:0123456789abcdef0123"), true),
            ("operator_contact", json!({"identifier": "x", "signature": "y"}), true),
            ("operator_contact", json!("The operators <ops@example.org>"), true),
            ("operator_contact", json!("0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567"), true),
            ("operator_contact", json!(["ops@example.org"]), true),
            ("operator_contact", json!({"email": " "}), false),
            ("operator_contact", json!("call us"), false),
            ("operator_contact", json!("call us @ noon"), false),
            ("operator_contact", json!({}), false),
            ("jurisdiction", json!("DE"), true),
            ("jurisdiction", json!({"country": "DE", "region": null}), true),
            ("jurisdiction", json!("  "), false),
            ("jurisdiction", json!({"country": ""}), false),
            ("platform_version", json!("1.4.0"), true),
            ("platform_version", json!("latest"), false),
            ("last_known_good_release", json!("v1.3"), true),
            ("last_known_good_release", json!(""), false),
        ] {
            assert_eq!(is_well_formed(member, &value), good, "{member}: {value}");
        }
    }

    #[test]
    fn a_member_is_read_in_both_places() {
        assert_eq!(read(&json!({"metadata": {"jurisdiction": "DE"}}), "jurisdiction"), Some(json!("DE")));
        assert_eq!(read(&json!({"platform_version": "1.0.0"}), "platform_version"), Some(json!("1.0.0")));
        assert_eq!(read(&json!({"metadata": {}}), "jurisdiction"), None);
    }

    /// Returns the verdict on a target that sends this to alice of DE and to bob of FR, in its answers and in
    /// its heartbeats.
    fn verdict(answers: [&str; 2], beats: [Option<&str>; 2]) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let peers = ["alice", "bob"].into_iter().zip(["DE", "FR"]).zip(answers.into_iter().zip(beats));
        for ((peer, own), (answered, beat)) in peers {
            let said = |place: &str| json!({"metadata": {"jurisdiction": place}});
            let answer = json!({"data": said(answered)});
            recorder.record(None, None, heartbeat(peer, Direction::ToTarget, &said(own), &answer));
            let beat = beat.map_or(json!({}), said);
            recorder.record(None, None, heartbeat(peer, Direction::FromTarget, &beat, &json!({"data": {}})));
        }
        let with = [("peer", "alice"), ("member", "jurisdiction"), ("beside", "bob")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        discloses(&recorder.trace(), Arguments::new(&with)).verdict
    }

    fn heartbeat(peer: &str, direction: Direction, sent: &Value, answer: &Value) -> What {
        What::Exchange(
            Exchange::made(peer, direction)
                .on("POST", "heartbeat")
                .sending(sent.clone())
                .answered_with(200, answer.clone()),
        )
    }

    #[test]
    fn who_says_back_what_each_had_said_discloses_nothing() {
        assert_eq!(verdict(["DE", "FR"], [Some("DE"), Some("FR")]), Broken);
        assert_eq!(verdict(["DE", "FR"], [None, None]), Broken);
        assert_eq!(verdict(["DE", "DE"], [Some("DE"), Some("DE")]), Kept, "it is where alice is");
        assert_eq!(verdict(["DE", "FR"], [Some("SE"), Some("SE")]), Kept, "it answers with the peer's row");
        assert_eq!(verdict(["SE", "SE"], [None, None]), Kept);
    }

    #[test]
    fn who_answers_a_join_with_too_little_is_not_let_in() {
        let verdict = |anonymous: Option<&str>, whole: &str| {
            let recorder =
                Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
            let record = |label: &str, result: Option<Value>| {
                let operation =
                    Operation { method: "x".into(), parameters: json!({}), result, failure: None };
                recorder.record(None, Some(label), What::Operation(operation));
            };
            record("whole", Some(json!({"peer_id": "w"})));
            record("anonymous", anonymous.map(|_| json!({"peer_id": "a"})));
            let row = |id: &str, status: Option<&str>| json!({"peer_id": id, "status": status});
            record("peers", Some(json!({"peers": [row("w", Some(whole)), row("a", anonymous)]})));
            let with = [("call", "anonymous"), ("shown", "peers"), ("control", "whole")]
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .into();
            never_joined(&recorder.trace(), Arguments::new(&with)).verdict
        };
        assert_eq!(verdict(Some("enrolled"), "enrolled"), Broken);
        assert_eq!(verdict(Some("accepted"), "active"), Kept);
        assert_eq!(verdict(None, "enrolled"), Kept, "the join was refused");
        assert_eq!(verdict(None, "accepted"), Unproven);
        assert_eq!(verdict(Some("ENROLLED"), "enrolled"), Unproven, "no word of the wire's");
        assert_eq!(verdict(Some("proposed"), "connected"), Unproven);
    }

    /// Returns the verdict on a target that gives this answer to an accept that discloses too little, and
    /// shows that peer and a complete one like this.
    fn kept_out(answered: &Value, shown: &Value, whole: &Value) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let answer = json!({"data": {"status": answered}});
        let beat = heartbeat("partial", Direction::ToTarget, &json!({}), &answer);
        recorder.record(None, Some("beat"), beat);
        for (label, status) in [("shown", shown), ("shown-whole", whole)] {
            let result = Some(json!({"peer": {"status": status}}));
            let show = Operation { method: "peer.show".into(), parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(show));
        }
        let with = [("call", "beat"), ("shown", "shown"), ("control", "shown-whole")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        never_enrolled(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn who_is_kept_out_is_said_to_be_and_who_disclosed_is_let_in() {
        let (accepted, active) = (&json!("accepted"), &json!("active"));
        assert_eq!(kept_out(accepted, accepted, active), Kept);
        assert_eq!(kept_out(&Value::Null, accepted, active), Kept, "an answer may say nothing of it");
        assert_eq!(kept_out(active, accepted, active), Broken);
        assert_eq!(kept_out(accepted, &json!("enrolled"), accepted), Broken);
        assert_eq!(kept_out(accepted, accepted, accepted), Unproven, "nobody is let in");
        for word in [&json!("ENROLLED"), &json!("connected"), &json!(7), &Value::Null] {
            assert_eq!(kept_out(accepted, word, active), Unproven, "{word}");
            assert_eq!(kept_out(accepted, accepted, word), Unproven, "{word}");
        }
        assert_eq!(kept_out(&json!("connected"), accepted, active), Unproven);
    }
}

//! Contract versioning (V), and how a mismatch is counted (12.2).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::CheckResult;
use super::agreement::{
    self, Stored, digest_of, is_row_of, is_same_digest, is_same_version, on_record, stored_digest, version_of,
};
use super::common::{findings, peer_id, peer_shown, reply_summary};
use super::enforcement::is_suspended;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::contract::REGISTER_V1;
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::canonical::sha256_hex;
use covenant_model::wire::path::Route;

/// The words by which a list may mark a version that is not released.
const UNRELEASED: [&str; 5] = ["draft", "proposed", "planned", "upcoming", "unreleased"];

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "digests-are-stored",
        about: "each released contract version is known with the SHA-256 of its text",
        parameters: &[LegacyParameter::required(
            "shown",
            "label of the operator's list of contract versions",
        )],
        evaluate: digests_are_stored,
    },
    LegacyCheck {
        name: "same-version-on-both-sides",
        about: "what the handshake agreed to is what was asked for, and what stands on the target's record",
        parameters: &[
            LegacyParameter::required("call", "label of the accept"),
            LegacyParameter::required("shown", "label of the operator's look at the peer"),
        ],
        evaluate: same_version_on_both_sides,
    },
    LegacyCheck {
        name: "versions-side-by-side",
        about: "each of two contract versions is agreed to by whoever asks for it, and both peers are served",
        parameters: &[
            LegacyParameter::required("shown", "label of the operator's list of contract versions"),
            LegacyParameter::required("call", "labels of the accepts, one for each version"),
            LegacyParameter::required("probe", "label of valid calls of both peers afterwards"),
        ],
        evaluate: versions_side_by_side,
    },
    LegacyCheck {
        name: "join-avoids-deprecated-version",
        about: "as the one who joins, the target asks for a contract version other than the deprecated one",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that it joins"),
            LegacyParameter::required("version", "the version that was deprecated"),
        ],
        evaluate: joins_on_another_version,
    },
    LegacyCheck {
        name: "mismatch-counts-as-breach",
        about: "a contract mismatch is one breach more of a norm: it suspends who was one short of that",
        parameters: &[
            LegacyParameter::required("peers", "the names of peers of one breach, of two, …"),
            LegacyParameter::required("norm", "the commitment that was breached: 3 or 6"),
            LegacyParameter::required("record", "labels of the looks at these peers after their breaches"),
            LegacyParameter::required("shown", "labels of the looks after the mismatch of each"),
            LegacyParameter::required("before", "label of the scan before the mismatch"),
            LegacyParameter::required("after", "label of the scan after it"),
        ],
        evaluate: mismatch_counts_thrice,
    },
];

fn digests_are_stored(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("a SHA-256 for each version, that of its text");
    let Some((n, listed)) = listed(trace, with.text("shown")) else {
        return expect(CheckResult::unproven("the contract versions were not listed", vec![]));
    };
    if listed.iter().any(|row| !row.is_object()) {
        return expect(CheckResult::unproven("the list shows nothing but numbers", vec![n]));
    }
    let handed_in = handed_in(trace);
    let now = trace.entries().iter().find(|entry| entry.n == n).map(|entry| entry.at);
    let mut unread = None;
    for row in listed {
        let number = version_of(row).unwrap_or(&Value::Null);
        let digest = match stored_digest(row) {
            Stored::Sha256(digest) => digest,
            Stored::Nothing if is_draft(row, now) => continue,
            Stored::Nothing => {
                return expect(CheckResult::broken(format!("version {number} has no digest"), vec![n]));
            }
            Stored::Unread => {
                unread.get_or_insert(format!("the digest of version {number} can't be read"));
                continue;
            }
        };
        let due = handed_in.iter().find(|(given, _)| is_row_of(row, given));
        if due.is_some_and(|(_, due)| *due != digest) {
            let actual = format!("version {number} has {digest}, which is not that of its text");
            return expect(CheckResult::broken(actual, vec![n]));
        }
    }
    if let Some(unread) = unread {
        return expect(CheckResult::unproven(unread, vec![n]));
    }
    let first = listed.iter().find(|row| is_row_of(row, &json!(1)));
    match first.and_then(digest_of) {
        None => expect(CheckResult::unproven("version 1 is not listed", vec![n])),
        // A later revision under the same number is a register of its own.
        Some(first) if first != REGISTER_V1.digest => {
            expect(CheckResult::unproven(format!("version 1 is another text: {first}"), vec![n]))
        }
        Some(_) => {
            expect(CheckResult::kept(format!("{} versions with their digests", listed.len()), vec![n]))
        }
    }
}

/// Returns whether a version is not released yet: by the state in its row, or by its date.
fn is_draft(row: &Value, now: Option<Timestamp>) -> bool {
    let state = row["status"].as_str().or(row["state"].as_str()).unwrap_or_default().to_lowercase();
    let effective_at = row["effective_at"].as_str().and_then(moment);
    UNRELEASED.contains(&state.as_str())
        || row["draft"] == true
        || row["released"] == false
        || effective_at.is_some_and(|at| now.is_some_and(|now| at > now))
}

/// Returns a moment, or the first moment of a day.
fn moment(text: &str) -> Option<Timestamp> {
    let of_day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    text.parse().ok().or_else(of_day)
}

fn listed<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a [Value])> {
    let (n, operation) = trace.operation(label)?;
    Some((n, agreement::rows(operation.result.as_ref()?)?))
}

/// Returns the versions whose texts the suite supplied, with their digests.
fn handed_in(trace: &Trace) -> Vec<(Value, String)> {
    let mut starts = trace.entries().iter().filter_map(|entry| entry.operation());
    let start = starts.find(|operation| operation.method == "platform.start");
    let versions = start.and_then(|start| start.parameters["settings"]["contract_versions"].as_array());
    let versions = versions.into_iter().flatten();
    versions.filter_map(|row| Some((row["version"].clone(), sha256_hex(row["text"].as_str()?)))).collect()
}

fn same_version_on_both_sides(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting("the version that was asked for, told back and on record");
    let accept = trace.exchanges_labelled(with.text("call")).find(|(_, exchange)| exchange.succeeded());
    let (Some((accepted, accept)), Some((shown, peer))) = (accept, peer_shown(trace, with.text("shown")))
    else {
        return expect(CheckResult::unproven("no accept succeeded, or no peer was shown", vec![]));
    };
    let evidence = vec![accepted, shown];
    let (sent, reported) = (accept.sent().cloned().unwrap_or_default(), accept.data().unwrap_or_default());
    let asked = &sent["contract_version"];
    let seen = [("told back", reported.get("contract_version_agreed")), ("on record", on_record(peer))];
    let other =
        seen.iter().find(|(_, version)| version.is_some_and(|version| !is_same_version(version, asked)));
    if let Some((place, Some(version))) = other {
        return expect(CheckResult::broken(format!("asked for {asked}, {place} {version}"), evidence));
    }
    let digests = [&sent["contract_digest"], &reported["contract_digest"], &peer["contract_digest"]];
    let mut given = digests.iter().filter_map(|digest| digest.as_str());
    let first = given.next();
    if given.any(|digest| first.is_some_and(|first| !is_same_digest(first, digest))) {
        let actual = format!("the digests differ: {}, {}, {}", digests[0], digests[1], digests[2]);
        return expect(CheckResult::broken(actual, evidence));
    }
    if let Some((place, _)) = seen.iter().find(|(_, version)| version.is_none()) {
        return expect(CheckResult::unproven(format!("no version {place} is to be seen"), evidence));
    }
    expect(CheckResult::kept(format!("version {asked} on both sides"), evidence))
}

fn versions_side_by_side(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("each version agreed to as asked, both peers served");
    let accepts: Vec<_> =
        with.texts("call").into_iter().flat_map(|label| trace.exchanges_labelled(label)).collect();
    let Some((listed_n, listed)) = listed(trace, with.text("shown")) else {
        return expect(CheckResult::unproven("the contract versions were not listed", vec![]));
    };
    let unreleased = accepts.iter().find(|(_, exchange)| !is_released(listed, exchange));
    if let Some((n, exchange)) = unreleased {
        let actual = format!("the target does not have that version {}", asked(exchange));
        return expect(CheckResult::unproven(actual, vec![listed_n, *n]));
    }
    for (n, exchange) in &accepts {
        let asked = asked(exchange);
        let agreed = exchange.data().and_then(|data| data.get("contract_version_agreed").cloned());
        let is_other = agreed.as_ref().is_some_and(|agreed| !is_same_version(agreed, &asked));
        if !exchange.succeeded() || is_other {
            let agreed = agreed.unwrap_or_default();
            let actual =
                format!("asked for version {asked}: {}, agreed to {agreed}", reply_summary(exchange));
            return expect(CheckResult::broken(actual, vec![listed_n, *n]));
        }
    }
    let probes: Vec<_> = trace.exchanges_labelled(with.text("probe")).collect();
    if let Some((n, exchange)) = probes.iter().find(|(_, exchange)| !exchange.succeeded()) {
        return expect(CheckResult::broken(
            format!("one is not served: {}", reply_summary(exchange)),
            vec![*n],
        ));
    }
    let evidence: Vec<u64> = accepts.iter().chain(&probes).map(|(n, _)| *n).collect();
    if accepts.len() < 2 || probes.len() < 2 {
        return expect(CheckResult::unproven("there were not two peers", evidence));
    }
    let tells = |exchange: &Exchange| {
        exchange.data().is_some_and(|data| data.get("contract_version_agreed").is_some())
    };
    if !accepts.iter().all(|(_, exchange)| tells(exchange)) {
        return expect(CheckResult::unproven("an answer names no agreed version", evidence));
    }
    expect(CheckResult::kept(format!("{} versions side by side", accepts.len()), evidence))
}

fn asked(accept: &Exchange) -> Value {
    accept.sent().map(|sent| sent["contract_version"].clone()).unwrap_or_default()
}

/// Returns whether the version and the text that an accept asks for are in force: another text under the same
/// number is another version.
fn is_released(listed: &[Value], accept: &Exchange) -> bool {
    let asked = asked(accept);
    let named = accept.sent().and_then(|sent| sent["contract_digest"].as_str());
    let is_of = |row: &Value| match (digest_of(row), named) {
        (Some(digest), Some(named)) => is_same_digest(&digest, named),
        _ => true,
    };
    listed.iter().any(|row| is_row_of(row, &asked) && row["deprecated_at"].is_null() && is_of(row))
}

fn joins_on_another_version(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let deprecated = json!(with.number("version"));
    let expect =
        |result: CheckResult| result.expecting(format!("a join on another version than {deprecated}"));
    let calls = trace.exchanges_of(with.text("peer"), Direction::FromTarget);
    let accepts: Vec<_> = calls.filter(|(_, call)| call.route() == Some(Route::Accept)).collect();
    let adopts = |accept: &Exchange| is_same_version(&asked(accept), &deprecated);
    if let Some((entry, _)) = accepts.iter().find(|(_, accept)| adopts(accept)) {
        return expect(CheckResult::broken(format!("it joins on version {deprecated}"), vec![entry.n]));
    }
    match accepts.iter().find(|(_, accept)| accept.succeeded()) {
        Some((entry, accept)) => {
            expect(CheckResult::kept(format!("it joins on version {}", asked(accept)), vec![entry.n]))
        }
        None => expect(CheckResult::unproven("it joined no one", vec![])),
    }
}

fn mismatch_counts_thrice(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let norm = with.number("norm").unwrap_or_default();
    let expect = |result: CheckResult| {
        result.expecting(format!("the mismatch counts against {norm}: one breach more, which suspends"))
    };
    let looks = |name: &str| {
        let labels = with.texts(name).into_iter();
        labels.map(|label| peer_shown(trace, label)).collect::<Option<Vec<_>>>()
    };
    let (Some(records), Some(shown)) = (looks("record"), looks("shown")) else {
        return expect(CheckResult::unproven("the peers were not shown", vec![]));
    };
    // If a platform suspends at the third breach, the peer with two breaches shows it.
    let last = records.iter().rposition(|(_, peer)| is_suspended(peer) == Some(false));
    let last = last.and_then(|last| {
        Some((last + 1, records[last].0, shown.get(last)?, *with.texts("peers").get(last)?))
    });
    let Some((breaches, before, (after, peer), name)) = last else {
        return expect(CheckResult::unproven("the first breach had suspended every peer", vec![]));
    };
    let Some((scan, Told { noticed, raised })) = reported_about(trace, with, name) else {
        return expect(CheckResult::unproven("the findings could not be read", vec![before, *after]));
    };
    let evidence = vec![before, *after, scan];
    let Some(is_suspended) = is_suspended(peer) else {
        let actual = format!("what status is {}?", peer["status"]);
        return expect(CheckResult::unproven(actual, evidence));
    };
    match (is_suspended, raised.is_empty()) {
        (false, true) => expect(CheckResult::broken("it raised no finding, and suspended no one", evidence)),
        _ if noticed == 0 => {
            expect(CheckResult::unproven("the breaches before it were not noticed", evidence))
        }
        (true, false) => expect(CheckResult::kept(format!("{name} was suspended by the mismatch"), evidence)),
        (true, true) => expect(CheckResult::broken("the mismatch raised no finding", evidence)),
        // It is open what counts as one breach: a claim that stays may be one, however often it is acted on.
        (false, _) if noticed < breaches => {
            let actual = format!("of {breaches} breaches {noticed} are told of, and none more suspends");
            expect(CheckResult::unproven(actual, evidence))
        }
        // It is open whether breaches are counted by clause or by commitment.
        (false, _) if raised.iter().any(|finding| names_norm(finding, norm)) => {
            expect(CheckResult::unproven("the finding names the norm, and does not suspend", evidence))
        }
        (false, _) => {
            let actual = format!("{name} is not suspended, and no finding names the norm");
            expect(CheckResult::broken(actual, evidence))
        }
    }
}

/// The findings about a peer.
struct Told {
    /// The number of breaches before the mismatch; a finding may stand for several.
    noticed: usize,
    /// The findings that the mismatch raised or changed, as JSON.
    raised: Vec<Value>,
}

fn reported_about(trace: &Trace, with: Arguments<'_>, peer: &str) -> Option<(u64, Told)> {
    let peer = peer_id(trace, peer)?;
    let about = |label: &str| {
        let (n, findings) = findings(trace, label)?;
        let about = findings.into_iter().filter(|it| it.federation_peer_id.as_deref() == Some(&*peer));
        Some((n, about.filter_map(|finding| serde_json::to_value(finding).ok()).collect::<Vec<_>>()))
    };
    let (_, known) = about(with.text("before"))?;
    let (scan, seen) = about(with.text("after"))?;
    let times = |finding: &Value| {
        let count = finding["count"].as_u64().and_then(|count| usize::try_from(count).ok());
        count.unwrap_or(1).clamp(1, 99)
    };
    let noticed = known.iter().map(times).sum();
    let raised = seen.into_iter().filter(|finding| !known.contains(finding)).collect();
    Some((scan, Told { noticed, raised }))
}

/// Returns whether a finding names a commitment, or one of its clauses, anywhere: as a number or in a text.
fn names_norm(finding: &Value, norm: i64) -> bool {
    match finding {
        Value::Array(items) => items.iter().any(|item| names_norm(item, norm)),
        // A count and a time are no names.
        Value::Object(members) => {
            members.iter().any(|(name, member)| name != "count" && names_norm(member, norm))
        }
        Value::Number(number) => number.as_i64() == Some(norm),
        Value::String(text) => {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            words.any(|word| is_of_norm(word.trim_matches('.'), norm))
        }
        Value::Null | Value::Bool(_) => false,
    }
}

/// Returns whether a word names the commitment: `3`, `c3` or `3.2`, but no release such as `3.2.0`.
fn is_of_norm(word: &str, norm: i64) -> bool {
    let word = word.trim_start_matches(['c', 'C']);
    let (commitment, clause) = word.split_once('.').unwrap_or((word, "1"));
    commitment == norm.to_string() && clause.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder, What};

    type Decide = fn(&Trace, Arguments<'_>) -> CheckResult;

    /// A builder of a trace, in the order of its operations and reads.
    struct TraceBuilder(Recorder);

    impl TraceBuilder {
        fn begin() -> Self {
            let start = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
            Self(Recorder::in_memory("x", Clock::manual(start)))
        }

        fn operation(self, label: Option<&str>, method: &str, parameters: Value, result: Value) -> Self {
            let operation =
                Operation { method: method.into(), parameters, result: Some(result), failure: None };
            self.0.record(None, label, What::Operation(operation));
            self
        }

        fn look(self, label: &str, result: Value) -> Self {
            self.operation(Some(label), "x", json!({}), result)
        }

        fn call(self, label: &str, path: &str, sent: Value, status: u16, data: &Value) -> Self {
            self.exchange(Direction::ToTarget, label, path, sent, status, data)
        }

        fn exchange(
            self,
            direction: Direction,
            label: &str,
            path: &str,
            sent: Value,
            status: u16,
            data: &Value,
        ) -> Self {
            let exchange = Exchange::made("alice", direction)
                .on("POST", path)
                .sending(sent)
                .answered_with(status, json!({ "data": data }));
            self.0.record(None, Some(label), What::Exchange(exchange));
            self
        }

        fn accept(self, asked: u64, status: u16, agreed: u64) -> Self {
            let data = json!({"peer_id": "1", "contract_version_agreed": agreed, "contract_digest": "ab"});
            let sent = json!({"contract_version": asked, "contract_digest": "AB"});
            self.call("accepted", "accept", sent, status, &data)
        }

        fn verdict(self, evaluate: Decide, with: Value) -> Verdict {
            let with = serde_json::from_value(with).expect("arguments");
            evaluate(&self.0.trace(), Arguments::new(&with)).verdict
        }
    }

    fn digests(listed: Value) -> Verdict {
        let settings = json!({"settings": {"contract_versions": [{"version": 7002, "text": "abc"}]}});
        let started = TraceBuilder::begin().operation(None, "platform.start", settings, json!({}));
        started.look("listed", listed).verdict(digests_are_stored, json!({"shown": "listed"}))
    }

    #[test]
    fn a_version_without_its_digest_is_broken() {
        let first = json!({"version": 1, "digest": REGISTER_V1.digest});
        let second = |digest: &str| json!({"version": 7002, "digest": digest});
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digests(json!([first, second(of_abc)])), Kept);
        assert_eq!(digests(json!([first, second(REGISTER_V1.digest)])), Broken);
        assert_eq!(digests(json!([first, second("")])), Broken);
        assert_eq!(digests(json!([first, second("crc32:352441c2")])), Unproven);
        assert_eq!(digests(json!([{"version": 1}])), Broken);
        assert_eq!(digests(json!([second(of_abc)])), Unproven);
        assert_eq!(digests(json!([1, 7002])), Unproven);
        assert_eq!(digests(json!([{"version": 1, "digest": of_abc}])), Unproven);
    }

    #[test]
    fn versions_of_its_own_and_digests_in_other_forms_are_valid() {
        let first =
            json!({"version": "1", "sha256": format!("sha256:{}", REGISTER_V1.digest.to_uppercase())});
        let own = json!({"version": 2, "digest": REGISTER_V1.digest});
        assert_eq!(digests(json!({"data": {"contracts": [first, own]}})), Kept);
        let parted = json!({"algorithm": "sha-256", "value": REGISTER_V1.digest});
        assert_eq!(digests(json!([{"version": "v1", "digest": parted}])), Kept);
    }

    #[test]
    fn a_draft_needs_no_digest_and_a_version_in_force_does() {
        let first = json!({"version": 1, "digest": REGISTER_V1.digest});
        for (more, expected) in [
            (json!({"status": "Draft"}), Kept),
            (json!({"effective_at": "2026-06-02"}), Kept),
            (json!({"effective_at": "2026-06-01T00:00:01Z"}), Kept),
            (json!({"effective_at": "2026-05-14"}), Broken),
            (json!({"status": "released"}), Broken),
        ] {
            let mut second = more.clone();
            second["version"] = json!(2);
            assert_eq!(digests(json!([first, second])), expected, "{more}");
        }
    }

    #[test]
    fn another_version_or_text_on_record_than_was_agreed_is_broken() {
        let kept = |asked: u64, agreed: u64, recorded: u64, digest: &str| {
            let peer = json!({"peer": {"contract_version_agreed": recorded, "contract_digest": digest}});
            let builder = TraceBuilder::begin().accept(asked, 200, agreed).look("shown", peer);
            builder.verdict(same_version_on_both_sides, json!({"call": "accepted", "shown": "shown"}))
        };
        assert_eq!(kept(1, 1, 1, "ab"), Kept);
        assert_eq!(kept(1, 2, 1, "ab"), Broken);
        assert_eq!(kept(1, 1, 2, "ab"), Broken);
        assert_eq!(kept(1, 1, 1, "cd"), Broken);
        let labels = json!({"call": "accepted", "shown": "shown"});
        let mute =
            TraceBuilder::begin().accept(1, 200, 1).look("shown", json!({"peer": {"status": "active"}}));
        assert_eq!(mute.verdict(same_version_on_both_sides, labels.clone()), Unproven);
        let written = json!({"peer": {"contract_version_agreed": "1", "contract_digest": "ab"}});
        let written = TraceBuilder::begin().accept(1, 200, 1).look("shown", written);
        assert_eq!(written.verdict(same_version_on_both_sides, labels), Kept);
        let nothing = TraceBuilder::begin();
        assert_eq!(
            nothing.verdict(same_version_on_both_sides, json!({"call": "accepted", "shown": "shown"})),
            Unproven
        );
    }

    #[test]
    fn a_released_version_that_no_one_may_have_is_broken() {
        let side_by_side = |listed: Value, second: (u16, u64), alive: u16| {
            let builder =
                TraceBuilder::begin().look("listed", listed).accept(1, 200, 1).accept(2, second.0, second.1);
            let builder = builder.call("alive", "heartbeat", json!({}), 200, &json!({}));
            builder.call("alive", "heartbeat", json!({}), alive, &json!({})).verdict(
                versions_side_by_side,
                json!({"shown": "listed", "call": "accepted", "probe": "alive"}),
            )
        };
        let both = json!([{"version": 1}, {"version": 2}]);
        assert_eq!(side_by_side(both.clone(), (200, 2), 200), Kept);
        assert_eq!(side_by_side(both.clone(), (422, 0), 200), Broken);
        assert_eq!(side_by_side(both.clone(), (200, 1), 200), Broken);
        assert_eq!(side_by_side(both, (200, 2), 401), Broken);
        assert_eq!(side_by_side(json!([{"version": 1}]), (422, 0), 200), Unproven);
        let another = json!([{"version": 1}, {"version": 2, "digest": REGISTER_V1.digest}]);
        assert_eq!(side_by_side(another, (422, 0), 200), Unproven);
    }

    #[test]
    fn a_join_on_a_deprecated_version_is_broken() {
        let joined = |versions: &[u64]| {
            let join = |builder: TraceBuilder, asked: &u64| {
                builder.exchange(
                    Direction::FromTarget,
                    "join",
                    "accept",
                    json!({ "contract_version": asked }),
                    200,
                    &json!({}),
                )
            };
            let builder = versions.iter().fold(TraceBuilder::begin(), join);
            builder.verdict(joins_on_another_version, json!({"peer": "alice", "version": 7002}))
        };
        assert_eq!(joined(&[1]), Kept);
        assert_eq!(joined(&[7002]), Broken);
        assert_eq!(joined(&[1, 7002]), Broken);
        assert_eq!(joined(&[]), Unproven);
    }

    /// Returns the verdict on the mismatch of a peer with two breaches.
    fn mismatch(before: &Value, after: &Value, status: &str) -> Verdict {
        let peer = |status: &str| json!({"peer": {"status": status}});
        let scan = |findings: &Value| json!({ "findings": findings });
        let builder = TraceBuilder::begin().accept(1, 200, 1);
        let builder = builder.look("record", peer("active")).look("before", scan(before));
        let builder = builder.look("after", scan(after)).look("shown", peer(status));
        let builder = builder.look("record-2", peer("active")).look("shown-2", peer(status));
        builder.verdict(
            mismatch_counts_thrice,
            json!({
                "peers": ["bob", "alice"], "norm": 3, "record": ["record", "record-2"],
                "shown": ["shown", "shown-2"], "before": "before", "after": "after",
            }),
        )
    }

    #[test]
    fn a_mismatch_that_does_not_suspend_has_to_name_the_norm() {
        let finding =
            |kind: &str, payload: Value| json!({"kind": kind, "federation_peer_id": "1", "payload": payload});
        let two = json!([finding("drift", json!({"row": "a"})), finding("drift", json!({"row": "b"}))]);
        let with = |payload: Value| json!([two[0], two[1], finding("mismatch", payload)]);
        assert_eq!(mismatch(&two, &with(json!({})), "suspended"), Kept);
        assert_eq!(mismatch(&two, &two, "suspended"), Broken);
        assert_eq!(mismatch(&two, &with(json!({"version": 7002, "at": "3.0.1"})), "active"), Broken);
        for named in
            [json!({"norms": ["3", "6"]}), json!({"why": "counts against C3."}), json!({"clause": 3})]
        {
            assert_eq!(mismatch(&two, &with(named.clone()), "active"), Unproven, "{named}");
        }
        let one = json!([two[0]]);
        assert_eq!(mismatch(&one, &with(json!({})), "active"), Unproven);
        assert_eq!(mismatch(&json!([]), &with(json!({})), "suspended"), Unproven);
        assert_eq!(mismatch(&json!([]), &json!([]), "active"), Broken);
    }
}

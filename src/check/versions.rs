//! Contract versioning (V), and what a mismatch counts as (12.2).

use serde_json::Value;

use super::common::{findings, is_same_number, new_findings, outcome, peer_id, peer_shown};
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::contract::REGISTER_V1;
use crate::transcript::Story;
use crate::wire::canonical::sha256_hex;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "digests-are-stored",
        about: "each released contract version is known with the SHA-256 of its text",
        parameters: &[Parameter::required("shown", "label of the operator's list of contract versions")],
        decide: digests_are_stored,
    },
    Judge {
        name: "same-version-on-both-sides",
        about: "what the handshake agreed to is what was asked for, and what stands on the target's record",
        parameters: &[
            Parameter::required("call", "label of the accept"),
            Parameter::required("shown", "label of the operator's look at the peer"),
        ],
        decide: same_version_on_both_sides,
    },
    Judge {
        name: "versions-side-by-side",
        about: "each of two contract versions is agreed to by whoever asks for it, and both peers are served",
        parameters: &[
            Parameter::required("shown", "label of the operator's list of contract versions"),
            Parameter::required("call", "labels of the accepts, one for each version"),
            Parameter::required("probe", "label of lawful calls of both peers afterwards"),
        ],
        decide: versions_side_by_side,
    },
    Judge {
        name: "mismatch-counts-thrice",
        about: "a contract mismatch is one breach more of a norm: it suspends who was one short of that",
        parameters: &[
            Parameter::required("peers", "the names of peers of one breach, of two, …"),
            Parameter::required("norm", "the commitment that was breached: 3 or 6"),
            Parameter::required("record", "labels of the looks at these peers after their breaches"),
            Parameter::required("shown", "labels of the looks after the mismatch of each"),
            Parameter::required("before", "label of the scan before the mismatch"),
            Parameter::required("after", "label of the scan after it"),
        ],
        decide: mismatch_counts_thrice,
    },
];

fn digests_are_stored(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("a SHA-256 for each version, that of its text");
    let Some((n, listed)) = listed(story, with.text("shown")) else {
        return expect(Judgement::unproven("the contract versions were not listed", vec![]));
    };
    let handed_in = handed_in(story);
    for version in &listed {
        let number = &version["version"];
        let digest = version["digest"].as_str().unwrap_or_default();
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return expect(Judgement::broken(format!("version {number} has no digest"), vec![n]));
        }
        let due = handed_in.iter().find(|(given, _)| given == number).map(|(_, digest)| digest.as_str());
        if due.is_some_and(|due| !due.eq_ignore_ascii_case(digest)) {
            let actual = format!("version {number} has {digest}, which is not that of its text");
            return expect(Judgement::broken(actual, vec![n]));
        }
    }
    let first = listed.iter().find(|version| version["version"] == 1);
    match first {
        None => expect(Judgement::unproven("version 1 is not listed", vec![n])),
        // A later revision under the same number is a register of its own.
        Some(first)
            if !first["digest"].as_str().unwrap_or_default().eq_ignore_ascii_case(REGISTER_V1.digest) =>
        {
            expect(Judgement::unproven(format!("version 1 is another text: {}", first["digest"]), vec![n]))
        }
        Some(_) => expect(Judgement::kept(format!("{} versions with their digests", listed.len()), vec![n])),
    }
}

fn listed(story: &Story, label: &str) -> Option<(u64, Vec<Value>)> {
    let (n, operation) = story.operation(label)?;
    let result = operation.result.as_ref()?;
    let list = result
        .as_array()
        .or_else(|| result["contracts"].as_array())
        .or_else(|| result["versions"].as_array())?;
    (!list.is_empty()).then(|| (n, list.clone()))
}

/// The versions whose texts the suite handed in, with the digests that they have.
fn handed_in(story: &Story) -> Vec<(Value, String)> {
    let mut starts = story.entries().iter().filter_map(|entry| entry.operation());
    let start = starts.find(|operation| operation.verb == "platform.start");
    let versions = start.and_then(|start| start.parameters["settings"]["contract_versions"].as_array());
    let versions = versions.into_iter().flatten();
    versions.filter_map(|row| Some((row["version"].clone(), sha256_hex(row["text"].as_str()?)))).collect()
}

fn same_version_on_both_sides(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("the version that was asked for, told back and on record");
    let accept = story.exchanges_labelled(with.text("call")).find(|(_, exchange)| exchange.succeeded());
    let (Some((accepted, accept)), Some((shown, peer))) = (accept, peer_shown(story, with.text("shown")))
    else {
        return expect(Judgement::unproven("no accept succeeded, or no peer was shown", vec![]));
    };
    let evidence = vec![accepted, shown];
    let (sent, told) = (accept.sent().cloned().unwrap_or_default(), accept.data().unwrap_or_default());
    let versions =
        [&sent["contract_version"], &told["contract_version_agreed"], &peer["contract_version_agreed"]];
    if !versions[1..].iter().all(|version| is_same_number(Some(version), Some(versions[0]))) {
        let actual =
            format!("asked for {}, told back {}, on record {}", versions[0], versions[1], versions[2]);
        return expect(Judgement::broken(actual, evidence));
    }
    let digests = [&sent["contract_digest"], &told["contract_digest"], &peer["contract_digest"]];
    let mut given = digests.iter().filter_map(|digest| digest.as_str()).map(str::to_lowercase);
    let first = given.next();
    if given.any(|digest| Some(&digest) != first.as_ref()) {
        let actual = format!("the digests differ: {}, {}, {}", digests[0], digests[1], digests[2]);
        return expect(Judgement::broken(actual, evidence));
    }
    expect(Judgement::kept(format!("version {} on both sides", versions[0]), evidence))
}

fn versions_side_by_side(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("each version agreed to as asked, both peers served");
    let accepts: Vec<_> =
        with.texts("call").into_iter().flat_map(|label| story.exchanges_labelled(label)).collect();
    let Some((listed_n, listed)) = listed(story, with.text("shown")) else {
        return expect(Judgement::unproven("the contract versions were not listed", vec![]));
    };
    let asked = |exchange: &crate::transcript::Exchange| {
        exchange.sent().map(|sent| sent["contract_version"].clone()).unwrap_or_default()
    };
    let is_released = |version: &Value| {
        listed.iter().any(|row| row["version"] == *version && row["deprecated_at"].is_null())
    };
    let unreleased = accepts.iter().find(|(_, exchange)| !is_released(&asked(exchange)));
    if let Some((n, exchange)) = unreleased {
        let actual = format!("the target knows no version {}", asked(exchange));
        return expect(Judgement::unproven(actual, vec![listed_n, *n]));
    }
    for (n, exchange) in &accepts {
        let agreed = exchange.data().map(|data| data["contract_version_agreed"].clone()).unwrap_or_default();
        if !exchange.succeeded() || agreed != asked(exchange) {
            let actual =
                format!("asked for version {}: {}, agreed to {agreed}", asked(exchange), outcome(exchange));
            return expect(Judgement::broken(actual, vec![listed_n, *n]));
        }
    }
    let probes: Vec<_> = story.exchanges_labelled(with.text("probe")).collect();
    if let Some((n, exchange)) = probes.iter().find(|(_, exchange)| !exchange.succeeded()) {
        return expect(Judgement::broken(format!("one is not served: {}", outcome(exchange)), vec![*n]));
    }
    let evidence: Vec<u64> = accepts.iter().chain(&probes).map(|(n, _)| *n).collect();
    if accepts.len() < 2 || probes.len() < 2 {
        return expect(Judgement::unproven("there were not two peers", evidence));
    }
    expect(Judgement::kept(format!("{} versions side by side", accepts.len()), evidence))
}

fn mismatch_counts_thrice(story: &Story, with: Arguments<'_>) -> Judgement {
    let norm = with.number("norm").unwrap_or_default();
    let expect = |judgement: Judgement| {
        judgement.expecting(format!("the mismatch counts against {norm}: one breach more, which suspends"))
    };
    let looks = |name: &str| {
        let labels = with.texts(name).into_iter();
        labels.map(|label| peer_shown(story, label)).collect::<Option<Vec<_>>>()
    };
    let (Some(records), Some(shown)) = (looks("record"), looks("shown")) else {
        return expect(Judgement::unproven("the peers were not shown", vec![]));
    };
    // Where a platform suspends at the third breach, it is the peer of two that shows it.
    let last = records.iter().rposition(|(_, peer)| peer["status"] != "suspended");
    let last =
        last.and_then(|last| Some((records[last].0, shown.get(last)?, *with.texts("peers").get(last)?)));
    let Some((before, (after, peer), name)) = last else {
        return expect(Judgement::unproven("the first breach had suspended every peer", vec![]));
    };
    let Some((scan, raised)) = raised_about(story, with, name) else {
        return expect(Judgement::unproven("the findings could not be read", vec![before, *after]));
    };
    let evidence = vec![before, *after, scan];
    match (peer["status"] == "suspended", raised.is_empty()) {
        (true, false) => expect(Judgement::kept(format!("{name} was suspended by the mismatch"), evidence)),
        (true, true) => expect(Judgement::broken("the mismatch raised no finding", evidence)),
        // Whether breaches are counted by clause or by commitment is open.
        (false, _) if raised.iter().any(|finding| names_norm(finding, norm)) => {
            expect(Judgement::unproven("the finding names the norm, and does not suspend", evidence))
        }
        (false, _) => {
            let actual = format!("{name} is not suspended, and no finding names the norm");
            expect(Judgement::broken(actual, evidence))
        }
    }
}

/// What the mismatch raised about a peer, as JSON.
fn raised_about(story: &Story, with: Arguments<'_>, peer: &str) -> Option<(u64, Vec<Value>)> {
    let (_, known) = findings(story, with.text("before"))?;
    let (scan, seen) = findings(story, with.text("after"))?;
    let raised = new_findings(&known, &seen, &peer_id(story, peer)?);
    Some((scan, raised.into_iter().filter_map(|finding| serde_json::to_value(finding).ok()).collect()))
}

fn names_norm(finding: &Value, norm: i64) -> bool {
    let lists = [&finding["commitments"], &finding["payload"]["commitments"]];
    let mut named = lists.into_iter().filter_map(Value::as_array).flatten();
    // A commitment as a number, or as a text; or one of its clauses.
    named.any(|named| {
        let text = named.as_str().map_or_else(|| named.to_string(), ToOwned::to_owned);
        text.split('.').next() == Some(&*norm.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Body, Direction, Exchange, Message, Operation, Recorder, What};
    use serde_json::json;

    type Decide = fn(&Story, Arguments<'_>) -> Judgement;

    /// What was done and looked at, in order.
    struct Tale(Recorder);

    impl Tale {
        fn begin() -> Self {
            let start = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
            Self(Recorder::in_memory("x", Clock::manual(start)))
        }

        fn operation(self, label: Option<&str>, verb: &str, parameters: Value, result: Value) -> Self {
            let operation = Operation { verb: verb.into(), parameters, result: Some(result), failure: None };
            self.0.record(None, label, What::Operation(operation));
            self
        }

        fn look(self, label: &str, result: Value) -> Self {
            self.operation(Some(label), "x", json!({}), result)
        }

        fn call(self, label: &str, path: &str, sent: Value, status: u16, data: &Value) -> Self {
            let exchange = Exchange {
                peer: "alice".into(),
                direction: Direction::ToTarget,
                request: Message {
                    method: Some("POST".into()),
                    path: Some(format!("/api/v1/system/federation_api/{path}")),
                    body: Body::Json(sent),
                    ..Message::default()
                },
                response: Some(Message {
                    status: Some(status),
                    body: Body::Json(json!({ "data": data })),
                    ..Message::default()
                }),
                failure: None,
                tls: None,
                protocol: None,
                injected: vec![],
            };
            self.0.record(None, Some(label), What::Exchange(exchange));
            self
        }

        fn accept(self, asked: u64, status: u16, agreed: u64) -> Self {
            let data = json!({"peer_id": "1", "contract_version_agreed": agreed, "contract_digest": "ab"});
            let sent = json!({"contract_version": asked, "contract_digest": "AB"});
            self.call("accepted", "accept", sent, status, &data)
        }

        fn verdict(self, decide: Decide, with: Value) -> Verdict {
            let with = serde_json::from_value(with).expect("arguments");
            decide(&self.0.story(), Arguments::new(&with)).verdict
        }
    }

    fn digests(listed: Value) -> Verdict {
        let settings = json!({"settings": {"contract_versions": [{"version": 2, "text": "abc"}]}});
        let started = Tale::begin().operation(None, "platform.start", settings, json!({}));
        started.look("listed", listed).verdict(digests_are_stored, json!({"shown": "listed"}))
    }

    #[test]
    fn a_version_without_its_digest_is_broken() {
        let first = json!({"version": 1, "digest": REGISTER_V1.digest});
        let second = |digest: &str| json!({"version": 2, "digest": digest});
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digests(json!([first, second(of_abc)])), Kept);
        assert_eq!(digests(json!([first, second(REGISTER_V1.digest)])), Broken);
        assert_eq!(digests(json!([first, second("")])), Broken);
        assert_eq!(digests(json!([{"version": 1}])), Broken);
        assert_eq!(digests(json!([second(of_abc)])), Unproven);
        assert_eq!(digests(json!([{"version": 1, "digest": of_abc}])), Unproven);
    }

    #[test]
    fn another_version_or_text_on_record_than_was_agreed_is_broken() {
        let kept = |asked: u64, agreed: u64, recorded: u64, digest: &str| {
            let peer = json!({"peer": {"contract_version_agreed": recorded, "contract_digest": digest}});
            let tale = Tale::begin().accept(asked, 200, agreed).look("shown", peer);
            tale.verdict(same_version_on_both_sides, json!({"call": "accepted", "shown": "shown"}))
        };
        assert_eq!(kept(1, 1, 1, "ab"), Kept);
        assert_eq!(kept(1, 2, 1, "ab"), Broken);
        assert_eq!(kept(1, 1, 2, "ab"), Broken);
        assert_eq!(kept(1, 1, 1, "cd"), Broken);
        let nothing = Tale::begin();
        assert_eq!(
            nothing.verdict(same_version_on_both_sides, json!({"call": "accepted", "shown": "shown"})),
            Unproven
        );
    }

    #[test]
    fn a_released_version_that_no_one_may_have_is_broken() {
        let side_by_side = |listed: Value, second: (u16, u64), alive: u16| {
            let tale = Tale::begin().look("listed", listed).accept(1, 200, 1).accept(2, second.0, second.1);
            let tale = tale.call("alive", "heartbeat", json!({}), 200, &json!({}));
            tale.call("alive", "heartbeat", json!({}), alive, &json!({})).verdict(
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
    }
}

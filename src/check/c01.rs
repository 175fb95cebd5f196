//! Commitment 1: identity disclosure.

use semver::Version;
use serde_json::Value;

use super::common::{outcome, peer_shown};
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::path::Route;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "discloses",
        about: "the target says a member of its disclosure, well-formed, to a peer that it federates with",
        parameters: &[
            Parameter::required("peer", "the peer's name"),
            Parameter::required("member", "the member of `metadata`"),
        ],
        decide: discloses,
    },
    Judge {
        name: "never-enrolled",
        about: "who does not disclose all of itself never reaches `enrolled`, and who does, does",
        parameters: &[
            Parameter::required("call", "labels of the accepts that disclose too little"),
            Parameter::required("shown", "labels of the operator's looks at those peers"),
            Parameter::required("twin", "label of an accept that discloses all"),
        ],
        decide: never_enrolled,
    },
];

fn discloses(story: &Story, with: Arguments<'_>) -> Judgement {
    let (peer, member) = (with.text("peer"), with.text("member"));
    let expect = |judgement: Judgement| {
        judgement.expecting(format!("a well-formed {member} in the target's heartbeat, or at the handshake"))
    };
    let beats: Vec<_> = story
        .exchanges_of(peer, Direction::FromTarget)
        .filter(|(_, exchange)| exchange.route() == Some(Route::Heartbeat))
        .collect();
    let said = |exchange: &Exchange| exchange.sent().and_then(|body| read(body, member));
    let told = |exchange: &Exchange| exchange.data().and_then(|data| read(&data, member));
    let in_heartbeats = beats.iter().filter_map(|(entry, exchange)| Some((entry.n, said(exchange)?)));
    // What was disclosed at the handshake still stands for a heartbeat that leaves it out.
    let handshake = story
        .exchanges_of(peer, Direction::ToTarget)
        .filter(|(_, exchange)| matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat)));
    let at_handshake = handshake.filter_map(|(entry, exchange)| Some((entry.n, told(exchange)?)));
    let disclosed: Vec<(u64, Value)> = in_heartbeats.chain(at_handshake).collect();
    if let Some((n, value)) = disclosed.iter().find(|(_, value)| !is_well_formed(member, value)) {
        return expect(Judgement::broken(format!("{member} is {value}"), vec![*n]));
    }
    if let Some((n, value)) = disclosed.first() {
        return expect(Judgement::kept(format!("{member} is {value}"), vec![*n]));
    }
    if beats.is_empty() {
        return expect(Judgement::unproven("the target sent no heartbeat", vec![]));
    }
    let evidence = beats.iter().map(|(entry, _)| entry.n).collect();
    expect(Judgement::broken(format!("{} heartbeats, none with {member}", beats.len()), evidence))
}

/// In `metadata`, or beside it where the observed wire has it.
fn read(body: &Value, member: &str) -> Option<Value> {
    let places = [body.get("metadata").and_then(|metadata| metadata.get(member)), body.get(member)];
    places.into_iter().flatten().find(|value| !value.is_null()).cloned()
}

/// An email address or an identifier with a signature (1.1), a semantic version (1.3), any text (1.2, 1.4).
fn is_well_formed(member: &str, value: &Value) -> bool {
    let text = value.as_str().map(str::trim).filter(|text| !text.is_empty());
    match member {
        "operator_contact" => {
            value.as_object().is_some_and(|it| !it.is_empty()) || text.is_some_and(is_contact)
        }
        "platform_version" => text.is_some_and(|text| Version::parse(text).is_ok()),
        _ => text.is_some(),
    }
}

fn is_contact(text: &str) -> bool {
    let is_address =
        |word: &str| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_email = text.split_whitespace().any(is_address);
    let lower = text.to_lowercase();
    is_email || ["pgp", "fpr"].iter().any(|word| lower.contains(word))
}

fn never_enrolled(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("refused, or left at `accepted`; never `enrolled` or `active`")
    };
    let twin = story.exchanges_labelled(with.text("twin")).next();
    let Some((twin, _)) = twin.filter(|(_, exchange)| exchange.succeeded()) else {
        return expect(Judgement::unproven("a whole disclosure was not accepted either", vec![]));
    };
    let mut evidence = vec![twin];
    for label in with.texts("call") {
        for (n, exchange) in story.exchanges_labelled(label) {
            let status = exchange.data().and_then(|data| data.get("status")?.as_str().map(ToOwned::to_owned));
            if exchange.succeeded() && status.as_deref().is_some_and(is_let_in) {
                return expect(Judgement::broken(format!("{label:?}: {}", outcome(exchange)), vec![n]));
            }
            evidence.push(n);
        }
    }
    for label in with.texts("shown") {
        let Some((n, peer)) = peer_shown(story, label) else {
            return expect(Judgement::unproven(format!("{label:?} shows no peer"), evidence));
        };
        let status = peer["status"].as_str().unwrap_or_default();
        if is_let_in(status) {
            return expect(Judgement::broken(format!("{label:?} is {status}"), vec![n]));
        }
        evidence.push(n);
    }
    expect(Judgement::kept(format!("{} disclosures were too little", with.texts("shown").len()), evidence))
}

fn is_let_in(status: &str) -> bool {
    matches!(status, "enrolled" | "active" | "degraded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blanks_and_what_is_no_address_or_version_are_not_well_formed() {
        for (member, value, good) in [
            ("operator_contact", json!("ops@example.org"), true),
            ("operator_contact", json!("openpgp4fpr:0123456789abcdef0123"), true),
            ("operator_contact", json!({"identifier": "x", "signature": "y"}), true),
            ("operator_contact", json!("The operators <ops@example.org>"), true),
            ("operator_contact", json!("call us"), false),
            ("operator_contact", json!("call us @ noon"), false),
            ("operator_contact", json!({}), false),
            ("jurisdiction", json!("DE"), true),
            ("jurisdiction", json!("  "), false),
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
}

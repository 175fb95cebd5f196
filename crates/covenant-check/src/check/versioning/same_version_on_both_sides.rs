//! `same-version-on-both-sides`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::agreement::{is_same_digest, is_version_asked_for, on_record, sha256};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, peer_shown};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;
use serde_json::Value;

/// The contract version and digest that the handshake agreed to are the requested ones, and those on the
/// target's record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct SameVersionOnBothSides {
    /// The accept.
    pub call: Label,
    /// The `peer.show` of the peer that made it.
    pub snapshot: Label,
    /// The accept of a peer that names the target's own text. With it the accept has to name another text, and a refusal of it
    /// is right too.
    pub refusal_control: Option<Label>,
    /// The `peer.show` of that peer before what may change no agreement. With it only a change of the record since then is a
    /// breach, and what differed before it is unproven.
    pub before: Option<Label>,
}

impl Check for SameVersionOnBothSides {
    const ID: &'static str = "same-version-on-both-sides";
    const EXPECTED: &'static [&'static str] =
        &["the version that was asked for, in the answer and on record"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        const MISSING: &str = "no accept succeeded, or no peer was shown";
        let mut is_own_text = false;
        if let Some(control) = &self.refusal_control {
            let accepted = calls(trace).labelled(control).accepted().first_or(MISSING)?;
            let own = named_text(&accepted);
            let is_own = |call: &Call<'_>| Some(is_same_digest(own.as_deref()?, named_text(call)?.as_str()));
            let named = || calls(trace).labelled(&self.call);
            is_own_text = named().any(|call| is_own(&call) == Some(true));
            if let Some(refused) = named().find(|call| call_outcome(call.exchange) == CallOutcome::Refused) {
                let evidence = [accepted.n(), refused.n()];
                if is_own(&refused) != Some(false) {
                    let actual = format!(
                        "{}, and it names no other text than one that is accepted",
                        refused.summary()
                    );
                    return Err(Stop::unproven(actual, evidence));
                }
                return Ok(Pass::new(refused.summary(), evidence));
            }
        }
        let accept = calls(trace).labelled(&self.call).accepted().first_or(MISSING)?;
        let (shown, peer) = peer_shown(trace, &self.snapshot).or_unproven(MISSING)?;
        let evidence = [accept.n(), shown];
        if let Some(before) = &self.before {
            let (n, before) = peer_shown(trace, before).or_unproven("no peer was shown before")?;
            return unchanged(&accept, (n, before), (shown, peer));
        }
        let sent = accept.exchange.sent().cloned().unwrap_or_default();
        let answer = accept.exchange.data().unwrap_or_default();
        let requested = &sent["contract_version"];
        let places = [("the answer", answer.get("contract_version_agreed")), ("the record", on_record(peer))];
        for (place, version) in places {
            let Some(version) = version else { continue };
            let actual = || format!("asked for {requested}, {place} has {version}");
            match is_version_asked_for(version, requested) {
                Some(true) => {}
                Some(false) => return Err(Stop::broken(actual(), evidence)),
                None => return Err(Stop::unproven(actual(), evidence)),
            }
        }
        let digests = [&sent["contract_digest"], &answer["contract_digest"], &peer["contract_digest"]];
        let mut known = digests.iter().filter_map(|digest| text_named(digest));
        let first = known.next();
        if known.any(|digest| first.is_some_and(|first| !is_same_digest(first, digest))) {
            let actual = format!("the digests differ: {}, {}, {}", digests[0], digests[1], digests[2]);
            return Err(Stop::broken(actual, evidence));
        }
        if let Some((n, digest)) =
            first.and_then(|first| other_text_later(trace, &accept.exchange.peer, first))
        {
            let actual = format!(
                "agreed to the text {}, and a later heartbeat names {digest}",
                first.unwrap_or_default()
            );
            return Err(Stop::broken(actual, [accept.n(), n]));
        }
        if let Some((place, _)) = places.iter().find(|(_, version)| version.is_none()) {
            return Err(Stop::unproven(format!("{place} shows no version"), evidence));
        }
        // A target that reads no digest accepts this one as it accepts any other.
        if self.refusal_control.is_some() && text_named(&answer["contract_digest"]).is_none() {
            return Err(Stop::unproven("the answer does not name the text", evidence));
        }
        if is_own_text {
            return Err(Stop::unproven("the accept names the target's own text", evidence));
        }
        Ok(Pass::new(format!("version {requested} on both sides"), evidence))
    }
}

/// Evaluates whether the record of a peer still has the version and the text that the accept asked for, as it did before.
fn unchanged(accept: &Call<'_>, before: (u64, &Value), after: (u64, &Value)) -> Outcome {
    let ((before_n, before), (after_n, after)) = (before, after);
    let evidence = [accept.n(), before_n, after_n];
    let unproven = |actual: String| Err(Stop::unproven(actual, evidence));
    let sent = accept.exchange.sent().cloned().unwrap_or_default();
    let answer = accept.exchange.data().unwrap_or_default();
    let requested = &sent["contract_version"];
    let Some(recorded) = on_record(before) else {
        return unproven("the record showed no version before".to_owned());
    };
    for version in [Some(recorded), answer.get("contract_version_agreed")].into_iter().flatten() {
        if is_version_asked_for(version, requested) != Some(true) {
            return unproven(format!(
                "asked for {requested}, and {version} was agreed to or recorded before"
            ));
        }
    }
    match on_record(after).map(|version| (version, is_version_asked_for(version, requested))) {
        Some((_, Some(true))) => {}
        Some((version, Some(false))) => {
            return Err(Stop::broken(
                format!("the record had {recorded}, and later has {version}"),
                evidence,
            ));
        }
        Some((version, None)) => {
            return unproven(format!("the record had {recorded}, and later has {version}"));
        }
        None => return unproven("the record shows no version later".to_owned()),
    }
    let digests = [&sent["contract_digest"], &answer["contract_digest"], &before["contract_digest"]];
    let known: Vec<&str> = digests.into_iter().filter_map(text_named).collect();
    if known.windows(2).any(|pair| !is_same_digest(pair[0], pair[1])) {
        let [sent, answer, before] = digests;
        return unproven(format!("the digests differed before: {sent}, {answer}, {before}"));
    }
    if let (Some(before), Some(after)) = (text_named(digests[2]), text_named(&after["contract_digest"]))
        && !is_same_digest(before, after)
    {
        let actual = format!("the record had the text {before}, and later has {after}");
        return Err(Stop::broken(actual, evidence));
    }
    Ok(Pass::new(format!("version {recorded} on record before and after"), evidence))
}

/// Returns a digest that names a text. A text that is no SHA-256 is as an absent one (`binding.md`, reading 13).
fn text_named(digest: &Value) -> Option<&str> {
    digest.as_str().filter(|digest| sha256(digest).is_some())
}

/// Returns the digest that an accept names.
fn named_text(accept: &Call<'_>) -> Option<String> {
    Some(accept.exchange.sent()?["contract_digest"].as_str()?.to_owned())
}

/// Returns the first statement of the target to the peer, in a heartbeat or in the answer to one, of another text
/// than the agreed one. The member is the digest of the agreed text (`binding.md`, "Accept and heartbeat").
fn other_text_later(trace: &Trace, peer: &str, agreed: &str) -> Option<(u64, String)> {
    calls(trace).of(peer).on(Route::Heartbeat).find_map(|call| {
        let stated = match call.exchange.direction {
            Direction::FromTarget => call.exchange.sent().cloned(),
            Direction::ToTarget => call.exchange.data(),
        };
        let digest = text_named(&stated?["contract_digest"])?.to_owned();
        (!is_same_digest(agreed, &digest)).then_some((call.n(), digest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns a digest in which each of the letters stands for a SHA-256; any other text as it is.
    fn digest(text: &str) -> String {
        if ["ab", "AB", "Ab", "cd"].contains(&text) { text.repeat(32) } else { text.to_owned() }
    }

    /// Returns a trace with an accept of these versions, requested and agreed.
    fn accepted(requested: u64, agreed: u64) -> TraceBuilder {
        let data =
            json!({"peer_id": "1", "contract_version_agreed": agreed, "contract_digest": digest("ab")});
        let accept = Exchange::to_target("alice")
            .on("POST", "accept")
            .sending(json!({"contract_version": requested, "contract_digest": digest("AB")}))
            .answered_with(200, json!({ "data": data }));
        TraceBuilder::new().call("accepted", accept)
    }

    fn verdict(builder: &TraceBuilder) -> Verdict {
        builder.verdict::<SameVersionOnBothSides>(json!({"call": "accepted", "snapshot": "shown"}))
    }

    fn shown(builder: TraceBuilder, peer: &Value) -> Verdict {
        verdict(&builder.operation("shown", "peer.show", json!({ "peer": peer })))
    }

    #[test]
    fn a_heartbeat_that_names_another_text_than_was_agreed_is_broken() {
        let recorded = json!({"contract_version_agreed": 1, "contract_digest": digest("ab")});
        let beating = |named: &Value| {
            let own = Exchange::from_target("alice")
                .on("POST", "heartbeat")
                .sending(json!({ "contract_digest": named }));
            shown(accepted(1, 1).call("beat", own.answered_with(200, json!({}))), &recorded)
        };
        assert_eq!(beating(&json!(digest("Ab"))), Kept);
        for no_text in [Value::Null, json!(""), json!("n/a"), json!("cd")] {
            assert_eq!(beating(&no_text), Kept, "{no_text} is as an absent digest");
        }
        assert_eq!(beating(&json!(digest("cd"))), Broken);
        let answer = json!({"data": {"contract_digest": digest("cd")}});
        let theirs = Exchange::to_target("alice")
            .on("POST", "heartbeat")
            .sending(json!({"contract_digest": digest("ab")}));
        let answered = accepted(1, 1).call("beat", theirs.answered_with(200, answer));
        assert_eq!(shown(answered, &recorded), Broken);
    }

    #[test]
    fn a_refusal_is_right_where_the_check_has_a_control_of_it() {
        let named_as = |asked: &str, status: u16, answered: &str| {
            let answered = Some(digest(answered)).filter(|digest| !digest.is_empty());
            let data = json!({"contract_version_agreed": 1, "contract_digest": answered});
            let accept = Exchange::to_target("trent")
                .on("POST", "accept")
                .sending(json!({"contract_version": 1, "contract_digest": digest(asked)}))
                .answered_with(status, json!({ "data": data }));
            let peer = json!({"contract_version_agreed": 1, "contract_digest": answered});
            let builder = accepted(1, 1).call("later", accept);
            let builder = builder.operation("shown", "peer.show", json!({ "peer": peer }));
            let with = json!({"call": "later", "snapshot": "shown", "refusal_control": "accepted"});
            builder.verdict::<SameVersionOnBothSides>(with)
        };
        let named = |status: u16, answered: &str| named_as("cd", status, answered);
        assert_eq!(named(422, "ab"), Kept);
        assert_eq!(named_as("ab", 422, ""), Unproven, "it is the target's own text");
        assert_eq!(named_as("ab", 200, "ab"), Unproven, "it names no other text");
        assert_eq!(named(200, "cd"), Kept, "it keeps that text too");
        assert_eq!(named(200, "ab"), Broken);
        assert_eq!(named(429, "ab"), Unproven);
        assert_eq!(named(200, ""), Unproven, "it names no text");
        assert_eq!(named(200, "n/a"), Unproven, "it names no text");
    }

    #[test]
    fn only_a_change_since_the_earlier_snapshot_is_broken() {
        let recorded = |version: &Value, named: &str| json!({"peer": {"contract_version_agreed": version, "contract_digest": digest(named)}});
        let changed = |agreed: u64, before: Value, after: Value| {
            let builder = accepted(1, agreed).operation("earlier", "peer.show", before).operation(
                "shown",
                "peer.show",
                after,
            );
            builder.verdict::<SameVersionOnBothSides>(
                json!({"call": "accepted", "snapshot": "shown", "before": "earlier"}),
            )
        };
        let one = || recorded(&json!(1), "ab");
        assert_eq!(changed(1, one(), one()), Kept);
        assert_eq!(changed(1, one(), recorded(&json!("v1"), "")), Kept);
        assert_eq!(changed(1, one(), recorded(&json!(2), "ab")), Broken);
        assert_eq!(changed(1, one(), recorded(&Value::Null, "ab")), Broken);
        assert_eq!(changed(1, one(), recorded(&json!(1), "cd")), Broken);
        assert_eq!(changed(1, recorded(&json!(2), "ab"), recorded(&json!(2), "ab")), Unproven, "so it was");
        assert_eq!(changed(1, recorded(&json!(2), "ab"), recorded(&json!(3), "ab")), Unproven);
        assert_eq!(changed(2, one(), recorded(&json!(2), "ab")), Unproven, "it answered another version");
        assert_eq!(changed(1, recorded(&json!(1), "cd"), recorded(&json!(1), "cd")), Unproven);
        assert_eq!(
            changed(1, recorded(&json!(1), ""), recorded(&json!(1), "cd")),
            Kept,
            "no text to compare"
        );
        assert_eq!(changed(1, one(), recorded(&json!(["1"]), "ab")), Unproven);
        assert_eq!(changed(1, one(), json!({"peer": {"status": "active"}})), Unproven);
        assert_eq!(changed(1, json!({"peer": {"status": "active"}}), one()), Unproven);
        let unread = accepted(1, 1).operation("shown", "peer.show", one());
        let with = json!({"call": "accepted", "snapshot": "shown", "before": "earlier"});
        assert_eq!(unread.verdict::<SameVersionOnBothSides>(with), Unproven);
    }

    #[test]
    fn another_version_or_text_on_record_than_was_agreed_is_broken() {
        let recorded = |requested: u64, agreed: u64, recorded: u64, named: &str| {
            let peer = json!({"contract_version_agreed": recorded, "contract_digest": digest(named)});
            shown(accepted(requested, agreed), &peer)
        };
        assert_eq!(recorded(1, 1, 1, "ab"), Kept);
        assert_eq!(recorded(1, 2, 1, "ab"), Broken);
        assert_eq!(recorded(1, 1, 2, "ab"), Broken);
        assert_eq!(recorded(1, 1, 1, "cd"), Broken);
        assert_eq!([recorded(1, 1, 1, ""), recorded(1, 1, 1, "n/a")], [Kept, Kept], "no text is on record");
        assert_eq!(shown(accepted(1, 1), &json!({"status": "active"})), Unproven);
        let as_text = json!({"contract_version_agreed": "1", "contract_digest": digest("ab")});
        assert_eq!(shown(accepted(1, 1), &as_text), Kept);
        assert_eq!(verdict(&TraceBuilder::new()), Unproven);
    }
}

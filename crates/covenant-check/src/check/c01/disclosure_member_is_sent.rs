//! `disclosure-member-is-sent`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::disclosure::Member;
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, is_echo, silence_of_heartbeats};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The target discloses the member, well-formed, to a peer with which it federates: in its heartbeats, or at
/// the handshake.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct DisclosureMemberIsSent {
    /// The peer to which the target discloses.
    pub peer: PeerName,
    /// The member of `metadata`.
    pub member: Member,
    /// A second peer, which discloses other values: a target that repeats to each peer the value of that peer
    /// discloses nothing.
    pub other_peer: Option<PeerName>,
    /// The entry after which the target has to disclose. Without it, any time counts.
    pub since: Option<Label>,
}

impl Check for DisclosureMemberIsSent {
    const ID: &'static str = "disclosure-member-is-sent";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] =
        &["a well-formed member in the target's heartbeat, or at the handshake"];

    fn expected(&self) -> Vec<String> {
        vec![format!("a well-formed {} in the target's heartbeat, or at the handshake", self.member)]
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let member = self.member;
        let (echoed, disclosed): (Vec<_>, Vec<_>) =
            sent_to(trace, &self.peer, member).into_iter().partition(|(_, value)| self.is_echo(trace, value));
        if let Some((n, value)) =
            disclosed.iter().find(|(_, value)| member.is_well_formed(value) == Some(false))
        {
            // A value of the peer's own may still turn out to be repeated to it.
            let is_own = has_sent(trace, &self.peer, member, value);
            return Err(Stop::broken(format!("{member} is {value}"), [*n]).final_if(!is_own));
        }
        let since = match &self.since {
            Some(label) => {
                trace.labelled(label).map(|entry| entry.n).min().or_unproven("the moment was not reached")?
            }
            None => 0,
        };
        let of_known_form = |value: &Value| member.is_well_formed(value) == Some(true);
        let later = || disclosed.iter().filter(|(n, _)| *n > since);
        if let Some((n, value)) = later().find(|(_, value)| of_known_form(value)) {
            return Ok(Pass::new(format!("{member} is {value}"), [*n]));
        }
        if let Some((n, value)) = later().next() {
            return Err(Stop::unproven(format!("{member} is {value}, a form that is not known"), [*n]));
        }
        if let Some((n, _)) = disclosed.first() {
            return Err(Stop::unproven(format!("{member} was disclosed before, and not since"), [*n]));
        }
        let heartbeats = heartbeats_to(trace, &self.peer).numbers();
        if heartbeats.is_empty() {
            return Err(silence_of_heartbeats(trace, &self.peer, &format!("{member} in an answer")));
        }
        if let Some((n, value)) = echoed.first() {
            let actual = format!("{member} is {value}: the target repeats to each peer the peer's own value");
            return Err(Stop::broken(actual, [*n]));
        }
        Err(Stop::broken(format!("{} heartbeats, none with {member}", heartbeats.len()), heartbeats))
    }
}

impl DisclosureMemberIsSent {
    /// Returns whether the target repeats to each of two peers, who send different values, the value of that
    /// peer.
    fn is_echo(&self, trace: &Trace, value: &Value) -> bool {
        let of = |body: &Value| self.member.of(body);
        let is_echo = |other: &PeerName| is_echo(trace, [&self.peer, other], value, &of);
        self.other_peer.as_ref().is_some_and(is_echo)
    }
}

/// Returns whether a peer sent the target this value of a member.
fn has_sent(trace: &Trace, peer: &str, member: Member, value: &Value) -> bool {
    let mut sent = introductions_of(trace, peer).filter_map(|call| member.of(call.exchange.sent()?));
    sent.any(|sent| sent == *value)
}

/// Returns the values of a member that the target sent to a peer about itself: in its heartbeats first, then
/// in its answers, then in its accepts. A value that was disclosed at the handshake stays valid for a heartbeat that omits it.
fn sent_to(trace: &Trace, peer: &str, member: Member) -> Vec<(u64, Value)> {
    let in_heartbeats =
        heartbeats_to(trace, peer).filter_map(|call| Some((call.n(), member.of(call.exchange.sent()?)?)));
    let in_answers =
        introductions_of(trace, peer).filter_map(|call| Some((call.n(), member.of(&call.exchange.data()?)?)));
    // A target that joins a peer may disclose itself in its accept alone. A malformed value there breaks nothing by itself:
    // the heartbeats have to disclose a well-formed one then.
    let accepts = calls(trace).of(peer).made_by_target().on(Route::Accept);
    let in_accepts = accepts
        .filter_map(|call| Some((call.n(), member.of(call.exchange.sent()?)?)))
        .filter(|(_, value)| member.is_well_formed(value) != Some(false));
    in_heartbeats.chain(in_answers).chain(in_accepts).collect()
}

fn heartbeats_to<'a>(trace: &'a Trace, peer: &'a str) -> impl DoubleEndedIterator<Item = Call<'a>> {
    calls(trace).of(peer).made_by_target().on(Route::Heartbeat)
}

/// Returns the calls in which a peer discloses itself, and which the target answers in kind.
fn introductions_of<'a>(trace: &'a Trace, peer: &'a str) -> impl DoubleEndedIterator<Item = Call<'a>> {
    let to_target = calls(trace).of(peer).made_by_peer();
    to_target.filter(|call| matches!(call.route(), Some(Route::Accept | Route::Heartbeat)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange, What};
    use serde_json::json;

    /// Returns the verdict on a target that sends these places to alice of DE and to bob of FR, in its answers
    /// and in its heartbeats.
    fn verdict(answers: [&str; 2], heartbeats: [Option<&str>; 2]) -> Verdict {
        let mut builder = TraceBuilder::new();
        let peers = ["alice", "bob"].into_iter().zip(["DE", "FR"]).zip(answers.into_iter().zip(heartbeats));
        for ((peer, own), (answered, sent)) in peers {
            let disclosure = |place: &str| json!({"metadata": {"jurisdiction": place}});
            let answer = json!({"data": disclosure(answered)});
            let sent = sent.map_or(json!({}), disclosure);
            builder = builder
                .unlabelled(heartbeat(peer, Direction::ToTarget, &disclosure(own), &answer))
                .unlabelled(heartbeat(peer, Direction::FromTarget, &sent, &json!({"data": {}})));
        }
        let with = json!({"peer": "alice", "member": "jurisdiction", "other_peer": "bob"});
        builder.verdict::<DisclosureMemberIsSent>(with)
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
    fn a_target_that_repeats_the_value_of_each_peer_discloses_nothing() {
        assert_eq!(verdict(["DE", "FR"], [Some("DE"), Some("FR")]), Broken);
        assert_eq!(verdict(["DE", "FR"], [None, None]), Broken);
        assert_eq!(verdict(["DE", "DE"], [Some("DE"), Some("DE")]), Kept, "it is where alice is");
        assert_eq!(verdict(["DE", "FR"], [Some("SE"), Some("SE")]), Kept, "it answers with the peer's row");
        assert_eq!(verdict(["SE", "SE"], [None, None]), Kept);
    }

    #[test]
    fn a_contact_in_a_form_that_is_not_known_is_unproven() {
        let verdict = |contacts: &[Value]| {
            let beat = |contact: &Value| {
                let sent = json!({"metadata": {"operator_contact": contact}});
                heartbeat("alice", Direction::FromTarget, &sent, &json!({"data": {}}))
            };
            let builder =
                contacts.iter().fold(TraceBuilder::new(), |it, contact| it.unlabelled(beat(contact)));
            let with = json!({"peer": "alice", "member": "operator_contact"});
            builder.verdict::<DisclosureMemberIsSent>(with)
        };
        let (address, unknown) = (json!("ops@example.org"), json!("see our PGP page"));
        assert_eq!(verdict(std::slice::from_ref(&address)), Kept);
        assert_eq!(verdict(std::slice::from_ref(&unknown)), Unproven);
        assert_eq!(verdict(&[unknown.clone(), address.clone()]), Kept);
        assert_eq!(verdict(&[unknown, json!("call us")]), Broken);
    }

    #[test]
    fn a_target_that_joins_may_disclose_itself_in_its_accept_alone() {
        let verdict = |place: &str| {
            let accept = Exchange::made("alice", Direction::FromTarget)
                .on("POST", "accept")
                .sending(json!({"metadata": {"jurisdiction": place}}))
                .answered_with(200, json!({"data": {}}));
            TraceBuilder::new()
                .unlabelled(What::Exchange(accept))
                .unlabelled(heartbeat("alice", Direction::FromTarget, &json!({}), &json!({"data": {}})))
                .verdict::<DisclosureMemberIsSent>(json!({"peer": "alice", "member": "jurisdiction"}))
        };
        assert_eq!(verdict("SE"), Kept);
        assert_eq!(verdict(" "), Broken);
    }
}

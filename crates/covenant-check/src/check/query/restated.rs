//! The statements of a target to a peer after its operator set another value.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::echo::introductions;
use super::succeeded_operation;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use covenant_model::transcript::{Direction, Trace};

/// Time within which a target states what its operator set: a round of its timers, and a heartbeat.
const STATED_WITHIN: SignedDuration = SignedDuration::from_mins(6);

/// A member by which the target introduces itself, and the operation that sets it.
pub(in crate::check) struct Restated<'a> {
    /// The peer that exchanges heartbeats with the target before and after the change.
    pub(in crate::check) peer: &'a str,
    /// The label of the operation.
    pub(in crate::check) change: &'a str,
    /// The parameter of the operation that has the new value.
    pub(in crate::check) parameter: &'static str,
    /// The member, for a person.
    pub(in crate::check) member: &'static str,
    /// Returns the values of the member in a body, in each of its places.
    pub(in crate::check) read: fn(&Value) -> Vec<String>,
    /// Returns whether two values are the same.
    pub(in crate::check) is_same: fn(&str, &str) -> bool,
}

impl Restated<'_> {
    /// Evaluates it. It is broken if each statement after the change is the one before, the last of them at least six minutes later.
    pub(in crate::check) fn evaluate(&self, trace: &Trace) -> Outcome {
        let member = self.member;
        let (changed, change) =
            succeeded_operation(trace, self.change, &format!("{member} was not changed"))?;
        let to = change.parameters[self.parameter].as_str().unwrap_or_default();
        let at = trace.time_of(changed).or_unproven("the time of the change is not known")?;
        let is_new = |stated: &&Stated| (self.is_same)(&stated.value, to);
        let stated = self.stated(trace);
        let (before, after): (Vec<&Stated>, Vec<&Stated>) =
            stated.iter().partition(|stated| stated.n < changed);
        // A notice of the change, with the new value beside it, may come before the operator's call returns.
        let Some(former) = before.iter().rfind(|stated| !is_new(stated)) else {
            let actual = format!("{member} was {to:?} before the change, or was not stated");
            return Err(Stop::unproven(actual, [changed]));
        };
        let last =
            after.last().or_unproven_at(&format!("{member} was not stated after the change"), &[changed])?;
        let evidence = [former.n, changed, last.n];
        if after.iter().any(|stated| stated.n == last.n && is_new(stated)) {
            let actual = format!("{member} is {to:?}, before the change {:?}", former.value);
            return Ok(Pass::new(actual, evidence));
        }
        if let Some(other) = after.iter().find(|stated| stated.value != former.value) {
            let actual =
                format!("{member} is {:?} and {:?}, and the operator set {to:?}", other.value, last.value);
            return Err(Stop::unproven(actual, [former.n, changed, other.n, last.n]));
        }
        let actual = format!("{member} is still {:?}, and the operator set {to:?}", last.value);
        if last.at.duration_since(at) < STATED_WITHIN {
            return Err(Stop::unproven(format!("{actual} less than six minutes before"), evidence));
        }
        Err(Stop::broken(actual, evidence))
    }

    /// Returns what the target stated in its accepts and heartbeats and in its answers to the peer's, in order. An answer may hold
    /// the peer's own row: what the peer itself stated counts for nothing there.
    fn stated(&self, trace: &Trace) -> Vec<Stated> {
        let of_peer: Vec<String> = introductions(trace, self.peer)
            .filter(|call| call.exchange.direction == Direction::ToTarget)
            .flat_map(|call| call.exchange.sent().map(self.read).unwrap_or_default())
            .collect();
        let is_of_peer = |value: &String| of_peer.iter().any(|own| (self.is_same)(own, value));
        introductions(trace, self.peer)
            .flat_map(|call| {
                let mut values = match call.exchange.direction {
                    Direction::FromTarget => call.exchange.sent().map(self.read),
                    Direction::ToTarget => call.exchange.data().as_ref().map(self.read),
                }
                .unwrap_or_default();
                values.retain(|value| call.exchange.direction == Direction::FromTarget || !is_of_peer(value));
                let (n, at) = (call.n(), call.at());
                values.into_iter().map(move |value| Stated { n, at, value })
            })
            .collect()
    }
}

/// A statement of the target.
struct Stated {
    n: u64,
    at: Timestamp,
    value: String,
}

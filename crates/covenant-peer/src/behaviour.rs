//! Deviations of a peer from the contract, as hooks on one correct peer.

use jiff::Timestamp;
use serde_json::{Map, Value};

use covenant_model::wire::migration::{MigrationView, Step};
use covenant_model::wire::path::Route;

/// A way in which a peer deviates from the contract. Each hook that is set mutates one thing; what
/// is not set is done right. One file each under `behaviours/`.
#[derive(Debug)]
pub struct Behaviour {
    /// What a scenario calls it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The clauses that it breaks.
    pub clauses: &'static [&'static str],
    /// Mutates the body of a request before it is sent.
    pub request: Option<Requests>,
    /// Mutates an answer before it is sent: its status and its body.
    pub answer: Option<Answers>,
    /// As destination of a migration: whether the step at this place of so many is applied at all.
    pub applies: Option<fn(usize, usize) -> bool>,
    /// As destination of a migration: applies the last step first, and loses references within the
    /// plan to what is not there yet.
    pub applies_backwards: bool,
    /// As destination of a migration: mutates a record before it is stored. The id is its key.
    pub stores: Option<Stores>,
    /// As destination of a migration: mutates what is claimed of it.
    pub claims: Option<fn(&mut MigrationView)>,
    /// Sends no notice when it revokes the peering.
    pub revokes_silently: bool,
    /// Sends no notice when it revokes a grant.
    pub ends_grants_silently: bool,
    /// Whether making this call at all is the deviation, after so many calls of the same route.
    pub oversteps: Option<fn(&Route, u64) -> bool>,
}

impl Behaviour {
    /// Nothing is mutated.
    pub const CONFORMING: Self = Self {
        name: "conforming",
        about: "keeps every clause",
        clauses: &[],
        request: None,
        answer: None,
        applies: None,
        applies_backwards: false,
        stores: None,
        claims: None,
        revokes_silently: false,
        ends_grants_silently: false,
        oversteps: None,
    };
}

/// Mutates a request: what is sent, its body.
pub type Requests = fn(&Sending<'_>, &mut Value);

/// A call that a peer is about to make.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// Where it goes.
    pub route: &'a Route,
    /// How many of this route were made before it.
    pub before: u64,
    /// When, by the peer's clock.
    pub now: Timestamp,
}

/// Mutates an answer: what was asked, the status, the body.
pub type Answers = fn(&Asked<'_>, &mut u16, &mut Value);

/// A call of the target's.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Where it went.
    pub route: &'a Route,
    /// What stood behind the question mark.
    pub query: &'a str,
    /// When, by the peer's clock.
    pub now: Timestamp,
    /// How many of this route were answered well before it.
    pub granted_before: u64,
}

/// Mutates a record before it is stored: the step that brought it, its id, its members.
pub type Stores = fn(&Step, &mut String, &mut Map<String, Value>);

/// Lets each behaviour mutate `value`; returns the names of those that changed it.
pub(super) fn mutate<T: Clone + PartialEq>(
    behaviours: &[&'static Behaviour],
    value: &mut T,
    hook: impl Fn(&Behaviour, &mut T),
) -> Vec<String> {
    let mut injected = Vec::new();
    for behaviour in behaviours {
        let before = value.clone();
        hook(behaviour, value);
        if *value != before {
            injected.push(behaviour.name.to_owned());
        }
    }
    injected
}

//! Deviations of a peer from the contract, as hooks on one correct peer.

use jiff::Timestamp;
use serde_json::{Map, Value};

use covenant_model::wire::migration::{MigrationView, Step};
use covenant_model::wire::path::Route;

/// One way in which a peer deviates from the contract. Each hook that is set mutates one thing; the rest
/// stays conforming. Each behaviour has a file of its own under `behaviours/`.
#[derive(Debug)]
pub struct Behaviour {
    /// Name, as a scenario uses it.
    pub name: &'static str,
    /// Description, in one sentence.
    pub about: &'static str,
    /// Ids of the clauses that it breaks.
    pub clauses: &'static [&'static str],
    /// Hook that mutates the body of a request before it is sent.
    pub request: Option<Requests>,
    /// Hook that mutates a response before it is sent: its status and its body.
    pub answer: Option<Answers>,
    /// Hook that returns the status with which the peer refuses a call of the target before it does anything about
    /// it, from the number of earlier calls of the same route.
    pub refuses: Option<fn(&Route, u64) -> Option<u16>>,
    /// As destination of a migration: hook that returns whether a step is applied, from its position and the
    /// number of steps.
    pub applies: Option<fn(usize, usize) -> bool>,
    /// As destination of a migration: `true` to apply the last step first, and to lose references within the
    /// plan to records that do not exist yet.
    pub applies_backwards: bool,
    /// As destination of a migration: hook that mutates a record before it is stored under its id.
    pub stores: Option<Stores>,
    /// As destination of a migration: hook that mutates the report of the result.
    pub claims: Option<fn(&mut MigrationView)>,
    /// `true` to send no notice when the peer revokes the peering.
    pub revokes_silently: bool,
    /// `true` to send no notice when the peer revokes a grant.
    pub ends_grants_silently: bool,
    /// Hook that returns whether the call itself is the deviation, from the number of earlier calls of the
    /// same route.
    pub oversteps: Option<fn(&Route, u64) -> bool>,
}

impl Behaviour {
    /// Behaviour that mutates nothing.
    pub const CONFORMING: Self = Self {
        name: "conforming",
        about: "keeps every clause",
        clauses: &[],
        request: None,
        answer: None,
        refuses: None,
        applies: None,
        applies_backwards: false,
        stores: None,
        claims: None,
        revokes_silently: false,
        ends_grants_silently: false,
        oversteps: None,
    };
}

/// Hook that mutates a request: its description and its body.
pub type Requests = fn(&Sending<'_>, &mut Value);

/// Call that a peer is about to make.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// Route of the call.
    pub route: &'a Route,
    /// Number of earlier calls of this route.
    pub before: u64,
    /// Time of the call, by the peer's clock.
    pub now: Timestamp,
}

/// Hook that mutates a response: the call, the status, the body.
pub type Answers = fn(&Asked<'_>, &mut u16, &mut Value);

/// Call of the target.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Route of the call.
    pub route: &'a Route,
    /// Query, without the question mark.
    pub query: &'a str,
    /// Time of the call, by the peer's clock.
    pub now: Timestamp,
    /// Number of earlier calls of this route that succeeded.
    pub granted_before: u64,
}

/// Hook that mutates a record before it is stored: its step, its id, its members.
pub type Stores = fn(&Step, &mut String, &mut Map<String, Value>);

/// Applies the hook of each behaviour to `value`; returns the names of the behaviours that changed it.
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

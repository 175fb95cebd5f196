//! The model of a grant: its peer, its scope and its end.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::announcement::{
    announces_end_of_peering, announces_revocation, announcing, may_announce_end_of_peering,
    unknown_announcement,
};
use crate::check::arguments::Labels;
use crate::check::outcome::{OrUnproven, Stop};
use crate::check::query::{Call, CallQuery, calls, peer_id};
use covenant_model::clock::read_moment;
use covenant_model::operator::{OperatorMethod, grant, peer};
use covenant_model::transcript::{Exchange, Operation, Trace};
use covenant_model::wire::grant::Scope;
use covenant_model::wire::path::Route;

/// The margin after the end of a grant. A platform may count in whole seconds; in the second in which a grant
/// ends it may either serve or refuse.
const ROUNDED_UP_BY: SignedDuration = SignedDuration::from_secs(2);
/// The margin before the end of a grant: a platform that counts in whole seconds may be ahead by this much.
const ROUNDED_DOWN_BY: SignedDuration = SignedDuration::from_secs(1);

/// A grant that the operator issued.
pub(in crate::check) struct Grant<'a> {
    /// The number of the entry in which it was issued.
    pub(in crate::check) n: u64,
    /// The terms that the operator asked for.
    pub(in crate::check) terms: &'a Value,
    peer_id: &'a str,
    kind: &'a str,
    id: Option<&'a str>,
    scopes: Vec<&'a str>,
    /// The end as it was reported, and the end that follows from the request: the clock of the target may
    /// differ from that of the suite.
    ends: [Timestamp; 2],
    own_id: &'a str,
}

impl<'a> Grant<'a> {
    /// Returns the grant that was issued under this label.
    pub(in crate::check) fn issued(trace: &'a Trace, label: &str) -> Result<Self, Stop> {
        Self::read(trace, label).or_unproven("no grant was issued")
    }

    fn read(trace: &'a Trace, label: &str) -> Option<Self> {
        let (n, issue) = trace.operation(label)?;
        let (terms, issued) = (&issue.parameters, issue.result.as_ref()?);
        let reported = read_moment(issued["expires_at"].as_str()?)?;
        let issued_at = trace.time_of(n)?;
        let lasts = terms["ttl_days"].as_i64().map(|days| SignedDuration::from_hours(24 * days));
        let requested = lasts.and_then(|lasts| issued_at.checked_add(lasts).ok());
        Some(Self {
            n,
            terms,
            peer_id: terms["peer_id"].as_str()?,
            kind: terms["resource_kind"].as_str()?,
            id: terms["resource_id"].as_str(),
            scopes: terms["permission_scopes"].as_array()?.iter().filter_map(Value::as_str).collect(),
            ends: [reported, requested.unwrap_or(reported)],
            own_id: issued["grant_id"].as_str()?,
        })
    }

    /// Returns the grant with all scopes if it has `admin`: it is open whether `admin` implies every other
    /// scope.
    pub(in crate::check) fn at_its_widest(mut self) -> Self {
        if self.scopes.contains(&Scope::Admin.as_str()) {
            self.scopes.extend(Scope::ALL.map(Scope::as_str));
        }
        self
    }

    /// Returns whether the grant allows this call, regardless of the time.
    pub(in crate::check) fn covers(&self, trace: &Trace, call: &Exchange) -> bool {
        let (kind, id, scope) = match call.route() {
            Some(Route::Resource { kind, id }) => (kind, id, Scope::Read),
            Some(Route::Migrations) => {
                let text = |name: &str| {
                    call.sent().and_then(|plan| plan[name].as_str()).unwrap_or_default().to_owned()
                };
                (text("root_resource_kind"), text("root_resource_id"), Scope::Migrate)
            }
            _ => return false,
        };
        peer_id(trace, &call.peer).as_deref() == Some(self.peer_id)
            && kind == self.kind
            && self.id.is_none_or(|own| own == id)
            && self.scopes.contains(&scope.as_str())
    }

    /// Returns whether the grant has ended when a call is made. Within the rounding of a clock before its end,
    /// either answer is right.
    pub(super) fn has_ended(&self, trace: &Trace, call: &Call<'_>) -> bool {
        let late = call.at().saturating_add(ROUNDED_DOWN_BY).unwrap_or(Timestamp::MAX);
        self.ends.iter().any(|end| late >= *end) || self.was_revoked(trace, call)
    }

    /// Returns whether the grant has surely ended when a call is made: by both of its ends, and not within the
    /// rounding of a clock after them.
    pub(super) fn has_surely_ended(&self, trace: &Trace, call: &Call<'_>) -> bool {
        let early = call.at().saturating_sub(ROUNDED_UP_BY).unwrap_or(Timestamp::MIN);
        self.ends.iter().all(|end| early >= *end) || self.was_revoked(trace, call)
    }

    /// Returns the seconds from a call until the earlier of the two ends.
    pub(super) fn seconds_left(&self, call: &Call<'_>) -> i64 {
        self.ends.iter().map(|end| end.duration_since(call.at()).as_secs()).min().unwrap_or_default()
    }

    /// Returns whether the target announced before a call that it revoked the grant or the peering, though its operator did
    /// not ask for that: a platform that keeps one grant for a subject and a kind, or one peering for an instance, does so.
    pub(super) fn was_withdrawn(&self, trace: &Trace, call: &Call<'_>) -> bool {
        !self.was_revoked(trace, call)
            && self.withdrawal(trace, &call.exchange.peer).is_some_and(|notice| notice < call.n())
    }

    /// Returns the first notice to a peer that the target revoked the grant or the peering, though its operator did not ask for
    /// that. It may come after the calls that are refused: a target sends its notices from a queue.
    pub(super) fn withdrawal(&self, trace: &Trace, peer: &str) -> Option<u64> {
        let is_asked_for = |operation: &Operation| match operation {
            asked if asked.is(grant::Revoke::METHOD) => asked.parameters["grant_id"] == *self.own_id,
            asked => asked.is(peer::Revoke::METHOD) && asked.parameters["peer_id"] == *self.peer_id,
        };
        let mut revoked = trace.operations([grant::Revoke::METHOD, peer::Revoke::METHOD]);
        let until = revoked.find(|(_, operation)| is_asked_for(operation)).map_or(u64::MAX, |(n, _)| n);
        let mut sent = calls(trace).of(peer).made_by_target().after(self.n).before(until);
        let notice = sent.find(|notice| {
            announces_revocation(notice.exchange, Some(self.own_id))
                || announces_end_of_peering(notice.exchange)
        });
        notice.map(|notice| notice.n())
    }

    /// Returns a call by which the target may have announced to a peer that it revoked the grant, or ended the peering, in a form
    /// that the binding does not know.
    pub(super) fn may_be_withdrawn(&self, trace: &Trace, peer: &str) -> Option<u64> {
        let issued = trace.operations([grant::Issue::METHOD]);
        let issued = issued.filter_map(|(_, issue)| issue.result.as_ref()?["grant_id"].as_str());
        let revoked = trace.operations([grant::Revoke::METHOD]);
        let revoked = revoked.filter_map(|(_, revoke)| revoke.parameters["grant_id"].as_str());
        let others: Vec<&str> = issued.filter(|id| *id != self.own_id).chain(revoked).collect();
        unknown_announcement(calls(trace).of(peer).after(self.n), &others).or_else(|| {
            let ends = |call: &Call<'_>| announcing(call).is_some_and(may_announce_end_of_peering);
            calls(trace).of(peer).after(self.n).find(ends).map(|call| call.n())
        })
    }

    fn was_revoked(&self, trace: &Trace, call: &Call<'_>) -> bool {
        let mut before = trace.operations([grant::Revoke::METHOD]).take_while(|(n, _)| *n < call.n());
        before.any(|(_, revoke)| revoke.failure.is_none() && revoke.parameters["grant_id"] == *self.own_id)
    }
}

/// Returns the calls with one of these labels, in the order in which they were made.
pub(in crate::check) fn requests<'a>(
    trace: &'a Trace,
    labels: &'a Labels,
) -> impl DoubleEndedIterator<Item = Call<'a>> {
    calls(trace).filter(|call| {
        let label = call.entry.label.as_deref();
        label.is_some_and(|label| labels.iter().any(|wanted| wanted == label))
    })
}

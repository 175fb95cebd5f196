//! Calls of the federation plane.

use jiff::Timestamp;

use crate::check::arguments::Labels;
use crate::check::general::{is_accepted, reply_summary};
use crate::check::outcome::Stop;
use covenant_model::transcript::{Direction, Entry, Exchange, Trace};
use covenant_model::wire::path::Route;

/// A call of the federation plane: its entry and its exchange.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Call<'a> {
    /// The entry: its number, time and label.
    pub entry: &'a Entry,
    /// The request with its response.
    pub exchange: &'a Exchange,
}

impl Call<'_> {
    /// Returns the number of the entry.
    pub(in crate::check) fn n(&self) -> u64 {
        self.entry.n
    }

    /// Returns the time of the entry.
    pub(in crate::check) fn at(&self) -> Timestamp {
        self.entry.at
    }

    /// Returns whether the call has one of these labels.
    pub(in crate::check) fn has_label_of(&self, labels: &Labels) -> bool {
        self.entry.label.as_deref().is_some_and(|label| labels.iter().any(|other| other == label))
    }

    /// Returns the route, or `None` if it is not a known one.
    pub(in crate::check) fn route(&self) -> Option<Route> {
        self.exchange.route()
    }

    /// Returns the call and its outcome in a few words.
    pub(in crate::check) fn summary(&self) -> String {
        reply_summary(self.exchange)
    }
}

/// Returns every call of a trace, in order.
pub(in crate::check) fn calls(trace: &Trace) -> impl DoubleEndedIterator<Item = Call<'_>> + Clone {
    trace.exchanges().map(|(entry, exchange)| Call { entry, exchange })
}

/// Returns the calls with these labels, label by label.
pub(in crate::check) fn labelled_calls<'a>(
    trace: &'a Trace,
    labels: &'a Labels,
) -> impl DoubleEndedIterator<Item = Call<'a>> {
    labels.iter().flat_map(move |label| calls(trace).labelled(label))
}

/// Narrows a sequence of calls.
pub(in crate::check) trait CallQuery<'a>:
    DoubleEndedIterator<Item = Call<'a>> + Sized
{
    /// Keeps the calls with this label.
    fn labelled(self, label: &str) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(move |call| call.entry.label.as_deref() == Some(label))
    }

    /// Keeps the calls between the target and this peer.
    fn of(self, peer: &str) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(move |call| call.exchange.peer == peer)
    }

    /// Keeps the calls that a peer made.
    fn made_by_peer(self) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(|call| call.exchange.direction == Direction::ToTarget)
    }

    /// Keeps the calls that the target made.
    fn made_by_target(self) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(|call| call.exchange.direction == Direction::FromTarget)
    }

    /// Keeps the calls on this route.
    fn on(self, route: Route) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(move |call| call.route().as_ref() == Some(&route))
    }

    /// Keeps the calls after the entry of this number.
    fn after(self, n: u64) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(move |call| call.n() > n)
    }

    /// Keeps the calls before the entry of this number.
    fn before(self, n: u64) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(move |call| call.n() < n)
    }

    /// Keeps the calls that were accepted: 2xx, without an error in the body, and no plan that has failed.
    fn accepted(self) -> impl DoubleEndedIterator<Item = Call<'a>> {
        self.filter(|call| is_accepted(call.exchange))
    }

    /// Returns the first call, or the stop `unproven` for this reason.
    fn first_or(mut self, reason: &str) -> Result<Call<'a>, Stop> {
        self.next().ok_or_else(|| Stop::unproven(reason, []))
    }

    /// Returns the last call, or the stop `unproven` for this reason.
    fn last_or(mut self, reason: &str) -> Result<Call<'a>, Stop> {
        self.next_back().ok_or_else(|| Stop::unproven(reason, []))
    }

    /// Returns the numbers of the entries, as evidence.
    fn numbers(self) -> Vec<u64> {
        self.map(|call| call.n()).collect()
    }
}

impl<'a, I: DoubleEndedIterator<Item = Call<'a>>> CallQuery<'a> for I {}

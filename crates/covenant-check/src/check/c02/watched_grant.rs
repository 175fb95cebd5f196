//! A grant in real time: used up to its last second and beyond, by the time that the target itself reports.
//! The clock of the suite may be set, so nothing is concluded from it.

use jiff::{SignedDuration, Timestamp};

use super::announcement::{announces_end_of_peering, announces_revocation, unknown_announcement};
use crate::check::outcome::{OrUnproven, Stop};
use crate::check::query::{CallQuery, calls};
use covenant_model::clock::read_moment;
use covenant_model::transcript::{Exchange, Trace};

/// The tolerance for two running clocks and the network between them.
const SLACK: SignedDuration = SignedDuration::from_mins(1);

/// The period before the notice of a revocation in which a refusal may be its consequence.
const NOTICE_TAKES: SignedDuration = SignedDuration::from_mins(6);

/// A grant, with the reads under it up to its revocation.
pub(super) struct WatchedGrant {
    /// The number of the entry that records the grant.
    pub(super) n: u64,
    /// The end of the grant.
    pub(super) ends: Timestamp,
    /// The reads, in order.
    pub(super) reads: Vec<Read>,
    /// The entry of the notice, and its time by the suite's clock.
    revoked: Option<(u64, Timestamp)>,
    /// The entry of what may be a notice of its revocation, in a form that the binding does not know.
    pub(super) may_be_withdrawn: Option<u64>,
}

/// A read, between two times that the target's clock showed: before it and after it.
pub(super) struct Read {
    /// The number of the entry.
    pub(super) n: u64,
    /// `true` if the grant was honoured.
    pub(super) is_honoured: bool,
    /// The time that the target's clock showed before the read.
    pub(super) earliest: Timestamp,
    /// The time that the target's clock showed after the read.
    pub(super) latest: Timestamp,
    /// The time by the suite's clock.
    at: Timestamp,
    /// The time by the suite's clock at which `earliest` was shown.
    shown_at: Timestamp,
}

impl WatchedGrant {
    /// Returns the grant that was recorded under a label, with the reads under another one. `probe` is the
    /// label of calls that need no grant.
    pub(super) fn of(trace: &Trace, grant: &str, call: &str, probe: &str) -> Result<Self, Stop> {
        let recorded = trace.operation(grant).and_then(|(n, operation)| {
            let ends = operation.parameters["expires_at"].as_str()?.parse().ok()?;
            Some((n, ends, operation.parameters["grant_id"].as_str()))
        });
        let (n, ends, id) = recorded.or_unproven("no grant was recorded")?;
        let mut sent = calls(trace).made_by_target();
        let notice = sent
            .find(|call| announces_revocation(call.exchange, id) || announces_end_of_peering(call.exchange));
        let revoked = notice.map(|notice| (notice.n(), notice.at()));
        let mut reads = reads(trace, call, probe);
        reads.retain(|read| revoked.is_none_or(|(n, _)| read.n < n));
        let others = calls(trace).after(n).filter(|call| !announces_revocation(call.exchange, None));
        let may_be_withdrawn = unknown_announcement(others, &[]);
        Ok(Self { n, ends, reads, revoked, may_be_withdrawn })
    }

    /// Ends a check as unproven if the grant was revoked.
    pub(super) fn was_not_revoked(&self) -> Result<(), Stop> {
        match self.revoked {
            Some((n, _)) => Err(Stop::unproven("the grant was revoked before its end", [self.n, n])),
            None => Ok(()),
        }
    }

    /// Returns whether the read was refused, after an honoured one, while the end was still ahead by the
    /// target's clock: by the time shown after the read, and by the time that follows from the one shown
    /// before. The clock may be set between the two.
    pub(super) fn was_cut_short_by(&self, read: &Read) -> bool {
        let was_honoured = self.reads.iter().any(|other| other.is_honoured && other.n < read.n);
        let passed = read.at.duration_since(read.shown_at);
        let derived = read.earliest.saturating_add(passed).unwrap_or(Timestamp::MAX);
        let is_in_time = read.earliest != Timestamp::MIN && read.latest < self.ends && derived < self.ends;
        let is_of_revocation = self.revoked.is_some_and(|(_, at)| at.duration_since(read.at) < NOTICE_TAKES);
        !read.is_honoured && was_honoured && is_in_time && !is_of_revocation
    }

    /// Returns whether the read was honoured although the end was past by the target's clock, before the read
    /// and after it.
    pub(super) fn was_outlived_by(&self, read: &Read) -> bool {
        let over = self.ends.saturating_add(SLACK).unwrap_or(Timestamp::MAX);
        read.is_honoured && read.earliest > over && read.latest > over && read.latest != Timestamp::MAX
    }
}

impl Read {
    /// Returns the earlier of the two times: the clock may be set back between them.
    pub(super) fn shown_first(&self) -> Timestamp {
        self.earliest.min(self.latest)
    }
}

/// Returns the reads that say something about the grant. Reads that failed or were limited are left out. So
/// are refused reads if the calls around them, which need no grant, were not admitted either.
fn reads(trace: &Trace, call_label: &str, probe_label: &str) -> Vec<Read> {
    let mut reads: Vec<Read> = Vec::new();
    let mut confirmed = 0;
    let (mut shown_before, mut shown_at) = (Timestamp::MIN, Timestamp::MIN);
    let mut peer_is_admitted = true;
    for call in calls(trace).made_by_peer() {
        let (label, exchange) = (call.entry.label.as_deref(), call.exchange);
        if label == Some(probe_label) {
            peer_is_admitted = exchange.succeeded();
            if !peer_is_admitted {
                drop_refused(&mut reads, confirmed);
            }
            confirmed = reads.len();
        }
        let is_refused = peer_is_admitted && matches!(exchange.status(), Some(401 | 403));
        if label == Some(call_label) && (exchange.succeeded() || is_refused) {
            let (n, at, is_honoured) = (call.n(), call.at(), exchange.succeeded());
            reads.push(Read { n, is_honoured, earliest: shown_before, latest: Timestamp::MAX, at, shown_at });
        }
        if let Some(shown) = shown(exchange) {
            for read in reads.iter_mut().filter(|read| read.latest == Timestamp::MAX) {
                read.latest = shown;
            }
            if let Some(read) = reads.last_mut().filter(|read| read.n == call.n()) {
                (read.earliest, read.shown_at) = (shown, call.at());
            }
            (shown_before, shown_at) = (shown, call.at());
        }
    }
    drop_refused(&mut reads, confirmed);
    reads
}

/// Drops the refused reads from this index on.
fn drop_refused(reads: &mut Vec<Read>, from: usize) {
    let mut place = 0;
    reads.retain(|read| {
        place += 1;
        place <= from || read.is_honoured
    });
}

/// Returns the time that the target's clock showed when it answered: a read and a trust bundle report it.
fn shown(exchange: &Exchange) -> Option<Timestamp> {
    let data = exchange.data().filter(|_| exchange.succeeded())?;
    [&data["fetched_at"], &data["generated_at"]].into_iter().find_map(|time| read_moment(time.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c02::grant_ends_in_real_time::GrantEndsInRealTime;
    use crate::check::c02::grant_lasts_in_real_time::GrantLastsInRealTime;
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::wire::notice::kind;
    use serde_json::{Value, json};

    /// The end of the grant by the target's clock, in seconds.
    const ENDS: i64 = 1000;

    enum Event {
        /// A read is honoured, at this second of the target's clock.
        Served(i64),
        /// A read is refused.
        Refused,
        /// The target reports the time.
        Shows(i64),
        /// A read is honoured, and the time is not reported.
        ServedBlindly,
        /// This many seconds pass by the suite's clock.
        Passes(i64),
        /// The target revokes the grant, and sends the notice.
        Revoked,
        /// The target sends a notice in a form of its own.
        Withdrawn,
        /// The target admits the auditing peer no more.
        Unwelcome,
    }
    use Event::{Passes, Refused, Revoked, Served, ServedBlindly, Shows, Unwelcome, Withdrawn};

    fn answered(status: u16, body: Value) -> Exchange {
        Exchange::to_target("auditor").sending(Value::Null).answered_with(status, body)
    }

    /// Returns the verdicts of the check before the end and of the check after the end.
    fn verdicts(events: &[Event]) -> [Verdict; 2] {
        let builder = TraceBuilder::new();
        let start = builder.now();
        let at = |seconds: i64| (start + SignedDuration::from_secs(seconds)).to_string();
        let heartbeat = |status| answered(status, json!({"data": {}})).sending(json!({}));
        let recorded = json!({"grant_id": "g", "expires_at": at(ENDS)});
        let mut builder = builder
            .operation_with("granted", "watch.grant", recorded, json!({}))
            .call("beat", heartbeat(200));
        for happened in events {
            builder = match happened {
                Served(second) => {
                    builder.call("read", answered(200, json!({"data": {"fetched_at": at(*second)}})))
                }
                Refused => builder.call("read", answered(401, json!({"error": "Grant has expired"}))),
                ServedBlindly => builder.call("read", answered(200, json!({"data": {}}))),
                Passes(seconds) => builder.advance(*seconds),
                Shows(second) => {
                    builder.call("bundle", answered(200, json!({"data": {"generated_at": at(*second)}})))
                }
                Revoked | Withdrawn => {
                    let event = json!({"kind": kind::GRANT_REVOKED, "payload": {"grant_id": "g"}});
                    let own_form = json!({"kind": "platform.grants.withdrawn"});
                    let event = if matches!(happened, Withdrawn) { own_form } else { event };
                    builder.call_from_target(
                        Exchange::from_target("auditor")
                            .sending(json!({"events": [event]}))
                            .answered_with(200, json!({"data": {}})),
                    )
                }
                Unwelcome => builder.call("beat", heartbeat(401)),
            };
        }
        // A heartbeat follows the events, and it is accepted unless they say otherwise.
        let is_admitted = !events.iter().any(|event| matches!(event, Unwelcome));
        let builder = builder.call("beat", heartbeat(if is_admitted { 200 } else { 401 }));
        let with = || json!({"grant": "granted", "call": "read", "probe": "beat"});
        [builder.verdict::<GrantLastsInRealTime>(with()), builder.verdict::<GrantEndsInRealTime>(with())]
    }

    #[test]
    fn a_grant_is_evaluated_by_the_targets_own_clock() {
        assert_eq!(verdicts(&[Served(0), Served(999), Shows(1000), Refused]), [Kept, Kept]);
        assert_eq!(verdicts(&[Served(0), Served(998), Refused, Shows(999)]), [Broken, Unproven]);
        assert_eq!(verdicts(&[Served(0), Served(999), Served(1061)]), [Kept, Broken]);
    }

    #[test]
    fn a_grant_that_the_reads_do_not_show_is_unproven() {
        assert_eq!(verdicts(&[]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(999), Refused]), [Kept, Unproven], "its clock may be set");
        assert_eq!(verdicts(&[Served(500), Refused, Shows(1000)]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(500), Shows(1000), Refused]), [Unproven, Kept]);
        assert_eq!(verdicts(&[Served(0), Revoked, Refused, Shows(10)]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Refused, Shows(10)]), [Unproven, Unproven], "it may be mistyped");
        assert_eq!(verdicts(&[Served(0), Withdrawn, Refused, Shows(10)]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(999), Served(1059)]), [Kept, Unproven], "two clocks");
        assert_eq!(verdicts(&[Served(0), Unwelcome, Refused, Shows(10)]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(0), Refused, Shows(10), Unwelcome]), [Unproven, Unproven]);
    }

    #[test]
    fn a_clock_that_is_set_makes_no_breach() {
        let set_back = [Served(0), Shows(990), Passes(20), Refused, Shows(995)];
        assert_eq!(verdicts(&set_back), [Unproven, Unproven], "by 15 s, when the grant was over");
        let set_back = [Served(0), Shows(1100), ServedBlindly, Shows(900)];
        assert_eq!(verdicts(&set_back), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(0), Shows(1100), ServedBlindly, Shows(1101)])[1], Broken);
    }

    #[test]
    fn a_breach_before_the_notice_stays_one() {
        let early = [Served(0), Refused, Shows(1), Passes(600), Revoked];
        assert_eq!(verdicts(&early), [Broken, Unproven]);
        let at_once = [Served(0), Refused, Shows(1), Passes(10), Revoked];
        assert_eq!(verdicts(&at_once), [Unproven, Unproven], "the notice has its time");
        assert_eq!(verdicts(&[Served(0), Served(1100), Revoked])[1], Broken);
    }
}

//! A grant in real time: used up to its last second and beyond, by the time that the target itself reports.
//! The clock of the suite may be set, so nothing is concluded from it.

use jiff::{SignedDuration, Timestamp};

use super::announces;
use crate::check::CheckResult;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Trace};

/// The period before the end that counts as the last seconds.
const LAST_SECONDS: SignedDuration = SignedDuration::from_secs(5);

/// The tolerance for two running clocks and the network between them.
const SLACK: SignedDuration = SignedDuration::from_mins(1);

/// The period before the notice of a revocation in which a refusal may be its consequence.
const NOTICE_TAKES: SignedDuration = SignedDuration::from_mins(6);

const WATCHED: &[LegacyParameter] = &[
    LegacyParameter::required("given", "label of the operation that tells of the grant"),
    LegacyParameter::required("call", "label of the reads under the grant"),
    LegacyParameter::required("probe", "label of calls that need no grant"),
];

/// The check of the time before the end.
pub(super) const GRANT_LASTS: LegacyCheck = LegacyCheck {
    name: "grant-lasts-in-real-time",
    about: "reads under a grant are honoured up to its last seconds, by the target's own clock",
    parameters: WATCHED,
    evaluate: grant_lasts,
};

/// The check of the time after the end.
pub(super) const GRANT_ENDS: LegacyCheck = LegacyCheck {
    name: "grant-ends-in-real-time",
    about: "no read under a grant is honoured after its end, by the target's own clock",
    parameters: WATCHED,
    evaluate: grant_ends,
};

fn grant_lasts(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("2xx up to the last second of the grant");
    let grant = match Watched::read(trace, with) {
        Ok(grant) => grant,
        Err(why) => return expect(CheckResult::unproven(why, vec![])),
    };
    if let Some(read) = grant.reads.iter().find(|read| grant.was_cut_short_by(read)) {
        let early = grant.ends.duration_since(read.latest);
        let actual = format!("refused at least {early:#} before its end");
        return expect(CheckResult::broken(actual, vec![grant.n, read.n]));
    }
    if let Some((n, _)) = grant.revoked {
        return expect(CheckResult::unproven("the grant was revoked before its end", vec![grant.n, n]));
    }
    let last = grant.reads.iter().rev().find(|read| read.let_in);
    match last {
        Some(read) if grant.ends.duration_since(read.shown_first()) <= LAST_SECONDS => {
            expect(CheckResult::kept("honoured in its last seconds", vec![grant.n, read.n]))
        }
        Some(read) => {
            let left = grant.ends.duration_since(read.shown_first());
            let actual = format!("the last read that was honoured came {left:#} before its end");
            expect(CheckResult::unproven(actual, vec![grant.n, read.n]))
        }
        None => expect(CheckResult::unproven("no read under the grant was honoured", vec![grant.n])),
    }
}

fn grant_ends(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("401 or 403 from the grant's end on");
    let grant = match Watched::read(trace, with) {
        Ok(grant) => grant,
        Err(why) => return expect(CheckResult::unproven(why, vec![])),
    };
    if let Some(read) = grant.reads.iter().find(|read| grant.was_outlived_by(read)) {
        let late = read.earliest.duration_since(grant.ends);
        let actual = format!("honoured {late:#} after its end, by its own clock");
        return expect(CheckResult::broken(actual, vec![grant.n, read.n]));
    }
    if let Some((n, _)) = grant.revoked {
        return expect(CheckResult::unproven("the grant was revoked before its end", vec![grant.n, n]));
    }
    // A grant that was never honoured may be no grant at all.
    let was_honoured = grant.reads.iter().any(|read| read.let_in);
    match grant.reads.iter().find(|read| !read.let_in && read.earliest >= grant.ends) {
        Some(read) if was_honoured => {
            expect(CheckResult::kept("refused after its end", vec![grant.n, read.n]))
        }
        Some(read) => {
            expect(CheckResult::unproven("no read under the grant was honoured", vec![grant.n, read.n]))
        }
        None => expect(CheckResult::unproven("nothing was asked after its end", vec![grant.n])),
    }
}

/// A grant, with the reads under it up to its revocation.
struct Watched {
    n: u64,
    ends: Timestamp,
    reads: Vec<Read>,
    /// The entry of the notice, and its time by the suite's clock.
    revoked: Option<(u64, Timestamp)>,
}

/// A read, between two times that the target's clock showed: before it and after it.
struct Read {
    n: u64,
    /// The time by the suite's clock.
    at: Timestamp,
    let_in: bool,
    earliest: Timestamp,
    /// The time by the suite's clock at which the target's clock was shown.
    shown_at: Timestamp,
    latest: Timestamp,
}

impl Watched {
    fn read(trace: &Trace, with: Arguments<'_>) -> Result<Self, String> {
        let given = trace.operation(with.text("given")).and_then(|(n, operation)| {
            Some((n, operation.parameters["expires_at"].as_str()?.parse().ok()?, operation))
        });
        let Some((n, ends, operation)) = given else {
            return Err("no grant was given".to_owned());
        };
        let id = operation.parameters["grant_id"].as_str();
        let mut recorded =
            trace.exchanges().filter(|(_, exchange)| exchange.direction == Direction::FromTarget);
        let revoked =
            recorded.find(|(_, exchange)| announces(exchange, id)).map(|(entry, _)| (entry.n, entry.at));
        let mut reads = reads(trace, with);
        reads.retain(|read| revoked.is_none_or(|(n, _)| read.n < n));
        Ok(Self { n, ends, reads, revoked })
    }

    /// Returns whether the read was refused, after an honoured one, while the end was still ahead by the
    /// target's clock: by the time shown after the read, and by the time that follows from the one shown
    /// before. The clock may be set between the two.
    fn was_cut_short_by(&self, read: &Read) -> bool {
        let was_honoured = self.reads.iter().any(|other| other.let_in && other.n < read.n);
        let went_on = read.at.duration_since(read.shown_at);
        let reckoned = read.earliest.saturating_add(went_on).unwrap_or(Timestamp::MAX);
        let is_in_time = read.earliest != Timestamp::MIN && read.latest < self.ends && reckoned < self.ends;
        let is_of_revocation = self.revoked.is_some_and(|(_, at)| at.duration_since(read.at) < NOTICE_TAKES);
        !read.let_in && was_honoured && is_in_time && !is_of_revocation
    }

    /// Returns whether the read was honoured although the end was past by the target's clock, before the read
    /// and after it.
    fn was_outlived_by(&self, read: &Read) -> bool {
        let over = self.ends.saturating_add(SLACK).unwrap_or(Timestamp::MAX);
        read.let_in && read.earliest > over && read.latest > over && read.latest != Timestamp::MAX
    }
}

impl Read {
    /// Returns the earlier of the two times: the clock may be set back between them.
    fn shown_first(&self) -> Timestamp {
        self.earliest.min(self.latest)
    }
}

/// Returns the reads that say something about the grant. Reads that failed or were limited are left out. So
/// are refused reads if the calls around them, which need no grant, were not admitted either.
fn reads(trace: &Trace, with: Arguments<'_>) -> Vec<Read> {
    let mut reads: Vec<Read> = Vec::new();
    let mut confirmed = 0;
    let (mut shown_before, mut shown_at) = (Timestamp::MIN, Timestamp::MIN);
    let mut is_welcome = true;
    for (entry, exchange) in trace.exchanges() {
        if exchange.direction == Direction::FromTarget {
            continue;
        }
        let label = entry.label.as_deref();
        if label == Some(with.text("probe")) {
            is_welcome = exchange.succeeded();
            if !is_welcome {
                drop_refused(&mut reads, confirmed);
            }
            confirmed = reads.len();
        }
        let is_refused = is_welcome && matches!(exchange.status(), Some(401 | 403));
        if label == Some(with.text("call")) && (exchange.succeeded() || is_refused) {
            let (n, at, let_in) = (entry.n, entry.at, exchange.succeeded());
            reads.push(Read { n, at, let_in, earliest: shown_before, shown_at, latest: Timestamp::MAX });
        }
        if let Some(shown) = shown(exchange) {
            for read in reads.iter_mut().filter(|read| read.latest == Timestamp::MAX) {
                read.latest = shown;
            }
            if let Some(read) = reads.last_mut().filter(|read| read.n == entry.n) {
                (read.earliest, read.shown_at) = (shown, entry.at);
            }
            (shown_before, shown_at) = (shown, entry.at);
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
        place <= from || read.let_in
    });
}

/// Returns the time that the target's clock showed when it answered: a read and a trust bundle report it.
fn shown(exchange: &Exchange) -> Option<Timestamp> {
    let data = exchange.data().filter(|_| exchange.succeeded())?;
    [&data["fetched_at"], &data["generated_at"]].into_iter().find_map(|time| time.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder, What};
    use covenant_model::wire::notice::kind;
    use serde_json::{Value, json};

    const START: &str = "2026-06-01T00:00:00Z";
    /// The end of the grant by the target's clock, in seconds.
    const ENDS: i64 = 1000;

    enum Event {
        /// A read is honoured, at this second of the target's clock.
        Served(i64),
        /// A read is refused.
        Refused,
        /// The target reports the time.
        Clock(i64),
        /// A read is honoured, and the time is not reported.
        ServedBlindly,
        /// This many seconds pass by the suite's clock.
        Passes(i64),
        /// The target revokes the grant, and sends the notice.
        Revoked,
        /// The target admits the auditing peer no more.
        Unwelcome,
    }
    use Event::{Clock as Shows, Passes, Refused, Revoked, Served, ServedBlindly, Unwelcome};

    fn exchange(direction: Direction, sent: &Value, status: u16, body: &Value) -> What {
        What::Exchange(
            Exchange::made("auditor", direction).sending(sent.clone()).answered_with(status, body.clone()),
        )
    }

    /// Returns the verdicts of the check before the end and of the check after the end.
    fn verdicts(events: &[Event]) -> [Verdict; 2] {
        let start: Timestamp = START.parse().expect("a timestamp");
        let at = |seconds: i64| start + SignedDuration::from_secs(seconds);
        let clock = Clock::manual(start);
        let recorder = Recorder::in_memory("x", clock.clone());
        let parameters = json!({"grant_id": "g", "expires_at": at(ENDS).to_string()});
        let given =
            Operation { method: "watch.grant".into(), parameters, result: Some(json!({})), failure: None };
        recorder.record(None, Some("given"), What::Operation(given));
        let record = |label, what| recorder.record(None, label, what);
        let beat = |status| exchange(Direction::ToTarget, &json!({}), status, &json!({"data": {}}));
        record(Some("beat"), beat(200));
        // A heartbeat follows the events, and it is accepted unless they say otherwise.
        let is_welcome = !events.iter().any(|event| matches!(event, Unwelcome));
        for event in events {
            match event {
                Served(second) => {
                    let body = json!({"data": {"fetched_at": at(*second).to_string()}});
                    record(Some("read"), exchange(Direction::ToTarget, &Value::Null, 200, &body));
                }
                Refused => {
                    let body = json!({"error": "Grant has expired"});
                    record(Some("read"), exchange(Direction::ToTarget, &Value::Null, 401, &body));
                }
                ServedBlindly => {
                    let body = json!({"data": {}});
                    record(Some("read"), exchange(Direction::ToTarget, &Value::Null, 200, &body));
                }
                Passes(seconds) => clock.advance_seconds(*seconds),
                Shows(second) => {
                    let body = json!({"data": {"generated_at": at(*second).to_string()}});
                    record(None, exchange(Direction::ToTarget, &Value::Null, 200, &body));
                }
                Revoked => {
                    let notice =
                        json!({"events": [{"kind": kind::GRANT_REVOKED, "payload": {"grant_id": "g"}}]});
                    record(None, exchange(Direction::FromTarget, &notice, 200, &json!({"data": {}})));
                }
                Unwelcome => {
                    record(Some("beat"), beat(401));
                }
            }
        }
        record(Some("beat"), beat(if is_welcome { 200 } else { 401 }));
        let with = [("given", "given"), ("call", "read"), ("probe", "beat")]
            .map(|(name, label)| (name.to_owned(), json!(label)))
            .into();
        [grant_lasts, grant_ends].map(|check| check(&recorder.trace(), Arguments::new(&with)).verdict)
    }

    #[test]
    fn a_grant_is_evaluated_by_the_targets_own_clock() {
        assert_eq!(verdicts(&[Served(0), Served(999), Shows(1000), Refused]), [Kept, Kept]);
        assert_eq!(verdicts(&[Served(0), Served(998), Refused, Shows(999)]), [Broken, Unproven]);
        assert_eq!(verdicts(&[Served(0), Served(999), Served(1061)]), [Kept, Broken]);
    }

    #[test]
    fn what_is_no_proof_stays_open() {
        assert_eq!(verdicts(&[]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(999), Refused]), [Kept, Unproven], "its clock may be set");
        assert_eq!(verdicts(&[Served(500), Refused, Shows(1000)]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(500), Shows(1000), Refused]), [Unproven, Kept]);
        assert_eq!(verdicts(&[Served(0), Revoked, Refused, Shows(10)]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Refused, Shows(10)]), [Unproven, Unproven], "it may be mistyped");
        assert_eq!(verdicts(&[Served(999), Served(1059)]), [Kept, Unproven], "two clocks");
        assert_eq!(verdicts(&[Served(0), Unwelcome, Refused, Shows(10)]), [Unproven, Unproven]);
        assert_eq!(verdicts(&[Served(0), Refused, Shows(10), Unwelcome]), [Unproven, Unproven]);
    }

    #[test]
    fn a_clock_that_is_set_slanders_no_one() {
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

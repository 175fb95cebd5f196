//! A flood of handshakes: each on a connection of its own, at a rate, with the latency of each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;
use serde_json::json;
use thiserror::Error;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};

use crate::clock::{Clock, Stopwatch, fresh_token};
use crate::net::{Client, ClientOptions, Limits, Request};
use crate::operator::Address;
use crate::peer::Profile;
use crate::pki::{ClientTls, PkiError, TlsOptions, Trust};
use crate::wire::path::Route;

/// The nanoseconds of a second.
const NANOSECONDS: u64 = 1_000_000_000;
/// The longest latency that the histogram distinguishes, in microseconds.
const LATENCY_MAX: u64 = 3_600_000_000;
/// The significant digits of a latency.
const DIGITS: u8 = 3;

/// The duration of a flood that is longer than any clock counts.
const FAR: Duration = Duration::from_hours(24 * 365);
/// The outcome of a handshake that was under way when the time was over, or the flood was stopped.
const CUT_OFF: &str = "cut off";

/// The settings of a flood.
#[derive(Clone, Debug)]
pub struct Flood {
    /// The address of the target.
    pub address: Address,
    /// True if the certificate of the target has to be for the host of its URL.
    pub host_names_checked: bool,
    /// The number of handshakes in a second.
    pub rate: u64,
    /// The duration of the flood.
    pub lasts: Duration,
    /// The largest number of handshakes at the same time.
    pub at_once: usize,
    /// The limits of the calls.
    pub limits: Limits,
}

/// The flood cannot begin.
#[derive(Debug, Error)]
#[error("the flood cannot set up TLS")]
pub struct FloodError(#[from] PkiError);

/// Outcome of a flood.
#[derive(Debug)]
pub struct Flooded {
    /// The handshakes that were due.
    pub due: u64,
    /// The handshakes that were sent.
    pub sent: u64,
    /// True if the flood was stopped before its time was over.
    pub interrupted: bool,
    /// The time that the flood took. An answer that came later is not counted.
    pub took: Duration,
    /// The number of answers by status, and of failures by their kind.
    pub outcomes: BTreeMap<String, u64>,
    /// The latencies in microseconds, from the time at which each handshake was due: a target that answers slowly and
    /// holds back the next ones does not hide it.
    pub latency: Histogram<u64>,
}

impl Flooded {
    /// Returns the number of handshakes in a second that were answered.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let answered = u32::try_from(self.latency.len()).unwrap_or(u32::MAX);
        f64::from(answered) / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, LATENCY_MAX, DIGITS).expect("the bounds are in order");
        Self { due: 0, sent: 0, interrupted: false, took: Duration::ZERO, outcomes: BTreeMap::new(), latency }
    }

    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += count;
        }
        // The bounds are the same.
        let _ = self.latency.add(&other.latency);
    }

    /// Returns the distribution of the latencies, in the form that the tools of HdrHistogram draw.
    #[must_use]
    pub fn distribution(&self) -> String {
        use std::fmt::Write;
        let mut text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n".to_owned();
        for step in self.latency.iter_quantiles(5) {
            let (value, quantile) = (step.value_iterated_to(), step.quantile_iterated_to());
            let count = self.latency.count_between(0, value);
            let inverse =
                if quantile < 1.0 { format!("{:14.2}", 1.0 / (1.0 - quantile)) } else { "inf".to_owned() };
            let _ = writeln!(text, "{:12.3} {quantile:2.12} {count:10} {inverse}", in_milliseconds(value));
        }
        let _ = writeln!(
            text,
            "#[Max = {:.3}, Total count = {}]",
            in_milliseconds(self.latency.max()),
            self.latency.len()
        );
        text
    }
}

/// Returns a latency in milliseconds.
#[must_use]
pub fn in_milliseconds(microseconds: u64) -> f64 {
    Duration::from_micros(microseconds).as_secs_f64() * 1000.0
}

/// Drives handshakes at a target until the time is over, or until `stopped` is. What was measured by then is returned.
pub async fn flood(flood: &Flood, stopped: impl Future<Output = ()>) -> Result<Flooded, FloodError> {
    let trust = match &flood.address.ca_bundle_pem {
        Some(bundle) if flood.host_names_checked => Trust::of_hosts(bundle),
        Some(bundle) => {
            let trust = Trust::new();
            trust.add("target", bundle)?;
            trust
        }
        None => Trust::on_first_use(),
    };
    let options = TlsOptions { without_http2: true, ..TlsOptions::default() };
    let tls = ClientTls::new(None, trust, &Clock::system(), options)?;
    // Each handshake has a connection of its own.
    let client = Client::new(Some(tls), flood.limits, ClientOptions::default());
    let mut schedule = schedule(flood.rate);
    let began = Stopwatch::start();
    let first = schedule.tick().await;
    // The first handshake is due at the beginning, too.
    schedule.reset_immediately();
    let (stopper, stop) = watch::channel(false);
    let lanes = Arc::new(Lanes {
        flood: flood.clone(),
        client,
        request: request(),
        schedule: Mutex::new(schedule),
        began,
        first,
    });
    let mut tasks = JoinSet::new();
    for _ in 0..flood.at_once {
        tasks.spawn(lanes.clone().drive(stop.clone()));
    }
    let mut flooded = Flooded::new();
    // A time that no clock reaches has no end but that of the user.
    let end = first.checked_add(flood.lasts).unwrap_or_else(|| first + FAR);
    let over = timeout_at(end, stopped);
    tokio::pin!(over);
    let mut is_over = false;
    loop {
        tokio::select! {
            lane = tasks.join_next() => match lane {
                Some(Ok(lane)) => flooded.add(&lane),
                Some(Err(_)) => {}
                None => break,
            },
            over = &mut over, if !is_over => {
                is_over = true;
                flooded.interrupted = over.is_ok();
                stopper.send_replace(true);
            }
        }
    }
    flooded.took = lanes.began.elapsed().min(flood.lasts);
    flooded.due = due(flood.rate, flooded.took);
    Ok(flooded)
}

/// The lanes of a flood, which share its schedule.
struct Lanes {
    flood: Flood,
    client: Client,
    request: Request,
    /// The times at which the handshakes are due. One that is past is due at once.
    schedule: Mutex<Interval>,
    began: Stopwatch,
    /// The beginning, as the schedule counts.
    first: Instant,
}

impl Lanes {
    /// Waits until the next handshake is due, and returns when that is, counted from the beginning.
    async fn next(&self) -> Duration {
        self.schedule.lock().await.tick().await.saturating_duration_since(self.first)
    }

    /// Sends one handshake after the other, each when it is due, or at once if that is past.
    async fn drive(self: Arc<Self>, mut stop: watch::Receiver<bool>) -> Flooded {
        let mut done = Flooded::new();
        loop {
            let due = tokio::select! {
                due = self.next() => due,
                _ = stop.wait_for(|stopped| *stopped) => return done,
            };
            if due >= self.flood.lasts || self.began.elapsed() >= self.flood.lasts {
                return done;
            }
            done.sent += 1;
            let sent = tokio::select! {
                sent = self.client.send(&self.flood.address.base_url, self.request.clone()) => sent,
                _ = stop.wait_for(|stopped| *stopped) => {
                    *done.outcomes.entry(CUT_OFF.to_owned()).or_default() += 1;
                    return done;
                }
            };
            let elapsed = self.began.elapsed();
            let outcome = match sent {
                // It arrived between the end and the signal of it.
                _ if elapsed > self.flood.lasts => CUT_OFF.to_owned(),
                Ok(response) => {
                    let latency = elapsed.saturating_sub(due);
                    done.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LATENCY_MAX));
                    response.status.to_string()
                }
                Err(error) => format!("{:?}", error.kind()),
            };
            *done.outcomes.entry(outcome).or_default() += 1;
        }
    }
}

/// Returns the time between two handshakes of a flood, of which there are `rate` in a second and never more.
fn period(rate: u64) -> Duration {
    Duration::from_nanos(NANOSECONDS.div_ceil(rate.max(1)))
}

/// Returns the number of handshakes that are due within a time. The first one is due at its beginning.
fn due(rate: u64, time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(period(rate).as_nanos())).unwrap_or(u64::MAX)
}

/// Returns the schedule of a flood, by its handshakes a second.
fn schedule(rate: u64) -> Interval {
    let mut schedule = interval(period(rate));
    schedule.set_missed_tick_behavior(MissedTickBehavior::Burst);
    schedule
}

/// Returns a handshake whose token no target knows, so that a flood leaves no peering behind.
fn request() -> Request {
    let profile = Profile::default();
    let body = json!({
        "acceptance_token": fresh_token(), "contract_version": profile.contract_version,
        "contract_digest": profile.contract_digest, "platform_version": profile.platform_version,
    });
    Request {
        method: Route::Accept.method().to_owned(),
        path_and_query: Route::Accept.path(),
        headers: vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: Some(Bytes::from(body.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_handshakes_are_due_as_have_their_time_before_the_end() {
        for (rate, milliseconds, expected) in
            [(20, 1000, 20), (1, 1500, 2), (1, 500, 1), (3, 1000, 3), (7, 1000, 7), (3, 0, 0), (0, 1, 1)]
        {
            assert_eq!(due(rate, Duration::from_millis(milliseconds)), expected, "{rate} {milliseconds}");
        }
    }
}

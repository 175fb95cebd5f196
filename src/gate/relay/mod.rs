//! The relay between two platforms that federate with each other. It stands for each of them before the other, ends TLS on
//! both sides, records what passes, and can delay a call, cut one, and restart.
//!
//! Neither platform lets its key out of hand, so the relay has an authority of its own for each that it stands for, and
//! exchanges in accept what a certificate depends on: the request, the authorities, the certificate. It changes addresses too.
//! Everything else passes as it came.

mod address;
mod credentials;
mod stand_in;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use url::Url;

use self::stand_in::StandIn;
use crate::clock::Clock;
use crate::net::{Handler, Inbound, Limits, Outbound};
use crate::pki::PkiError;
use crate::transcript::{Direction, Exchange, Outcome, Recorder, Trace, What};
use crate::wire::generation::CallerForm;

/// The name under which a trace has the other platform.
pub(super) const OTHER: &str = "other";

/// One of the two platforms.
#[derive(Clone, Debug)]
pub struct End {
    /// The address of its federation plane.
    pub base_url: Url,
    /// Its authority, if it is known.
    pub ca_bundle_pem: Option<String>,
    /// The way in which a caller identifies itself to it.
    pub caller: CallerForm,
    /// Its clock.
    pub clock: Clock,
}

/// Treatment of the next call of one platform by the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// It is passed on after this time.
    Delay(Duration),
    /// It is not passed on: the connection is dropped.
    CutRequest,
    /// It is passed on, and the answer is not: the connection is dropped.
    CutAnswer,
}

/// An error of a relay that cannot start.
#[derive(Debug, Error)]
pub enum RelayError {
    /// The relay cannot listen.
    #[error("the relay cannot listen on {address}")]
    Listen {
        /// The address.
        address: IpAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The relay has no certificate.
    #[error("the relay cannot make its certificates")]
    Keys(#[from] PkiError),
}

/// A running relay. It stops when it is dropped.
#[derive(Debug)]
pub struct Relay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ends: Mutex<[End; 2]>,
    /// The stand-in of each platform, which the other one calls.
    stand_ins: [StandIn; 2],
    /// Messages that each platform sent and got, as the other half of a trace in which it is the target.
    recorders: [Recorder; 2],
    disturbances: Mutex<[Option<Disturbance>; 2]>,
    step: AtomicU32,
    label: Mutex<String>,
    passed: AtomicU32,
    limits: Limits,
}

impl Relay {
    /// Starts a relay between two platforms. It listens on `listen`.
    pub fn start(ends: [End; 2], listen: IpAddr, limits: Limits) -> Result<Self, RelayError> {
        let [first, second] = &ends;
        // What stands for the first platform is seen by the second, and is valid by its clock.
        let stand_ins = [
            StandIn::new("first", listen, &second.clock, second)?,
            StandIn::new("second", listen, &first.clock, first)?,
        ];
        let recorders =
            [first, second].map(|end| Recorder::in_memory("what the relay passed", end.clock.clone()));
        let shared = Arc::new(Shared {
            ends: Mutex::new(ends),
            stand_ins,
            recorders,
            disturbances: Mutex::default(),
            step: AtomicU32::new(0),
            label: Mutex::default(),
            passed: AtomicU32::new(0),
            limits,
        });
        let relay = Self(shared);
        for of in 0..2 {
            relay.listen(of)?;
        }
        Ok(relay)
    }

    fn listen(&self, of: usize) -> Result<(), RelayError> {
        let handler = Arc::new(Passing { shared: Arc::downgrade(&self.0), of });
        self.0.stand_ins[of].listen(handler, self.0.limits)
    }

    /// Returns the address at which one platform finds the other: that of what stands for it.
    #[must_use]
    pub fn url(&self, of: usize) -> &Url {
        self.0.stand_ins[of].url()
    }

    /// Returns the authority of what stands for a platform.
    #[must_use]
    pub fn ca_bundle_pem(&self, of: usize) -> &str {
        self.0.stand_ins[of].ca_bundle_pem()
    }

    /// Names what is done from now on. Its calls have this number and this label.
    pub fn begin(&self, step: u32, label: &str) {
        self.0.step.store(step, Ordering::SeqCst);
        label.clone_into(&mut lock(&self.0.label));
    }

    /// Disturbs the next call that a platform makes.
    pub fn disturb(&self, caller: usize, disturbance: Disturbance) {
        lock(&self.0.disturbances)[caller] = Some(disturbance);
    }

    /// Returns the number of calls that arrived so far.
    #[must_use]
    pub fn arrived(&self) -> u32 {
        self.0.passed.load(Ordering::SeqCst)
    }

    /// Drops every connection of both sides, and listens again on the same ports.
    pub async fn restart(&self) -> Result<(), RelayError> {
        for stand_in in &self.0.stand_ins {
            stand_in.stop().await;
        }
        (0..2).try_for_each(|of| self.listen(of))
    }

    /// Refuses every connection to a platform from now on, as if it were not running.
    pub async fn close(&self, of: usize) {
        self.0.stand_ins[of].stop().await;
    }

    /// Takes connections to a platform again.
    pub fn open(&self, of: usize) -> Result<(), RelayError> {
        self.listen(of)
    }

    /// Forgets the connections to a platform that was started again, perhaps at another address.
    pub fn started_again(&self, of: usize, base_url: Url, ca_bundle_pem: Option<String>) {
        let end = &mut lock(&self.0.ends)[of];
        end.base_url = base_url;
        end.ca_bundle_pem = ca_bundle_pem.or_else(|| end.ca_bundle_pem.take());
        self.0.stand_ins[of].forget_ways();
    }

    /// Ends the record of a platform. Returns what it answered and called, as a trace in which it is the target.
    #[must_use]
    pub fn ended(&self, of: usize) -> Trace {
        self.0.recorders[of].end(Outcome::Completed)
    }
}

/// Passes on the calls to one platform.
#[derive(Debug)]
struct Passing {
    shared: std::sync::Weak<Shared>,
    of: usize,
}

#[async_trait]
impl Handler for Passing {
    async fn handle(&self, request: Inbound) -> Outbound {
        match self.shared.upgrade() {
            Some(shared) => shared.pass(self.of, request).await,
            None => Outbound::abort(),
        }
    }
}

impl Shared {
    fn end(&self, of: usize) -> End {
        lock(&self.ends)[of].clone()
    }

    /// Passes on a call to the platform `callee`, and its answer.
    async fn pass(&self, callee: usize, request: Inbound) -> Outbound {
        self.passed.fetch_add(1, Ordering::SeqCst);
        let caller = 1 - callee;
        let (step, label) = (self.step.load(Ordering::SeqCst), lock(&self.label).clone());
        let disturbance = lock(&self.disturbances)[caller].take();
        if let Some(Disturbance::Delay(time)) = disturbance {
            let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
        }
        if disturbance == Some(Disturbance::CutRequest) {
            return Outbound::abort();
        }
        let (exchange, outbound) = self.exchange(callee, request).await;
        for (of, direction) in [(callee, Direction::ToTarget), (caller, Direction::FromTarget)] {
            let exchange = Exchange { direction, ..exchange.clone() };
            self.recorders[of].record(Some(step), Some(&label), What::Exchange(exchange));
        }
        if disturbance == Some(Disturbance::CutAnswer) { Outbound::abort() } else { outbound }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a socket address with any free port.
const fn any_port(listen: IpAddr) -> SocketAddr {
    SocketAddr::new(listen, 0)
}

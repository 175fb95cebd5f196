//! Budget of the whole process for connections and for messages that are in work. Every server and every client
//! draws from it, so that no number of them exceeds it.

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

const KIB: usize = 1024;
/// Budget of the large messages, in KiB.
const LARGE_KIB: u32 = 32 * 1024;

/// Largest message of an anonymous client, in bytes. A larger message of anyone else draws from the budget of large ones.
pub(super) const SMALL_BYTES_MAX: usize = 256 * KIB;

/// Connections of clients that have shown no certificate: they are anonymous clients, and so is each client before its
/// handshake.
static ANONYMOUS_PLACES: Semaphore = Semaphore::const_new(128);
/// All other connections.
static KNOWN_PLACES: Semaphore = Semaphore::const_new(512);
/// KiB of the messages of anonymous clients.
static ANONYMOUS: Semaphore = Semaphore::const_new(8 * KIB);
/// KiB of the small messages of all others.
static SMALL: Semaphore = Semaphore::const_new(16 * KIB);
/// KiB of the large messages.
static LARGE: Semaphore = Semaphore::const_new(LARGE_KIB as usize);
/// Messages that wait for a share. Their heads need memory too.
static WAITING: Semaphore = Semaphore::const_new(256);

/// Sender of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// It has shown no certificate.
    Anonymous,
    /// Anyone else.
    Known,
}

impl Sender {
    /// Waits for a place for a connection.
    pub(super) async fn place(self) -> Option<Place> {
        let places = match self {
            Self::Anonymous => &ANONYMOUS_PLACES,
            Self::Known => &KNOWN_PLACES,
        };
        places.acquire().await.ok().map(Place)
    }

    /// Waits for the share of a message of this size, of which the large part is left out. Returns `None` if too many
    /// others wait.
    pub(super) async fn share(self, bytes: usize) -> Option<Share> {
        let pool = match self {
            Self::Anonymous => &ANONYMOUS,
            Self::Known => &SMALL,
        };
        let kib = kib(bytes.min(2 * SMALL_BYTES_MAX));
        let small = if let Ok(small) = pool.try_acquire_many(kib) {
            small
        } else {
            let _waiting = WAITING.try_acquire().ok()?;
            pool.acquire_many(kib).await.ok()?
        };
        Some(Share { _small: Some(small), large: None })
    }
}

/// Place of a connection.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "it is held for its place")] SemaphorePermit<'static>);

/// Share of a message in the budget, until it is dropped. A message has the small share from its head on, and the large
/// one when it grows. It never waits for more with a large share, so no two wait for each other.
#[derive(Debug, Default)]
pub(super) struct Share {
    _small: Option<SemaphorePermit<'static>>,
    large: Option<SemaphorePermit<'static>>,
}

impl Share {
    /// Waits for the share of a large message, of `bytes` at most, if `length` bytes are one.
    pub(super) async fn grow(&mut self, length: usize, bytes: usize) {
        if length > SMALL_BYTES_MAX && self.large.is_none() {
            self.large = LARGE.acquire_many(kib(bytes)).await.ok();
        }
    }

    /// Returns bytes that hold this share.
    pub(super) fn with(self, bytes: impl Into<Bytes>) -> Bytes {
        Bytes::from_owner(Shared { bytes: bytes.into(), _share: self })
    }
}

struct Shared {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns the units of a budget, at most those that a whole budget of large messages has.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX).clamp(1, LARGE_KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_is_counted_until_its_bytes_are_dropped() {
        let mut share = Sender::Known.share(100).await.expect("a share");
        share.grow(100, SMALL_BYTES_MAX).await;
        assert!(share.large.is_none());
        share.grow(SMALL_BYTES_MAX + 1, 2 * SMALL_BYTES_MAX).await;
        assert_eq!(share.large.as_ref().map(SemaphorePermit::num_permits), Some(512));
        let bytes = share.with(&b"hello"[..]);
        let part = bytes.slice(1..3);
        drop(bytes);
        assert_eq!(&part[..], b"el");
    }

    #[test]
    fn a_size_has_a_unit_at_least_and_a_whole_budget_at_most() {
        assert_eq!([kib(0), kib(1), kib(1025), kib(usize::MAX)], [1, 1, 2, 32 * 1024]);
    }
}

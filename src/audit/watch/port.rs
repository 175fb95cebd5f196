//! The port of a watch that continues. The target knows it, so the watch can take no other.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::interval;

use crate::net::Port;

/// The time between two tries, and their number. Together they are longer than most connections that had the port by chance.
const TRIED_EVERY: Duration = Duration::from_millis(200);
const TRIES: u32 = 75;

/// Waits while another process has the port: while no watch ran, the system may have given it to a connection. If it is not
/// free in the end, the start of the peer says so.
pub(super) async fn wait_until_free(address: SocketAddr, show: fn(&str)) {
    let is_taken = || Port::take(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
    if !is_taken() {
        return;
    }
    show(&format!(
        "watch: another process has {address}, at which the target calls this peer; waiting for it"
    ));
    let mut tries = interval(TRIED_EVERY);
    for _ in 0..TRIES {
        tries.tick().await;
        if !is_taken() {
            return;
        }
    }
}

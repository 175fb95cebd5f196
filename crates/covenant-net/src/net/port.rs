//! A port that stays reserved while no process listens on it.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use covenant_model::environment;

/// Largest number of connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Port that is reserved until this value is dropped. While its owner does not listen, a caller is refused
/// and no other process gets the port. So a message to its owner never reaches another process.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    /// Socket that is bound and never listens. It reserves the port.
    _bound: TcpSocket,
}

impl Port {
    /// Reserves the port of an address, or any free port if the address has port 0.
    pub fn take(address: SocketAddr) -> io::Result<Self> {
        let bound = bind(address)?;
        Ok(Self { address: bound.local_addr()?, _bound: bound })
    }

    /// Returns the reserved address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens on the port until the returned listener is dropped.
    pub fn listen(&self) -> io::Result<TcpListener> {
        bind(self.address)?.listen(BACKLOG)
    }
}

/// Binds a socket so that a second socket of this process can bind to the same port. Only one of them
/// listens.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.inspect_err(|error| {
        environment::note(error);
    })?;
    socket.set_reuseaddr(true)?;
    // Outside Linux, `SO_REUSEADDR` alone does not allow a second socket on the same address.
    #[cfg(all(unix, not(target_os = "linux")))]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

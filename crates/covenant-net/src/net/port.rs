//! A port that stays one's own, also while no one listens there.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Calls that may wait to be let in.
const BACKLOG: u32 = 1024;

/// A port that is taken from now until this is dropped. While no one listens there a caller is
/// refused, and no one else is given the port: what is said to its owner never reaches a anonymous client.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    /// Bound, and never listening: what keeps the port.
    _bound: TcpSocket,
}

impl Port {
    /// Takes the port of an address, or any that is free where that names none (0).
    pub fn take(address: SocketAddr) -> io::Result<Self> {
        let bound = bind(address)?;
        Ok(Self { address: bound.local_addr()?, _bound: bound })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens there, until what is returned is dropped.
    pub fn listen(&self) -> io::Result<TcpListener> {
        bind(self.address)?.listen(BACKLOG)
    }
}

/// Binds so that a second socket of ours may bind beside it, as long as one of them only listens.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Elsewhere the former alone lets no second socket bind to the very same address.
    #[cfg(all(unix, not(target_os = "linux")))]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

//! A client's socket, and a way to see that the other end is done with it.

use std::io;

use tokio::net::TcpStream;
use url::{Host, Url};

use crate::net::NetError;

/// Opens a socket to the host and port of `base_url`.
pub(super) async fn open(base_url: &Url, host: &Host) -> Result<(TcpStream, Probe), NetError> {
    let port =
        base_url.port_or_known_default().ok_or_else(|| NetError::Request(format!("{base_url}: no port")))?;
    let connected = match host {
        Host::Domain(name) => TcpStream::connect((name.as_str(), port)).await,
        Host::Ipv4(address) => TcpStream::connect((*address, port)).await,
        Host::Ipv6(address) => TcpStream::connect((*address, port)).await,
    };
    connected.and_then(with_probe).map_err(|error| NetError::Refused(error.to_string()))
}

/// A second handle on a socket, which only looks.
#[derive(Debug)]
pub(super) struct Probe(std::net::TcpStream);

impl Probe {
    /// Whether nothing has come that is still unread. On an idle connection that could only be its
    /// end, which the system knows of before the task that drives the connection does.
    pub(super) fn is_quiet(&self) -> bool {
        self.0.peek(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

fn with_probe(socket: TcpStream) -> io::Result<(TcpStream, Probe)> {
    socket.set_nodelay(true)?;
    let socket = socket.into_std()?;
    let probe = Probe(socket.try_clone()?);
    Ok((TcpStream::from_std(socket)?, probe))
}

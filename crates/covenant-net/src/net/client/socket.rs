//! A client's socket, and a way to see that the other end is done with it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use url::{Host, Url};

use crate::net::NetError;

/// A socket that is connected.
pub(super) struct Opened {
    pub(super) socket: TcpStream,
    pub(super) probe: Probe,
    /// Where it calls from, if that is an address of the client's own.
    pub(super) source: Option<Ipv4Addr>,
}

/// Opens a socket to the host and port of `base_url`, from `source` where that end is on this machine.
pub(super) async fn open(base_url: &Url, host: &Host, source: Option<Ipv4Addr>) -> Result<Opened, NetError> {
    let port =
        base_url.port_or_known_default().ok_or_else(|| NetError::Request(format!("{base_url}: no port")))?;
    let connected = match host {
        Host::Domain(name) => connect_to_any(name, port, source).await,
        Host::Ipv4(address) => connect((*address, port).into(), source).await,
        Host::Ipv6(address) => connect((*address, port).into(), source).await,
    };
    let opened = connected.and_then(|(socket, source)| {
        let (socket, probe) = with_probe(socket)?;
        Ok(Opened { socket, probe, source })
    });
    opened.map_err(|error| NetError::Refused(error.to_string()))
}

type Connected = (TcpStream, Option<Ipv4Addr>);

async fn connect_to_any(name: &str, port: u16, source: Option<Ipv4Addr>) -> io::Result<Connected> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((name, port)).await? {
        match connect(address, source).await {
            Err(error) => failed = error,
            connected => return connected,
        }
    }
    Err(failed)
}

/// Not every system lets a client have an address of its own: then it calls from the default one.
async fn connect(address: SocketAddr, source: Option<Ipv4Addr>) -> io::Result<Connected> {
    let source = source.filter(|_| matches!(address, SocketAddr::V4(address) if address.ip().is_loopback()));
    if let Some(source) = source {
        let socket = TcpSocket::new_v4()?;
        if socket.bind((source, 0).into()).is_ok() {
            return Ok((socket.connect(address).await?, Some(source)));
        }
    }
    Ok((TcpStream::connect(address).await?, None))
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

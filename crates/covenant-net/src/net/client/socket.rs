//! Socket of a client, and a probe that shows if the other end has closed it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use url::{Host, Url};

use crate::net::NetError;
use covenant_model::environment;

/// Connected socket.
pub(super) struct Opened {
    pub(super) socket: TcpStream,
    pub(super) probe: Probe,
    /// Local address of the socket; `None` if the client has no address of its own.
    pub(super) source: Option<Ipv4Addr>,
}

/// Opens a socket to the host and port of `base_url`, from `source` if the server is on this machine.
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
    opened.map_err(|error| {
        environment::note(&error);
        NetError::Refused(error.to_string())
    })
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

/// Connects from `source`. On a system that does not allow it, the client calls from the default address.
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

/// Second handle on a socket, for peeking only.
#[derive(Debug)]
pub(super) struct Probe(std::net::TcpStream);

impl Probe {
    /// Returns whether the socket is open and has no unread data. On an idle connection, unread data can only
    /// be the end of the stream. The system knows of it before the task that drives the connection does.
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

//! HTTP server: HTTP/1.1 and HTTP/2 over TLS by ALPN, or plain HTTP/1.1.

mod connection;
mod tasks;

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use self::connection::{Places, Serving, serve};
use self::tasks::Tasks;
use super::budget::Sender;
use super::{Inbound, Limits, Outbound};
use crate::pki::ServerTls;
use covenant_model::environment;

/// Time limit of a graceful stop for the requests in progress.
const STOP_TIME_MAX: Duration = Duration::from_secs(2);
/// Pause after the system refused to accept a connection: it may have no free sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Handler of the requests of a server.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Runs when a client connects, before the TLS handshake.
    async fn on_connect(&self) {}

    /// Runs when the head of a request has arrived, before its body. The request keeps the result as its mark, so
    /// that a handler can tell what held when the request began.
    async fn begins(&self, _head: &Inbound) -> bool {
        false
    }

    /// Runs when a limit rejected a call, before it could be answered.
    fn rejected_by_limit(&self, _call: RejectedByLimit) {}

    /// Answers one request. If a call panics, only its connection or stream ends.
    async fn handle(&self, request: Inbound) -> Outbound;
}

/// A call that a limit of the server rejected, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectedByLimit {
    /// Method and path of the request; `None` if its head was not read.
    pub request: Option<(String, String)>,
    /// Status of the response; `None` if there was none.
    pub status: Option<u16>,
    /// Limit, for a person.
    pub reason: String,
}

/// Server that runs until it is stopped, killed or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Tasks,
}

impl Server {
    /// Starts a server on `listener`, with TLS or as plain HTTP.
    pub fn start(
        listener: TcpListener,
        tls: Option<ServerTls>,
        handler: Arc<dyn Handler>,
        limits: Limits,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let tasks = Tasks::default();
        let serving = Serving { tls, handler, limits, tasks: tasks.clone(), stopped };
        tasks.spawn(accept(Listening(listener), Arc::new(serving)));
        Ok(Self { address, stop, tasks })
    }

    /// Returns the address on which the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no further connections, and returns when the requests in progress have a response, within two
    /// seconds.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if timeout(STOP_TIME_MAX, self.tasks.ended()).await.is_err() {
            self.kill().await;
        }
    }

    /// Drops every connection at once. When it returns, the port is free and no handler runs.
    pub async fn kill(self) {
        self.tasks.abort();
        self.tasks.ended().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}

/// Listener that listens no more as soon as it is dropped. A process that another thread starts holds a copy of each
/// socket until it executes its program; closing the socket alone would leave the port taken until then.
struct Listening(TcpListener);

impl Drop for Listening {
    fn drop(&mut self) {
        // Where the system knows no such end of a listener, closing it has to do.
        let _ = SockRef::from(&self.0).shutdown(Shutdown::Both);
    }
}

async fn accept(listener: Listening, serving: Arc<Serving>) {
    let places = Arc::new(Semaphore::new(serving.limits.connections_max));
    let mut stopped = serving.stopped.clone();
    // Without TLS, what stands in front of the server knows its clients.
    let first = if serving.tls.is_some() { Sender::Anonymous } else { Sender::Known };
    let mut connections = 0;
    loop {
        let accepted = tokio::select! {
            accepted = accept_one(&listener.0, &places, first) => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let (socket, remote, places) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                environment::note(&error);
                let _ = timeout(ACCEPT_PAUSE, std::future::pending::<()>()).await;
                continue;
            }
        };
        connections += 1;
        let (serving, number) = (serving.clone(), connections);
        serving.tasks.clone().spawn(async move {
            serve(socket, remote, number, places, &serving).await;
        });
    }
}

/// Accepts the next connection, as soon as the limit allows it.
async fn accept_one(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    first: Sender,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, Places)> {
    let of_server = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (socket, remote) = listener.accept().await?;
    // A server that waits for a client holds no place of the process.
    let of_process = first.place().await.ok_or_else(|| io::Error::other("no places"))?;
    Ok((socket, remote, Places::new(first, of_server, of_process)))
}

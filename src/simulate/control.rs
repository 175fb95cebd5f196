//! The control socket of a simulation: commands over a loopback connection, each with a token.
//!
//! One line of JSON asks, one line answers: `{"token": "…", "command": "on late-excerpt"}` and
//! `{"ok": true, "text": "…"}`. The file that describes the simulation has the address and the token; only its owner
//! may read it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Simulation;
use super::command::{CommandError, STOP, STOPPED};
use crate::clock::fresh_token;
use crate::input::{self, InputError};
use crate::runner::{FileError, write_new_private};
use crate::secret;
use crate::wire::canonical::sha256_hex;

/// The longest line of a command, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// The longest file that describes a simulation, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The time that one command may take.
const COMMAND_TIME_MAX: Duration = Duration::from_mins(1);
/// The time in which the line of a command arrives, and the line of its answer leaves.
const LINE_TIME_MAX: Duration = Duration::from_secs(10);
/// The number of connections at the same time.
const CONNECTIONS_MAX: usize = 16;

/// A control socket that listens.
#[derive(Debug)]
pub struct Control {
    listener: TcpListener,
    token: String,
    path: PathBuf,
}

/// An error of the control socket.
#[derive(Debug, Error)]
pub enum ControlError {
    /// It cannot listen.
    #[error("the control socket cannot listen on this machine")]
    Listen(#[source] io::Error),
    /// The file exists: it may be the user's own, or that of another simulation.
    #[error(
        "--control {0}: exists, and nothing is overwritten; name another file, or remove it if its simulation has ended"
    )]
    Exists(String),
    /// The file cannot be written.
    #[error("--control {path}: cannot write; name a file in a folder that exists and is yours")]
    Write {
        /// The path of the file.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] InputError),
    /// The file does not describe a simulation.
    #[error("{0}: this file describes no simulation; name the file of its --control")]
    NoDescription(String),
    /// The simulation does not answer.
    #[error("{path}: no simulation answers at {address}; it may have ended")]
    NoAnswer {
        /// The path of the file.
        path: String,
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The simulation does not understand the command.
    #[error("{0}")]
    Refused(String),
    /// A call that the command makes was refused, or not answered.
    #[error("{0}")]
    Failed(String),
}

#[derive(Serialize, Deserialize)]
struct Request {
    token: String,
    command: String,
}

#[derive(Serialize, Deserialize)]
struct Response {
    ok: bool,
    text: String,
    /// True if the command was understood, and a call that it makes failed.
    #[serde(default)]
    call_failed: bool,
}

/// How a client reaches the socket.
#[derive(Deserialize)]
struct Place {
    address: SocketAddr,
    token: String,
}

impl Control {
    /// Listens on a free port of this machine, and writes the file that describes the simulation.
    pub async fn start(path: &Path, simulation: &Simulation) -> Result<Self, ControlError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(ControlError::Listen)?;
        let address = listener.local_addr().map_err(ControlError::Listen)?;
        let token = fresh_token();
        secret::learn_own("control_token", &token);
        let control = json!({"address": address, "token": token});
        let text = json!({"control": control, "peers": simulation.description()});
        // Whoever waits for the file never reads a part of it.
        let written = write_new_private(path, format!("{text:#}\n").as_bytes(), false);
        let shown = || path.display().to_string();
        written.map_err(|error| match error {
            FileError::Exists(_) => ControlError::Exists(shown()),
            FileError::Write { source, .. } => ControlError::Write { path: shown(), source },
            _ => ControlError::Write { path: shown(), source: io::ErrorKind::NotFound.into() },
        })?;
        Ok(Self { listener, token, path: path.to_owned() })
    }

    /// Answers commands until it is dropped: several connections at a time, each with one command.
    pub async fn serve(&self, simulation: &Simulation) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let Ok((socket, _)) = self.listener.accept().await else {
                // Without free descriptors the next call would fail at once, too.
                tokio::task::yield_now().await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            // A connection beyond the limit is closed. Those that stall give their place back in time.
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let (token, simulation) = (self.token.clone(), simulation.clone());
            connections.spawn(async move {
                let _ = answer(socket, &token, &simulation).await;
                drop(place);
            });
        }
    }
}

/// Answers the command of one connection. A client that stalls or sends nonsense only loses its own connection.
async fn answer(socket: TcpStream, token: &str, simulation: &Simulation) -> io::Result<()> {
    let (read, mut write) = socket.into_split();
    let mut line = String::new();
    timeout(LINE_TIME_MAX, BufReader::new(read.take(LINE_BYTES_MAX)).read_line(&mut line)).await??;
    let mut stops = false;
    let refused = |why: &str| Err(CommandError::Command(why.to_owned()));
    let response = match serde_json::from_str::<Request>(&line) {
        Err(_) => refused("a line of JSON with token and command was expected"),
        Ok(request) if !admits(token, &request.token) => refused("the token is wrong"),
        // The answer has to leave before the socket is gone.
        Ok(request) if request.command.trim() == STOP => {
            stops = true;
            Ok(STOPPED.to_owned())
        }
        Ok(request) => timeout(COMMAND_TIME_MAX, simulation.command(&request.command))
            .await
            .unwrap_or_else(|_| Err(CommandError::Call("the command takes too long; see status".to_owned()))),
    };
    let response = match response {
        Ok(text) => Response { ok: true, text, call_failed: false },
        Err(CommandError::Command(text)) => Response { ok: false, text, call_failed: false },
        Err(CommandError::Call(text)) => Response { ok: false, text, call_failed: true },
    };
    let line = serde_json::to_string(&response)?;
    timeout(LINE_TIME_MAX, write.write_all(format!("{line}\n").as_bytes())).await??;
    if stops {
        simulation.stop();
    }
    Ok(())
}

/// Compares digests, whose common beginning says nothing about the token.
fn admits(own: &str, token: &str) -> bool {
    sha256_hex(token) == sha256_hex(own)
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Asks the simulation that a file describes to do something, and returns its answer.
pub async fn ask(path: &Path, command: &str) -> Result<String, ControlError> {
    let name = || path.display().to_string();
    let text = input::read_text(path, FILE_BYTES_MAX)?;
    let described: Value = serde_json::from_str(&text).map_err(|_| ControlError::NoDescription(name()))?;
    let place = Place::deserialize(&described["control"]).map_err(|_| ControlError::NoDescription(name()))?;
    secret::learn_own("control_token", &place.token);
    let address = place.address;
    let no_answer = |source| ControlError::NoAnswer { path: name(), address, source };
    let request = Request { token: place.token, command: command.to_owned() };
    let asked = async {
        let socket = TcpStream::connect(address).await?;
        let (read, mut write) = socket.into_split();
        let line = serde_json::to_string(&request)?;
        write.write_all(format!("{line}\n").as_bytes()).await?;
        let mut answer = String::new();
        BufReader::new(read.take(FILE_BYTES_MAX)).read_line(&mut answer).await?;
        serde_json::from_str::<Response>(&answer).map_err(io::Error::other)
    };
    // The simulation answers a command within its own limit.
    let response = timeout(COMMAND_TIME_MAX + LINE_TIME_MAX, asked)
        .await
        .map_err(io::Error::from)
        .and_then(|answer| answer);
    match response.map_err(no_answer)? {
        Response { ok: true, text, .. } => Ok(text),
        Response { ok: false, text, call_failed: true } => Err(ControlError::Failed(text)),
        Response { ok: false, text, .. } => Err(ControlError::Refused(text)),
    }
}

//! The commands by which a running simulation is changed: from keys, and over its control socket.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::Simulation;
use super::line::clauses;
use super::simulated::Simulated;
use crate::contract::V1_2026_05;
use crate::nearest::did_you_mean;
use crate::peer::{Behaviour, Named};
use crate::runner::{FileError, refuse_unwritable, write_new_private};
use crate::wire::grant::Scope;
use crate::with_causes;

/// Word for all peers.
pub(super) const ALL: &str = "all";

/// The command that ends the simulation, and its answer.
pub(super) const STOP: &str = "stop";
pub(super) const STOPPED: &str = "the simulation ends\n";

/// The commands, for a person.
pub const HELP: &str = "\
status                     which behaviours each peer shows, and whether it is federated
on [PEER] NAME …           show these behaviours or families too
off [PEER] NAME …          no longer show them
only [PEER] NAME …         show these and no others
conform [PEER]             show none
beat [PEER]                send a heartbeat now, and do what the behaviours ask for
revoke [PEER]              revoke the peering
join [PEER] TOKEN          federate again, with another token
grant [PEER] KIND ID FILE  issue a grant of a record; FILE gets it, for the target's operator
sync [PEER] KIND           send a batch of this kind
stop                       end the simulation
help                       these commands
Without PEER a command is for all peers.
";

const COMMANDS: [&str; 12] =
    ["status", "on", "off", "only", "conform", "beat", "revoke", "join", "grant", "sync", "stop", "help"];

/// Why a command did not do what it says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The command is wrong.
    #[error("{0}")]
    Command(String),
    /// A call that the command makes was refused, or not answered.
    #[error("{0}")]
    Call(String),
}

impl From<String> for CommandError {
    fn from(text: String) -> Self {
        Self::Command(text)
    }
}

impl Simulation {
    /// Does what a command says, and returns what it changed, or why it did not.
    pub async fn command(&self, command: &str) -> Result<String, CommandError> {
        let mut words = command.split_whitespace();
        let Some(name) = words.next() else { return Err("the command is empty; try help".to_owned().into()) };
        let mut words: Vec<&str> = words.collect();
        if [STOP, "help"].contains(&name) && !words.is_empty() {
            return Err(format!("{name} is about the whole simulation; write it alone").into());
        }
        let peers = self.peers_of(&mut words)?;
        match name {
            "help" => Ok(HELP.to_owned()),
            "status" => {
                none(&words)?;
                Ok(peers.iter().map(|peer| status(peer)).collect())
            }
            "on" | "off" | "only" => Ok(self.switch(name, &peers, &words)?),
            "conform" => {
                none(&words)?;
                Ok(self.set(&peers, |_| vec![]))
            }
            "beat" => {
                none(&words)?;
                Order::Beat.by_each(&peers).await
            }
            "revoke" => {
                none(&words)?;
                Order::Revoke.by_each(&peers).await
            }
            "join" => join(&peers, &words).await,
            "grant" => Ok(grant(&peers, &words)?),
            "sync" => {
                let [kind] = words.as_slice() else {
                    return Err("write sync [PEER] KIND".to_owned().into());
                };
                Order::Sync(kind).by_each(&peers).await
            }
            STOP => {
                self.stop();
                Ok(STOPPED.to_owned())
            }
            other => {
                Err(format!("no command is called {other:?}; try help{}", did_you_mean(other, COMMANDS))
                    .into())
            }
        }
    }

    /// Takes the peer from the words of a command; all peers, if none is named.
    fn peers_of(&self, words: &mut Vec<&str>) -> Result<Vec<Arc<Simulated>>, String> {
        let is_peer = |word: &str| word == ALL || self.0.peers.iter().any(|peer| peer.peer.name() == word);
        match words.first().copied() {
            Some(word) if is_peer(word) => {
                words.remove(0);
                self.named(word)
            }
            _ => self.named(ALL),
        }
    }
}

fn none(words: &[&str]) -> Result<(), String> {
    words.first().map_or(Ok(()), |word| Err(format!("no peer is called {word:?}; try status")))
}

/// Command for each of some peers.
#[derive(Clone, Copy)]
enum Order<'a> {
    Beat,
    Revoke,
    Sync(&'a str),
    Join(&'a str),
}

impl Order<'_> {
    /// Lets a peer do it. Returns what it did, or why the call failed.
    async fn by(self, peer: &Simulated) -> Result<String, String> {
        match self {
            Self::Beat => peer.beat_now().await.map(|()| "a heartbeat".to_owned()),
            Self::Revoke => peer.revoke().await.map(ToOwned::to_owned),
            Self::Sync(kind) => peer.sync(kind).await.map(|()| format!("a batch of kind {kind}")),
            Self::Join(token) => peer.federate_with(token).await.map(ToOwned::to_owned),
        }
    }

    /// Lets the peers do it side by side, and lists what came of it. One failure makes it one of the command.
    async fn by_each(self, peers: &[Arc<Simulated>]) -> Result<String, CommandError> {
        let (mut text, mut fails) = (String::new(), false);
        // A target that stalls one peer holds back no other.
        let outcomes = join_all(peers.iter().map(|peer| self.by(peer))).await;
        for (peer, outcome) in peers.iter().zip(outcomes) {
            let outcome = outcome.unwrap_or_else(|why| {
                fails = true;
                format!("FAILED: {why}")
            });
            let _ = writeln!(text, "{}: {outcome}", peer.peer.name());
        }
        if fails { Err(CommandError::Call(text.trim_end().to_owned())) } else { Ok(text) }
    }
}

impl Simulation {
    /// Switches behaviours on or off. A peer that was switched on acts at once.
    fn switch(&self, command: &str, peers: &[Arc<Simulated>], words: &[&str]) -> Result<String, String> {
        if words.is_empty() {
            return Err(format!("write {command} [PEER] NAME, with a behaviour or a family"));
        }
        let mut named: Vec<&'static Behaviour> = Vec::new();
        for word in words {
            let found = Named::find(word).ok_or_else(|| {
                format!(
                    "no peer, behaviour or family is called {word:?}{}",
                    did_you_mean(word, Named::names())
                )
            })?;
            named.extend(if command == "off" { found.all() } else { found.together() });
        }
        let is_named = |other: &&Behaviour| named.iter().any(|own| own.name == other.name);
        let text = self.set(peers, |before| {
            let mut after = before;
            match command {
                "off" => after.retain(|behaviour| !is_named(behaviour)),
                "only" => after.clone_from(&named),
                _ => {
                    after.retain(|behaviour| !is_named(behaviour));
                    after.extend(&named);
                }
            }
            after
        });
        if command != "off" {
            for peer in peers {
                peer.beat_soon();
            }
        }
        Ok(text)
    }

    /// Changes the behaviours of peers. Two commands at the same time do so one after the other.
    fn set(
        &self,
        peers: &[Arc<Simulated>],
        change: impl Fn(Vec<&'static Behaviour>) -> Vec<&'static Behaviour>,
    ) -> String {
        let _turn = self.0.switching.lock().unwrap_or_else(PoisonError::into_inner);
        for peer in peers {
            peer.change_behaviours(&change);
        }
        peers.iter().map(|peer| status(peer)).collect()
    }
}

/// Says which behaviours a peer shows, and which clauses they break.
fn status(peer: &Simulated) -> String {
    let state = if peer.peer.is_federated() { "federated" } else { "not federated" };
    let (behaviours, wait) = peer.behaviours();
    let mut text = format!("{} ({state}): ", peer.peer.name());
    if wait && !behaviours.is_empty() {
        text.push_str("conforms until it is federated, and then ");
    }
    if behaviours.is_empty() {
        text.push_str("conforms\n");
        return text;
    }
    let broken = clauses(behaviours.iter().copied());
    let _ = writeln!(text, "breaks {}", if broken.is_empty() { "nothing" } else { &broken });
    for behaviour in behaviours {
        text.push_str(&described(behaviour));
    }
    text
}

/// Describes a behaviour, and the clauses that it breaks in the words of the suite.
pub(super) fn described(behaviour: &Behaviour) -> String {
    let mut text = format!("  {}: {}\n", behaviour.name, behaviour.about);
    for id in behaviour.clauses {
        let clause = id.parse().ok().and_then(|id| V1_2026_05.clause(id));
        let _ = writeln!(text, "    {id} {}", clause.map_or("", |clause| clause.obligation));
    }
    text
}

async fn join(peers: &[Arc<Simulated>], words: &[&str]) -> Result<String, CommandError> {
    let ([peer], [token]) = (peers, words) else {
        return Err("write join PEER TOKEN: a token is good for one peer".to_owned().into());
    };
    crate::secret::learn_own("acceptance_token", token);
    if peer.peer.is_federated() {
        return Err(format!("{} is federated; revoke it first", peer.peer.name()).into());
    }
    Order::Join(token).by_each(peers).await
}

/// Issues a grant, and writes it into a file for the target's operator.
fn grant(peers: &[Arc<Simulated>], words: &[&str]) -> Result<String, String> {
    let ([peer], [kind, id, file]) = (peers, words) else {
        return Err("write grant PEER KIND ID FILE: a grant is of one peer".to_owned());
    };
    let path = Path::new(file);
    let exists = || format!("{file}: exists, and nothing is overwritten; name another file");
    let failed = |error: FileError| match error {
        FileError::Exists(_) => exists(),
        other => format!("{}; name another file", with_causes(&other)),
    };
    // Before the grant: one that no operator ever gets would stay issued.
    if path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    refuse_unwritable(path).map_err(failed)?;
    let record: Map<String, Value> =
        [("id".to_owned(), json!(id)), ("name".to_owned(), json!("simulated"))].into_iter().collect();
    peer.peer.put_record(kind, id, record);
    let scopes = vec![Scope::Read, Scope::Migrate];
    let grant = peer.peer.issue_grant(kind, Some(id), scopes);
    let written = json!({
        "grant_id": grant.id, "bearer_token": grant.bearer_token, "resource_kind": kind, "resource_id": id,
        "permission_scopes": ["read", "migrate"], "expires_at": grant.expires_at.to_string(),
    });
    if let Err(error) = write_new_private(path, format!("{written:#}\n").as_bytes(), false) {
        peer.peer.withdraw_grant(&grant.id);
        return Err(failed(error));
    }
    Ok(format!("{}: a grant of {kind} {id}, in {file}\n", peer.peer.name()))
}

//! The commands by which a running simulation is changed: from keys, and over its control socket.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Simulation;
use super::line::clauses;
use super::simulated::Simulated;
use crate::contract::V1_2026_05;
use crate::nearest::did_you_mean;
use crate::peer::{Behaviour, Named};
use crate::private;
use crate::wire::grant::Scope;

/// What stands for all peers.
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

impl Simulation {
    /// Does what a command says, and returns what it changed, or what is wrong with it.
    pub async fn command(&self, command: &str) -> Result<String, String> {
        let mut words = command.split_whitespace();
        let Some(name) = words.next() else { return Err("the command is empty; try help".to_owned()) };
        let mut words: Vec<&str> = words.collect();
        if [STOP, "help"].contains(&name) && !words.is_empty() {
            return Err(format!("{name} is about the whole simulation; write it alone"));
        }
        let peers = self.peers_of(&mut words)?;
        match name {
            "help" => Ok(HELP.to_owned()),
            "status" => none(&words).map(|()| peers.iter().map(|peer| status(peer)).collect()),
            "on" | "off" | "only" => switch(name, &peers, &words),
            "conform" => none(&words).map(|()| set(&peers, |_| vec![])),
            "beat" => none(&words).map(|()| {
                beat_now(&peers);
                format!("{}: a heartbeat\n", listed(&peers))
            }),
            "revoke" => {
                none(&words)?;
                for peer in &peers {
                    peer.revoke().await;
                }
                Ok(format!("{}: revoked\n", listed(&peers)))
            }
            "join" => join(&peers, &words),
            "grant" => grant(&peers, &words),
            "sync" => {
                let [kind] = words.as_slice() else { return Err("write sync [PEER] KIND".to_owned()) };
                for peer in &peers {
                    peer.sync(kind).await;
                }
                Ok(format!("{}: a batch of kind {kind}\n", listed(&peers)))
            }
            STOP => {
                self.stop();
                Ok(STOPPED.to_owned())
            }
            other => {
                Err(format!("no command is called {other:?}; try help{}", did_you_mean(other, COMMANDS)))
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

/// Switches behaviours on or off. A peer that was switched on acts at once.
fn switch(command: &str, peers: &[Arc<Simulated>], words: &[&str]) -> Result<String, String> {
    if words.is_empty() {
        return Err(format!("write {command} [PEER] NAME, with a behaviour or a family"));
    }
    let mut named: Vec<&'static Behaviour> = Vec::new();
    for word in words {
        let found = Named::find(word).ok_or_else(|| {
            format!("no peer, behaviour or family is called {word:?}{}", did_you_mean(word, Named::names()))
        })?;
        named.extend(if command == "off" { found.all() } else { found.together() });
    }
    let is_named = |other: &&Behaviour| named.iter().any(|own| own.name == other.name);
    let text = set(peers, |before| {
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
        beat_now(peers);
    }
    Ok(text)
}

fn beat_now(peers: &[Arc<Simulated>]) {
    for peer in peers {
        peer.beat_now();
    }
}

fn set(
    peers: &[Arc<Simulated>],
    change: impl Fn(Vec<&'static Behaviour>) -> Vec<&'static Behaviour>,
) -> String {
    for peer in peers {
        let behaviours = change(peer.peer.behaviours());
        peer.peer.set_behaviours(behaviours);
    }
    peers.iter().map(|peer| status(peer)).collect()
}

/// Says which behaviours a peer shows, and which clauses they break.
fn status(peer: &Simulated) -> String {
    let state = if peer.peer.is_federated() { "federated" } else { "not federated" };
    let behaviours = peer.peer.behaviours();
    let mut text = format!("{} ({state}): ", peer.peer.name());
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

fn listed(peers: &[Arc<Simulated>]) -> String {
    peers.iter().map(|peer| peer.peer.name()).collect::<Vec<_>>().join(", ")
}

fn join(peers: &[Arc<Simulated>], words: &[&str]) -> Result<String, String> {
    let ([peer], [token]) = (peers, words) else {
        return Err("write join PEER TOKEN: a token is good for one peer".to_owned());
    };
    crate::secret::learn_own("acceptance_token", token);
    if peer.peer.is_federated() {
        return Err(format!("{} is federated; revoke it first", peer.peer.name()));
    }
    peer.federate_with(token);
    Ok(format!("{}: federates again\n", peer.peer.name()))
}

/// Issues a grant, and writes it into a file for the target's operator.
fn grant(peers: &[Arc<Simulated>], words: &[&str]) -> Result<String, String> {
    let ([peer], [kind, id, file]) = (peers, words) else {
        return Err("write grant PEER KIND ID FILE: a grant is of one peer".to_owned());
    };
    let record: Map<String, Value> =
        [("id".to_owned(), json!(id)), ("name".to_owned(), json!("simulated"))].into_iter().collect();
    peer.peer.put_record(kind, id, record);
    let scopes = vec![Scope::Read, Scope::Migrate];
    let grant = peer.peer.issue_grant(kind, Some(id), scopes);
    let written = json!({
        "grant_id": grant.id, "bearer_token": grant.bearer_token, "resource_kind": kind, "resource_id": id,
        "permission_scopes": ["read", "migrate"], "expires_at": grant.expires_at.to_string(),
    });
    let path = Path::new(file);
    let write = || {
        let mut file = private::create_new(path)?;
        std::io::Write::write_all(&mut file, format!("{written:#}\n").as_bytes())
    };
    write().map_err(|error| format!("{file}: cannot write the grant: {error}"))?;
    Ok(format!("{}: a grant of {kind} {id}, in {file}\n", peer.peer.name()))
}

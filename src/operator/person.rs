//! A person as hands: told in plain words what to do, one thing at a time, and asked what came of it.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::rpc::NOT_RUNNING;
use super::{Hands, HandsError, Lease, Targets, Tie, Verb, Wish};
use crate::clock::Clock;
use crate::wire::header::CallerForm;

/// Where a person is talked to: a terminal.
pub trait Dialogue: Send {
    /// Shows a text.
    fn say(&mut self, text: &str) -> std::io::Result<()>;
    /// Waits for a line; none when there will be no more.
    fn hear(&mut self) -> std::io::Result<Option<String>>;
}

/// A person at a terminal.
#[derive(Clone)]
pub struct Person {
    dialogue: Arc<PlainMutex<dyn Dialogue>>,
    /// What the person said can't be done: not asked again.
    cannot: Arc<PlainMutex<Vec<Verb>>>,
    turn: Arc<Mutex<()>>,
}

impl Person {
    /// The person behind this dialogue.
    pub fn new(dialogue: impl Dialogue + 'static) -> Self {
        Self { dialogue: Arc::new(PlainMutex::new(dialogue)), cannot: Arc::default(), turn: Arc::default() }
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

#[async_trait]
impl Targets for Person {
    async fn lease(&self, _: Wish<'_>) -> Result<Lease, HandsError> {
        let turn = self.turn.clone().lock_owned().await;
        Ok(Lease {
            hands: Arc::new(self.clone()),
            clock: Clock::system(),
            tie: Tie::Apart,
            caller: CallerForm::Tls,
            is_fresh: false,
            guard: Some(Box::new(turn)),
        })
    }
}

#[async_trait]
impl Hands for Person {
    async fn perform(&self, verb: &str, parameters: Value) -> Result<Value, HandsError> {
        let Some(known) = Verb::parse(verb) else {
            return Err(HandsError::Unsupported { verb: verb.to_owned() });
        };
        let person = self.clone();
        let asked = tokio::task::spawn_blocking(move || person.ask(known, &parameters)).await;
        asked.unwrap_or_else(|fault| Err(failed(known, fault.to_string())))
    }
}

impl Person {
    fn ask(&self, verb: Verb, parameters: &Value) -> Result<Value, HandsError> {
        let unsupported = || Err(HandsError::Unsupported { verb: verb.to_string() });
        let Some(request) = request(verb) else { return unsupported() };
        if self.cannot().contains(&verb) {
            return unsupported();
        }
        let mut dialogue = self.dialogue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = format!("\n{}\n", request.words);
        for (name, value) in
            parameters.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null())
        {
            let _ = writeln!(told, "    {name}: {}", plain(value));
        }
        say(verb, &mut *dialogue, &told)?;
        let mut result = Map::new();
        if request.answers.is_empty() {
            say(
                verb,
                &mut *dialogue,
                "Enter when it is done, \"no: why\" if the platform refused, \"can't\", or \"stop\": ",
            )?;
            self.answer(verb, &mut *dialogue)?;
        }
        for (member, form) in request.answers {
            let text = loop {
                say(verb, &mut *dialogue, &format!("{member}{}: ", form.hint()))?;
                let text = self.answer(verb, &mut *dialogue)?;
                match form.read(&text) {
                    Some(value) => break value,
                    None => say(verb, &mut *dialogue, &format!("  {}\n", form.complaint()))?,
                }
            };
            result.insert((*member).to_owned(), text);
        }
        Ok(Value::Object(result))
    }

    /// A line of the person's, unless it says that the verb can't be done, or that all is over.
    fn answer(&self, verb: Verb, dialogue: &mut dyn Dialogue) -> Result<String, HandsError> {
        let heard = dialogue.hear().map_err(|error| failed(verb, error.to_string()))?;
        let Some(line) = heard else { return Err(failed(verb, "the person has gone".to_owned())) };
        let line = line.trim().to_owned();
        match line.to_lowercase().as_str() {
            "stop" => Err(failed(verb, "the person stopped the run".to_owned())),
            "can't" | "cant" | "cannot" => {
                self.cannot().push(verb);
                Err(HandsError::Unsupported { verb: verb.to_string() })
            }
            lower if lower == "no" || lower.starts_with("no:") => Err(HandsError::Refused {
                verb: verb.to_string(),
                code: NOT_RUNNING,
                message: line.get(3..).unwrap_or_default().trim().to_owned(),
            }),
            _ => Ok(line),
        }
    }

    fn cannot(&self) -> std::sync::MutexGuard<'_, Vec<Verb>> {
        self.cannot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(verb: Verb, message: String) -> HandsError {
    HandsError::Adapter { verb: verb.to_string(), message }
}

fn say(verb: Verb, dialogue: &mut dyn Dialogue, text: &str) -> Result<(), HandsError> {
    dialogue.say(text).map_err(|error| failed(verb, error.to_string()))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// What a person is asked for one verb.
struct Request {
    words: &'static str,
    answers: &'static [(&'static str, Form)],
}

/// The form of an answer.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
}

impl Form {
    fn hint(self) -> &'static str {
        match self {
            Self::Text => "",
            Self::Json => " (as JSON on one line)",
        }
    }

    fn complaint(self) -> &'static str {
        match self {
            Self::Text => "a text is needed; \"can't\" if there is none",
            Self::Json => "that is no JSON: paste it on one line; \"can't\" if there is none",
        }
    }

    fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => (!text.is_empty()).then(|| json!(text)),
            Self::Json => serde_json::from_str(text).ok(),
        }
    }
}

/// What a person can be asked for in words; none where only a program can do it in time.
fn request(verb: Verb) -> Option<Request> {
    use Form::{Json, Text};
    let (words, answers): (&str, &'static [(&str, Form)]) = match verb {
        Verb::PeerPropose => {
            ("Propose a platform peer at this address.", &[("peer_id", Text), ("acceptance_token", Text)])
        }
        Verb::PeerJoin => ("Join the peer at this address with this acceptance token.", &[("peer_id", Text)]),
        Verb::PeerShow => ("Look at this peer. What does the platform show of it?", &[("peer", Json)]),
        Verb::PeerSuspend => ("Suspend this peer.", &[]),
        Verb::PeerResume => ("Take this peer out of suspension.", &[]),
        Verb::PeerRevoke => ("Revoke this peer.", &[]),
        Verb::GrantIssue => {
            ("Give this peer a grant.", &[("grant_id", Text), ("bearer_token", Text), ("expires_at", Text)])
        }
        Verb::GrantRevoke => ("Revoke this grant.", &[]),
        Verb::GrantHold => ("Put this grant, which the peer gave, into the platform's hands.", &[]),
        Verb::CapabilityDeclare => ("Declare this capability.", &[]),
        Verb::ResourcePut => ("Make this record.", &[]),
        Verb::ResourceDelete => ("Delete this record.", &[]),
        Verb::ResourceList => ("List the platform's records of this kind.", &[("resources", Json)]),
        Verb::MigrationSend => {
            ("Migrate this record to the peer.", &[("migration_id", Text), ("status", Text)])
        }
        Verb::SyncRun => ("Let the platform sync with this peer now.", &[]),
        Verb::HeartbeatSend => ("Let the platform send a heartbeat to this peer now.", &[]),
        Verb::AuditRequest => ("Ask this peer for its audit excerpt.", &[]),
        Verb::AuditList => ("Look at the audit entries about this peer.", &[("entries", Json)]),
        Verb::EventList => ("Look at the platform's events.", &[("events", Json)]),
        Verb::GovernanceScan => ("Run the governance scan. What did it find?", &[("findings", Json)]),
        Verb::CompromiseDeclare => ("Declare this compromise.", &[]),
        Verb::ResidencySet => ("Set the platform's data residency.", &[]),
        Verb::ReleaseSet => ("Bring the platform to this release.", &[]),
        Verb::ReleaseDeprecate => ("Announce the end of this release.", &[]),
        Verb::OverlayList => ("Which overlay addresses are mounted for this peer?", &[("addresses", Json)]),
        _ => return None,
    };
    Some(Request { words, answers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[derive(Clone, Default)]
    struct Script {
        lines: VecDeque<&'static str>,
        said: Arc<PlainMutex<String>>,
    }

    impl Dialogue for Script {
        fn say(&mut self, text: &str) -> std::io::Result<()> {
            self.said.lock().expect("not poisoned").push_str(text);
            Ok(())
        }

        fn hear(&mut self) -> std::io::Result<Option<String>> {
            Ok(self.lines.pop_front().map(ToOwned::to_owned))
        }
    }

    fn person(lines: &[&'static str]) -> (Person, Arc<PlainMutex<String>>) {
        let script = Script { lines: lines.iter().copied().collect(), said: Arc::default() };
        let said = script.said.clone();
        (Person::new(script), said)
    }

    #[tokio::test]
    async fn one_thing_is_asked_at_a_time_and_rubbish_once_more() {
        let (person, said) = person(&["p1", "", "token", "not json", "[]"]);
        let proposed = person.perform("peer.propose", json!({"remote_instance_url": "https://a"})).await;
        assert_eq!(proposed, Ok(json!({"peer_id": "p1", "acceptance_token": "token"})));
        let found = person.perform("governance.scan", json!({})).await;
        assert_eq!(found, Ok(json!({"findings": []})));
        let said = said.lock().expect("not poisoned").clone();
        assert!(
            said.contains("Propose a platform peer") && said.contains("    remote_instance_url: https://a")
        );
        assert!(said.contains("that is no JSON"));
    }

    #[tokio::test]
    async fn what_can_not_be_done_is_not_asked_again_and_no_and_stop_are_heard() {
        let (person, _) = person(&["can't", "no: it is locked", "stop"]);
        let unsupported = Err(HandsError::Unsupported { verb: "peer.suspend".to_owned() });
        assert_eq!(person.perform("peer.suspend", json!({})).await, unsupported);
        assert_eq!(person.perform("peer.suspend", json!({})).await, unsupported);
        let refused = person.perform("peer.revoke", json!({})).await.expect_err("refused");
        assert!(refused.to_string().contains("it is locked"), "{refused}");
        let stopped = person.perform("peer.revoke", json!({})).await.expect_err("stopped");
        assert!(stopped.to_string().contains("the person stopped the run"), "{stopped}");
        let gone = person.perform("peer.revoke", json!({})).await.expect_err("gone");
        assert!(gone.to_string().contains("the person has gone"), "{gone}");
        assert!(person.perform("covenant.square_the_circle", json!({})).await.is_err());
    }
}

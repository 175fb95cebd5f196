//! A person as operator client: receives one plain instruction at a time and enters the result.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::rpc::NOT_RUNNING;
use super::{ClockSync, Lease, Method, OperatorClient, OperatorError, TargetRequest, Targets};
use crate::clock::Clock;
use crate::wire::header::CallerForm;

/// A dialogue with a person, such as a terminal.
pub trait Dialogue: Send {
    /// Shows a text.
    fn say(&mut self, text: &str) -> std::io::Result<()>;
    /// Waits for a line. Returns `None` at the end of the input.
    fn hear(&mut self) -> std::io::Result<Option<String>>;
}

/// A person at a terminal.
#[derive(Clone)]
pub struct Person {
    dialogue: Arc<PlainMutex<dyn Dialogue>>,
    /// The methods that the person declined. They are not asked for again.
    cannot: Arc<PlainMutex<Vec<Method>>>,
    turn: Arc<Mutex<()>>,
}

impl Person {
    /// Builds the operator client of the person behind this dialogue.
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
    async fn lease(&self, _: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let turn = self.turn.clone().lock_owned().await;
        Ok(Lease {
            operator: Arc::new(self.clone()),
            clock: Clock::system(),
            clock_sync: ClockSync::Independent,
            caller: CallerForm::Tls,
            is_fresh: false,
            guard: Some(Box::new(turn)),
        })
    }
}

#[async_trait]
impl OperatorClient for Person {
    async fn call(&self, method: &str, parameters: Value) -> Result<Value, OperatorError> {
        let Some(known) = Method::parse(method) else {
            return Err(OperatorError::Unsupported { method: method.to_owned() });
        };
        let person = self.clone();
        let asked = tokio::task::spawn_blocking(move || person.ask(known, &parameters)).await;
        asked.unwrap_or_else(|fault| Err(failed(known, fault.to_string())))
    }
}

impl Person {
    fn ask(&self, method: Method, parameters: &Value) -> Result<Value, OperatorError> {
        let unsupported = || Err(OperatorError::Unsupported { method: method.to_string() });
        let Some(request) = prompt(method) else { return unsupported() };
        if self.cannot().contains(&method) {
            return unsupported();
        }
        let mut dialogue = self.dialogue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reported = format!("\n{}\n", request.words);
        for (name, value) in
            parameters.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null())
        {
            let _ = writeln!(reported, "    {name}: {}", plain(value));
        }
        say(method, &mut *dialogue, &reported)?;
        let mut result = Map::new();
        if request.answers.is_empty() {
            say(
                method,
                &mut *dialogue,
                "Enter when it is done, \"no: why\" if the platform refused, \"can't\", or \"stop\": ",
            )?;
            self.answer(method, &mut *dialogue)?;
        }
        for (member, form) in request.answers {
            let text = loop {
                say(method, &mut *dialogue, &format!("{member}{}: ", form.hint()))?;
                let text = self.answer(method, &mut *dialogue)?;
                match form.read(&text) {
                    Some(value) => break value,
                    None => say(method, &mut *dialogue, &format!("  {}\n", form.complaint()))?,
                }
            };
            result.insert((*member).to_owned(), text);
        }
        Ok(Value::Object(result))
    }

    /// Reads a line of the person, unless it declines the method or ends the dialogue.
    fn answer(&self, method: Method, dialogue: &mut dyn Dialogue) -> Result<String, OperatorError> {
        let heard = dialogue.hear().map_err(|error| failed(method, error.to_string()))?;
        let Some(line) = heard else { return Err(failed(method, "the person has gone".to_owned())) };
        let line = line.trim().to_owned();
        match line.to_lowercase().as_str() {
            "stop" => Err(failed(method, "the person stopped the run".to_owned())),
            "can't" | "cant" | "cannot" => {
                self.cannot().push(method);
                Err(OperatorError::Unsupported { method: method.to_string() })
            }
            lower if lower == "no" || lower.starts_with("no:") => Err(OperatorError::Refused {
                method: method.to_string(),
                code: NOT_RUNNING,
                message: line.get(3..).unwrap_or_default().trim().to_owned(),
            }),
            _ => Ok(line),
        }
    }

    fn cannot(&self) -> std::sync::MutexGuard<'_, Vec<Method>> {
        self.cannot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(method: Method, message: String) -> OperatorError {
    OperatorError::Adapter { method: method.to_string(), message }
}

fn say(method: Method, dialogue: &mut dyn Dialogue, text: &str) -> Result<(), OperatorError> {
    dialogue.say(text).map_err(|error| failed(method, error.to_string()))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The instruction to a person for one method.
struct Request {
    words: &'static str,
    answers: &'static [(&'static str, Form)],
}

/// The format of an answer.
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

/// Returns the instruction for a method, or `None` if only a program can do it in time.
fn prompt(method: Method) -> Option<Request> {
    use Form::{Json, Text};
    let (words, answers): (&str, &'static [(&str, Form)]) = match method {
        Method::PeerPropose => {
            ("Propose a platform peer at this address.", &[("peer_id", Text), ("acceptance_token", Text)])
        }
        Method::PeerJoin => {
            ("Join the peer at this address with this acceptance token.", &[("peer_id", Text)])
        }
        Method::PeerShow => ("Look at this peer. What does the platform show of it?", &[("peer", Json)]),
        Method::PeerSuspend => ("Suspend this peer.", &[]),
        Method::PeerResume => ("Take this peer out of suspension.", &[]),
        Method::PeerRevoke => ("Revoke this peer.", &[]),
        Method::GrantIssue => {
            ("Give this peer a grant.", &[("grant_id", Text), ("bearer_token", Text), ("expires_at", Text)])
        }
        Method::GrantRevoke => ("Revoke this grant.", &[]),
        Method::GrantHold => ("Put this grant, which the peer gave, into the platform's operator.", &[]),
        Method::CapabilityDeclare => ("Declare this capability.", &[]),
        Method::ResourcePut => ("Make this record.", &[]),
        Method::ResourceDelete => ("Delete this record.", &[]),
        Method::ResourceList => ("List the platform's records of this kind.", &[("resources", Json)]),
        Method::MigrationSend => {
            ("Migrate this record to the peer.", &[("migration_id", Text), ("status", Text)])
        }
        Method::SyncRun => ("Let the platform sync with this peer now.", &[]),
        Method::HeartbeatSend => ("Let the platform send a heartbeat to this peer now.", &[]),
        Method::AuditRequest => ("Ask this peer for its audit excerpt.", &[]),
        Method::AuditList => ("Look at the audit entries about this peer.", &[("entries", Json)]),
        Method::EventList => ("Look at the platform's events.", &[("events", Json)]),
        Method::GovernanceScan => ("Run the governance scan. What did it find?", &[("findings", Json)]),
        Method::CompromiseDeclare => ("Declare this compromise.", &[]),
        Method::ResidencySet => ("Set the platform's data residency.", &[]),
        Method::ReleaseSet => ("Bring the platform to this release.", &[]),
        Method::ReleaseDeprecate => ("Announce the end of this release.", &[]),
        Method::OverlayList => ("Which overlay addresses are mounted for this peer?", &[("addresses", Json)]),
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
        let proposed = person.call("peer.propose", json!({"remote_instance_url": "https://a"})).await;
        assert_eq!(proposed, Ok(json!({"peer_id": "p1", "acceptance_token": "token"})));
        let found = person.call("governance.scan", json!({})).await;
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
        let unsupported = Err(OperatorError::Unsupported { method: "peer.suspend".to_owned() });
        assert_eq!(person.call("peer.suspend", json!({})).await, unsupported);
        assert_eq!(person.call("peer.suspend", json!({})).await, unsupported);
        let refused = person.call("peer.revoke", json!({})).await.expect_err("refused");
        assert!(refused.to_string().contains("it is locked"), "{refused}");
        let stopped = person.call("peer.revoke", json!({})).await.expect_err("stopped");
        assert!(stopped.to_string().contains("the person stopped the run"), "{stopped}");
        let gone = person.call("peer.revoke", json!({})).await.expect_err("gone");
        assert!(gone.to_string().contains("the person has gone"), "{gone}");
        assert!(person.call("covenant.square_the_circle", json!({})).await.is_err());
    }
}

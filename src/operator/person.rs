//! A person as operator client: receives one instruction at a time and enters the result.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};

use async_trait::async_trait;
use covenant_model::operator::NOT_RUNNING;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::{Kind, Lease, Member, Method, OperatorClient, OperatorError, TargetRequest, Targets};
use crate::wire::generation::CallerForm;

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
        Ok(Lease::of_running(self.clone(), CallerForm::Tls, Some(Box::new(turn))))
    }
}

#[async_trait]
impl OperatorClient for Person {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        let person = self.clone();
        let asked = tokio::task::spawn_blocking(move || person.ask(method, &parameters)).await;
        asked.unwrap_or_else(|error| Err(failed(method, error.to_string())))
    }
}

impl Person {
    fn ask(&self, method: Method, parameters: &Value) -> Result<Value, OperatorError> {
        let unsupported = || Err(OperatorError::unsupported(method));
        let row = method.definition();
        let Some(prompt) = row.prompt else { return unsupported() };
        if self.cannot().contains(&method) {
            return unsupported();
        }
        let mut dialogue = self.dialogue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut question = format!("\n{prompt}\n");
        for (name, value) in
            parameters.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null())
        {
            let _ = writeln!(question, "    {name}: {}", plain(value));
        }
        say(method, &mut *dialogue, &question)?;
        let mut result = Map::new();
        let result_form = row.result();
        if result_form.required().next().is_none() {
            say(
                method,
                &mut *dialogue,
                "Enter when it is done, \"no: why\" if the platform refused, \"can't\", or \"stop\": ",
            )?;
            self.answer(method, &mut *dialogue)?;
        }
        for Member { name, kind, .. } in result_form.required() {
            let form = Form::of(kind);
            let value = loop {
                say(method, &mut *dialogue, &format!("{name}{}: ", form.hint()))?;
                let text = self.answer(method, &mut *dialogue)?;
                match form.read(&text) {
                    Some(value) => break value,
                    None => say(method, &mut *dialogue, &format!("  {}\n", form.complaint()))?,
                }
            };
            result.insert(name.clone(), value);
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
                Err(OperatorError::unsupported(method))
            }
            lower if lower == "no" || lower.starts_with("no:") => {
                Err(OperatorError::refused(method, NOT_RUNNING, line.get(3..).unwrap_or_default().trim()))
            }
            _ => Ok(line),
        }
    }

    fn cannot(&self) -> std::sync::MutexGuard<'_, Vec<Method>> {
        self.cannot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(method: Method, message: String) -> OperatorError {
    OperatorError::adapter(method, message)
}

fn say(method: Method, dialogue: &mut dyn Dialogue, text: &str) -> Result<(), OperatorError> {
    dialogue.say(text).map_err(|error| failed(method, error.to_string()))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The format of an answer.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
}

impl Form {
    fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Text | Kind::Url | Kind::Moment => Self::Text,
            Kind::Integer | Kind::Boolean | Kind::Object | Kind::Array(_) | Kind::Anything => Self::Json,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::OperatorMethod;
    use crate::operator::governance::Scan;
    use crate::operator::peer::{Propose, Revoke, Suspend};
    use std::collections::VecDeque;

    #[derive(Clone, Default)]
    struct Script {
        lines: VecDeque<&'static str>,
        output: Arc<PlainMutex<String>>,
    }

    impl Dialogue for Script {
        fn say(&mut self, text: &str) -> std::io::Result<()> {
            self.output.lock().expect("not poisoned").push_str(text);
            Ok(())
        }

        fn hear(&mut self) -> std::io::Result<Option<String>> {
            Ok(self.lines.pop_front().map(ToOwned::to_owned))
        }
    }

    fn person(lines: &[&'static str]) -> (Person, Arc<PlainMutex<String>>) {
        let script = Script { lines: lines.iter().copied().collect(), output: Arc::default() };
        let output = script.output.clone();
        (Person::new(script), output)
    }

    #[tokio::test]
    async fn one_value_is_asked_at_a_time_and_again_after_invalid_input() {
        let (person, output) = person(&["p1", "", "token", "not json", "[]"]);
        let proposed = person.call(Propose::METHOD, json!({"remote_instance_url": "https://a"})).await;
        assert_eq!(proposed, Ok(json!({"peer_id": "p1", "acceptance_token": "token"})));
        let found = person.call(Scan::METHOD, json!({})).await;
        assert_eq!(found, Ok(json!({"findings": []})));
        let output = output.lock().expect("not poisoned").clone();
        assert!(
            output.contains("Propose a platform peer")
                && output.contains("    remote_instance_url: https://a")
        );
        assert!(output.contains("that is no JSON"));
    }

    #[tokio::test]
    async fn a_declined_method_is_not_asked_again_and_no_and_stop_are_understood() {
        let (person, _) = person(&["can't", "no: it is locked", "stop"]);
        let unsupported = Err(OperatorError::unsupported(Suspend::METHOD));
        assert_eq!(person.call(Suspend::METHOD, json!({})).await, unsupported);
        assert_eq!(person.call(Suspend::METHOD, json!({})).await, unsupported);
        let refused = person.call(Revoke::METHOD, json!({})).await.expect_err("refused");
        assert!(refused.to_string().contains("it is locked"), "{refused}");
        let stopped = person.call(Revoke::METHOD, json!({})).await.expect_err("stopped");
        assert!(stopped.to_string().contains("the person stopped the run"), "{stopped}");
        let gone = person.call(Revoke::METHOD, json!({})).await.expect_err("gone");
        assert!(gone.to_string().contains("the person has gone"), "{gone}");
        assert!(person.call_nonexistent().await.is_err());
    }
}

//! What an adapter says of itself, in answer to `describe`.

use serde_json::Value;

use super::{ClockSync, Method, OperatorError};
use crate::clock::Clock;
use crate::wire::header::CallerForm;

/// The protocol of the operator plane that this suite speaks.
pub const PROTOCOL: u64 = 1;

/// What an adapter says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The platform's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The verbs that it says it has.
    pub verbs: Vec<String>,
    /// How a caller makes itself known to the platform.
    pub caller: CallerForm,
    /// Whether all that the platform does by itself after an act is done when the act is answered.
    pub settles_at_once: bool,
}

impl Description {
    /// Reads the answer to `describe`. What can't be gone on with is an error that names the member.
    pub fn read(told: &Value) -> Result<Self, OperatorError> {
        let wrong =
            |message: String| OperatorError::Adapter { method: Method::Describe.to_string(), message };
        if told["protocol"].as_u64() != Some(PROTOCOL) {
            return Err(wrong(format!("protocol: {PROTOCOL} was expected, found {}", told["protocol"])));
        }
        let Some(verbs) = told["verbs"].as_array() else {
            return Err(wrong(format!("verbs: an array of texts was expected, found {}", told["verbs"])));
        };
        let text = |member: &str| told[member].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            name: text("name"),
            version: text("version"),
            verbs: verbs.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
            caller: caller(told),
            settles_at_once: told["settles_at_once"] == true,
        })
    }

    /// Whether it says that it has this method.
    #[must_use]
    pub fn has(&self, method: Method) -> bool {
        self.verbs.iter().any(|name| name == method.as_str())
    }

    /// The clock that the peers of such a target go by.
    pub(super) fn clock(&self) -> (Clock, ClockSync) {
        let system = Clock::system();
        if self.has(Method::ClockNow) {
            (Clock::manual(system.now()), ClockSync::Follow)
        } else {
            (system, ClockSync::Independent)
        }
    }
}

/// `identity` and `generation`; where they are absent, TLS.
fn caller(told: &Value) -> CallerForm {
    match (told["identity"].as_str(), told["generation"].as_str()) {
        (Some("forwarded"), Some("G1")) => CallerForm::ForwardedG1,
        (Some("forwarded"), _) => CallerForm::Forwarded,
        _ => CallerForm::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn another_protocol_and_no_methods_are_told() {
        let told = json!({"name": "x", "protocol": 1, "verbs": ["describe", "clock.now"]});
        let description = Description::read(&told).expect("a description");
        assert!(description.has(Method::ClockNow) && !description.has(Method::PeerShow));
        for (told, wanted) in [
            (json!({"protocol": 2}), "protocol: 1 was expected, found 2"),
            (json!({"protocol": 1}), "verbs:"),
        ] {
            let error = Description::read(&told).expect_err("not one").to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}

//! The trait of a check, and the form in which the table holds it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::arguments::{ArgumentError, Parameter};
use super::outcome::Outcome;
use covenant_model::transcript::Trace;

/// The meaning that the absence of a call of the target has for a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AbsentCall {
    /// None.
    #[default]
    SaysNothing,
    /// The target owes a call, or a call would excuse it: its absence may break the check.
    MayBreak,
    /// The target must not make a call: its absence may keep the check.
    MayKeep,
}

/// A check: its fields are the arguments that a scenario gives in `with`, and their doc comments describe
/// them. The doc comment of the type states what has to hold.
pub(super) trait Check: Debug + DeserializeOwned + JsonSchema + 'static {
    /// The id by which a scenario refers to the check: `migration-is-atomic`.
    const ID: &'static str;
    /// Every answer that would be right. A check whose expectation depends on its arguments overrides
    /// [`Check::expected`].
    const EXPECTED: &'static [&'static str];
    /// The positive control of a check that passes because something is absent: what shows, in the same trace,
    /// that a breach would have been seen. `None` for a check that passes because something is there.
    const CONTROL: Option<&'static str> = None;
    /// The meaning of a call of the target that did not arrive. Where a limit of the suite rejected one, such a check is
    /// unproven.
    const ABSENT_CALL: AbsentCall = AbsentCall::SaysNothing;

    /// `true` if a record that another peer of the suite placed with a migration is as good for the check as one that the operator
    /// put: it asks only whether the calls of the other peers are served. Else the check is unproven with such a record.
    const TAKES_PLACED: bool = false;

    /// Evaluates the check over a finished trace.
    fn evaluate(&self, trace: &Trace) -> Outcome;

    /// Returns every answer that would be right.
    fn expected(&self) -> Vec<String> {
        Self::EXPECTED.iter().map(ToString::to_string).collect()
    }
}

/// A check with its arguments, whatever its type.
pub(super) trait Evaluate: Debug {
    /// Evaluates the check over a finished trace.
    fn evaluate(&self, trace: &Trace) -> Outcome;

    /// Returns every answer that would be right.
    fn expected(&self) -> Vec<String>;
}

impl<C: Check> Evaluate for C {
    fn evaluate(&self, trace: &Trace) -> Outcome {
        Check::evaluate(self, trace)
    }

    fn expected(&self) -> Vec<String> {
        Check::expected(self)
    }
}

/// A check with its arguments, or the argument that is wrong.
type Read = Result<Box<dyn Evaluate>, ArgumentError>;

/// A row of the table of checks.
#[derive(Clone, Copy, Debug)]
pub struct CheckDef {
    /// The id by which a scenario refers to the check.
    pub id: &'static str,
    /// Every answer that would be right, where it does not depend on the arguments.
    pub expected: &'static [&'static str],
    /// The positive control: it shows, in the same trace, that a breach would have been seen. `None` for a check that passes
    /// because something is there.
    pub control: Option<&'static str>,
    /// The meaning of a call of the target that did not arrive.
    pub absent_call: AbsentCall,
    /// True if a record that a peer placed is as good as one that the operator put.
    pub takes_placed: bool,
    read: fn(&BTreeMap<String, Value>) -> Read,
    schema: fn() -> Value,
}

impl CheckDef {
    /// Creates the row of a check.
    pub(super) const fn of<C: Check>() -> Self {
        Self {
            id: C::ID,
            expected: C::EXPECTED,
            control: C::CONTROL,
            absent_call: C::ABSENT_CALL,
            takes_placed: C::TAKES_PLACED,
            read: read::<C>,
            schema: schema::<C>,
        }
    }

    /// Returns the schema of the arguments.
    #[must_use]
    pub fn schema(&self) -> Value {
        (self.schema)()
    }

    /// Returns what has to hold, in a sentence.
    #[must_use]
    pub fn about(&self) -> String {
        description(&self.schema())
    }

    /// Returns the parameters, in the order of their names.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        Parameter::all_of(&self.schema())
    }

    /// Checks the arguments of a scenario. The error names the argument that is wrong.
    pub fn check_arguments(&self, with: &BTreeMap<String, Value>) -> Result<(), ArgumentError> {
        self.read(with).map(|_| ())
    }

    pub(super) fn read(&self, with: &BTreeMap<String, Value>) -> Read {
        (self.read)(with)
    }
}

fn read<C: Check>(with: &BTreeMap<String, Value>) -> Read {
    let with = Value::Object(with.clone().into_iter().collect());
    match serde_path_to_error::deserialize::<_, C>(with) {
        Ok(check) => Ok(Box::new(check)),
        Err(error) => Err(ArgumentError::new(&error.path().to_string(), &error.inner().to_string())),
    }
}

fn schema<C: Check>() -> Value {
    SchemaGenerator::default().into_root_schema_for::<C>().to_value()
}

/// Returns the description in a schema, as one line.
pub(super) fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

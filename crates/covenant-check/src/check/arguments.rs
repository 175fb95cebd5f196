//! The types of arguments, and the parameters and errors that a scenario gets before a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::description;

/// The label of one step, or of a step that is repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Label(String);

/// The label of a step, or the labels of several steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Labels {
    /// One label.
    One(String),
    /// Several labels, in the order in which the check reads them.
    Several(Vec<String>),
}

/// The label of a step that not every case of a property has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct CaseLabel(String);

/// The name of a peer of the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct PeerName(String);

/// The name of a peer of the scenario, or the label of the join that it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct PeerOrJoin(String);

macro_rules! texts {
    ($($name:ident),*) => { $(
        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )* };
}
texts!(Label, CaseLabel, PeerName, PeerOrJoin);

impl Labels {
    /// Returns the labels.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        let labels = match self {
            Self::One(label) => std::slice::from_ref(label),
            Self::Several(labels) => labels.as_slice(),
        };
        labels.iter().map(String::as_str)
    }
}

impl From<&str> for Labels {
    fn from(label: &str) -> Self {
        Self::One(label.to_owned())
    }
}

/// A parameter of a check, as its schema describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// The name in `with`.
    pub name: String,
    /// `true` if the argument is mandatory.
    pub required: bool,
    /// The meaning, in a few words.
    pub about: String,
    /// The kind of its value.
    pub kind: ParameterKind,
}

/// The kind of an argument. A reference is checked when the scenario is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// The label of a step, or several labels.
    Labels,
    /// The name of a peer.
    Peer,
    /// The name of a peer, or the label of the join that it answered.
    PeerOrJoin,
    /// A value that refers to nothing.
    Value,
}

/// The kinds by the name of the type in the schema.
const KINDS: [(&str, ParameterKind); 4] = [
    ("Label", ParameterKind::Labels),
    ("Labels", ParameterKind::Labels),
    ("PeerName", ParameterKind::Peer),
    ("PeerOrJoin", ParameterKind::PeerOrJoin),
];

impl Parameter {
    /// Returns the parameters in the schema of a check.
    pub(super) fn all_of(schema: &Value) -> Vec<Self> {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let parameters = properties.map(|(name, property)| Self {
            name: name.clone(),
            required: required.contains(&name.as_str()),
            about: description(property),
            kind: kind(property),
        });
        parameters.collect()
    }
}

/// Returns the kind of a parameter: that of the type that its schema refers to, also of each item of a list.
fn kind(property: &Value) -> ParameterKind {
    let choices = property["anyOf"].as_array().into_iter().flatten();
    let mut places = choices.chain([property, &property["items"]]);
    let referred = places.find_map(|place| place["$ref"].as_str()?.strip_prefix("#/$defs/"));
    let known = referred.and_then(|name| KINDS.iter().find(|(known, _)| *known == name));
    known.map_or(ParameterKind::Value, |(_, kind)| *kind)
}

/// An argument of a scenario that its check does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgumentError {
    /// The name of the argument that is wrong; `None` if one is missing.
    pub argument: Option<String>,
    /// The mistake, and the right form.
    pub message: String,
}

impl ArgumentError {
    /// Creates the error from the place and the message of the deserializer.
    pub(super) fn new(path: &str, message: &str) -> Self {
        let name = path.split(['.', '[']).next().filter(|name| !matches!(*name, "" | "?"));
        Self { argument: name.map(ToOwned::to_owned), message: message.to_owned() }
    }
}

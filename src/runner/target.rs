//! The target of a run: the embedded reference platform, or an external target.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;

use crate::operator::{Embedded, EmbeddedOptions, Targets};
use crate::reference::Patch;

/// The target of a run.
#[derive(Clone, Debug)]
pub enum Target {
    /// The reference platform in this process, with defects and variants applied in order.
    Embedded(Vec<&'static Patch>),
    /// A platform that the suite reaches through an operator client.
    ExternalTarget(ExternalTarget),
}

/// A target other than the embedded reference.
#[derive(Clone, Debug)]
pub struct ExternalTarget {
    /// The name of the target in the report.
    pub name: String,
    /// The words that named the target on the command line or in `covenant.toml`: `--adapter`, `python3 a.py`.
    pub arguments: Vec<String>,
    /// The source of the target.
    pub targets: Arc<dyn Targets>,
}

impl Default for Target {
    fn default() -> Self {
        Self::Embedded(vec![])
    }
}

impl Target {
    /// Returns the source of the target. An embedded target listens on `listen`.
    pub(super) fn targets(&self, listen: IpAddr) -> Arc<dyn Targets> {
        match self {
            Self::Embedded(patches) => {
                let settings = json!({});
                Arc::new(Embedded::new(EmbeddedOptions { listen, patches: patches.clone(), settings }))
            }
            Self::ExternalTarget(external) => external.targets.clone(),
        }
    }

    /// Returns the name of the target in the report.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Embedded(patches) if patches.is_empty() => "the embedded reference platform".to_owned(),
            Self::Embedded(patches) => {
                let names: Vec<&str> = patches.iter().map(|patch| patch.name).collect();
                format!("the embedded reference platform with {}", names.join(", "))
            }
            Self::ExternalTarget(external) => external.name.clone(),
        }
    }

    /// Returns the names of the defects and variants of an embedded target.
    pub(super) fn patch_names(&self) -> Option<Vec<String>> {
        match self {
            Self::Embedded(patches) => Some(patches.iter().map(|patch| patch.name.to_owned()).collect()),
            Self::ExternalTarget(_) => None,
        }
    }

    /// Returns the words that named an external target.
    pub(super) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Embedded(_) => vec![],
            Self::ExternalTarget(external) => external.arguments.clone(),
        }
    }
}

//! The target of a run: the embedded reference platform, or an external target.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;

use crate::operator::{Embedded, EmbeddedOptions, Targets};
use crate::reference::{Patch, PatchKind};

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
    /// The arguments that name the target again on a command line: `--adapter '…'`.
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

    /// Returns the arguments that name the same target again on a command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Embedded(patches) => patches
                .iter()
                .map(|patch| match patch.kind {
                    PatchKind::Defect { .. } => format!("--defect {}", patch.name),
                    PatchKind::Variant => format!("--variant {}", patch.name),
                })
                .collect(),
            Self::ExternalTarget(external) => external.arguments.clone(),
        }
    }
}

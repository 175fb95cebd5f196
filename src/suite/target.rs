//! What a run checks: the embedded reference platform, or one that is external in.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;

use crate::operator::{Embedded, EmbeddedOptions, Targets};
use crate::reference::{Patch, PatchKind};

/// What a run checks.
#[derive(Clone, Debug)]
pub enum Target {
    /// The reference platform in this process, with defects and variants seeded in order.
    Embedded(Vec<&'static Patch>),
    /// A platform through the operator that someone gives the suite.
    ExternalTarget(ExternalTarget),
}

/// A platform that is external in.
#[derive(Clone, Debug)]
pub struct ExternalTarget {
    /// In words, for the report.
    pub name: String,
    /// What names it again on a command line: `--adapter '…'`.
    pub arguments: Vec<String>,
    /// Where it comes from.
    pub targets: Arc<dyn Targets>,
}

impl Default for Target {
    fn default() -> Self {
        Self::Embedded(vec![])
    }
}

impl Target {
    /// Where it comes from; an embedded one listens on `listen`.
    pub(super) fn targets(&self, listen: IpAddr) -> Arc<dyn Targets> {
        match self {
            Self::Embedded(patches) => {
                let settings = json!({});
                Arc::new(Embedded::new(EmbeddedOptions { listen, patches: patches.clone(), settings }))
            }
            Self::ExternalTarget(external) => external.targets.clone(),
        }
    }

    /// In words, for the report.
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

    /// What names the same target again on a command line.
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

//! Writes each entry of its audit twice.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("audits-twice", &[("5.1", Conduct)], "Writes each entry of its audit twice.", |rules| {
        rules.audit.beside = |entry| Some(entry.clone());
    });

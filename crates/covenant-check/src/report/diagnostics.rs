//! The points of a diagnosis, as an audit from outside records them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use covenant_model::transcript::{Note, NoteKind, Trace, What};

/// A point of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// The examined part: `trust`, `accept`.
    pub subject: String,
    /// Meaning: `fine`, `note` or `failed`.
    pub result: String,
    /// Result.
    pub found: String,
    /// Advice; `None` unless it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Returns the point in one line.
    pub(super) fn line(&self) -> String {
        let Self { subject, result, found, hint } = self;
        let hint = hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{result}: {subject}: {found}{hint}")
    }
}

/// Returns the points that a trace records.
#[must_use]
pub fn diagnostics(trace: &Trace) -> Vec<Diagnostic> {
    let notes = trace.entries().iter().filter_map(|entry| match &*entry.what {
        What::Note(note) if note.kind == NoteKind::Diagnosed => Some(note),
        _ => None,
    });
    notes.map(of_note).collect()
}

fn of_note(note: &Note) -> Diagnostic {
    let text = |member: &str| note.facts[member].as_str().map(ToOwned::to_owned);
    Diagnostic {
        subject: text("point").unwrap_or_default(),
        result: text("result").unwrap_or_default(),
        found: note.message.clone(),
        hint: text("hint"),
    }
}

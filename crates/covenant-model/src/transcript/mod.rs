//! All traffic in both directions, in order: recording, masking, reading back.
//!
//! A [`Transcript`] is one file of a run, with one JSON object per line. Each line is written as it happens,
//! so a killed run leaves everything up to the last exchange. The file has one [`Trace`] per scenario, with
//! entries numbered from 1. A verdict cites entries by these numbers. Secrets are masked at capture
//! ([`mask`]), before anything is written. Each line holds the digest of the line before, and the last one, the
//! [`Seal`], that of itself: a change, a cut and an addition are noticed. The digests are not signed, so they prove
//! nothing against someone who can write the whole file.

mod addition;
mod chain;
mod entry;
mod ids;
mod kind;
mod made;
pub mod mask;
mod observer;
mod read;
mod reads;
mod recorder;
mod rewrite;
#[cfg(test)]
mod sample;
mod size;
mod trace;
mod way_back;

pub use addition::{Addition, Shown, Spoken, spoken_note};
pub use entry::{
    Body, Direction, Entry, Exchange, Failure, Message, Note, Operation, OperationFailure, Outcome, RunStart,
    ScenarioStart, Seal, TlsFacts, What, kinds_lack,
};
pub use ids::{is_same_id, usual_path, usual_text};
pub use kind::{FailureKind, NoteKind};
pub use observer::Observer;
pub use read::{ReadError, Reading, StoredTrace, read, read_from};
pub use recorder::{Recorder, Transcript, TranscriptError};
pub use rewrite::{RewriteError, each_entry, rewrite};
pub use size::{LINE_BYTES_MAX, shortened};
pub use trace::{PUT_OFF, Trace};
pub use way_back::{Place, WayBack};

/// Version of the transcript format, written in the first line.
pub const FORMAT: u32 = 3;

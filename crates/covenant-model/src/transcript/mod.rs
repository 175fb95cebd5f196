//! Everything that crossed the wire, both directions, in order: recording, masking, reading back.
//!
//! A [`Transcript`] is one file of a run, one JSON object a line, written as it happens, so that a
//! killed run leaves all of it up to the last exchange. Each scenario has a [`Trace`] of its own in
//! it, numbered from 1; a verdict cites entries by these numbers. Secrets are masked when they are
//! captured ([`mask`]), before anything is written.

mod entry;
mod made;
pub mod mask;
mod read;
mod recorder;
mod trace;

pub use entry::{
    Body, Direction, Entry, Exchange, FLOOD, Failure, Message, Note, Operation, OperationFailure, Outcome,
    RunStart, ScenarioStart, TlsFacts, What,
};
pub use read::{ReadError, Reading, read, read_from};
pub use recorder::{Recorder, Transcript, TranscriptError};
pub use trace::Trace;

/// The version of the transcript's format, in its first line.
pub const FORMAT: u32 = 2;

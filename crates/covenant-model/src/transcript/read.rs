//! Reader of transcripts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::entry::{Entry, Outcome, RunStart, What};
use super::size::{LINE_BYTES_MAX, LINES_MAX};
use super::{FORMAT, Trace};
use crate::input::{self, InputError};
use crate::wire::canonical::sha256_hex;

/// Content of a transcript that was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Start of the run.
    pub start: RunStart,
    /// Time at which the run began, by the clock of the machine that ran it.
    pub began: Timestamp,
    /// Time at which it ended, by the same clock; `None` if the transcript has no end.
    pub ended: Option<Timestamp>,
    /// Traces, in the order in which they began.
    stored: Vec<StoredTrace>,
    /// Outcome of the run; `None` if the transcript has no end: the run was killed or goes on, or the file was cut.
    pub outcome: Option<Outcome>,
    /// `true` if the last line is incomplete, as a kill leaves it.
    pub cut: bool,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

impl Reading {
    /// Joins the parts of a reading.
    #[must_use]
    pub const fn of(
        start: RunStart,
        (began, ended): (Timestamp, Option<Timestamp>),
        stored: Vec<StoredTrace>,
        outcome: Option<Outcome>,
        cut: bool,
        sha256: String,
    ) -> Self {
        Self { start, began, ended, stored, outcome, cut, sha256 }
    }

    /// Returns the traces one after the other, in the order in which they began.
    pub fn traces(&self) -> impl Iterator<Item = Trace> {
        self.stored.iter().map(StoredTrace::read)
    }

    /// Returns the traces as they are kept.
    #[must_use]
    pub fn stored(&self) -> &[StoredTrace] {
        &self.stored
    }

    /// Takes the traces out, so that each can be freed when it was read.
    pub fn take_stored(&mut self) -> Vec<StoredTrace> {
        std::mem::take(&mut self.stored)
    }

    /// Returns the trace of a scenario.
    #[must_use]
    pub fn trace(&self, scenario: &str) -> Option<Trace> {
        self.stored.iter().find(|stored| stored.scenario == scenario).map(StoredTrace::read)
    }
}

/// Trace as the file has it. Its values would take many times the memory, so that only one trace is read at a time.
#[derive(Clone, Debug)]
pub struct StoredTrace {
    scenario: String,
    /// Lines of the trace, each with its end. They were read once, and are valid.
    lines: Vec<u8>,
    /// Number of the lines.
    count: u64,
}

impl StoredTrace {
    /// Returns the id of the scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Returns the trace itself.
    #[must_use]
    pub fn read(&self) -> Trace {
        self.trace_of(|_| true)
    }

    /// Returns a trace of the notes alone. It reads few of the lines.
    #[must_use]
    pub fn notes(&self) -> Trace {
        let is_note = |line: &[u8]| std::str::from_utf8(line).is_ok_and(|line| line.contains("\"note\""));
        self.trace_of(is_note)
    }

    fn trace_of(&self, wanted: impl Fn(&[u8]) -> bool) -> Trace {
        let lines = self.lines.split_inclusive(|byte| *byte == b'\n').filter(|line| wanted(line));
        Trace::new(
            self.scenario.clone(),
            lines.filter_map(|line| serde_json::from_slice(line).ok()).collect(),
        )
    }
}

/// Error for a file that is not a transcript, or not a complete one.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The path is that of no file that can be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The file can't be read.
    #[error("{path}: cannot read the transcript")]
    Io {
        /// Path of the file.
        path: String,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The file holds no run.
    #[error("{path}:1: the file holds no run, so nothing was evaluated")]
    Empty {
        /// Path of the file.
        path: String,
    },
    /// A line is not valid.
    #[error("{path}:{line}: {what}")]
    Line {
        /// Path of the file.
        path: String,
        /// Number of the line, from 1.
        line: usize,
        /// Description of the error.
        what: String,
    },
}

/// Reads a transcript from a file. Without an end, an incomplete last line is ignored. Any other line that is not
/// valid is an error that names the line, and so is anything after the end.
pub fn read(path: &Path) -> Result<Reading, ReadError> {
    let name = path.display().to_string();
    read_from(BufReader::new(input::open(path)?), &name)
}

/// Reads a transcript from any source. `name` appears in errors.
pub fn read_from(mut reader: impl BufRead, name: &str) -> Result<Reading, ReadError> {
    let io = |source| ReadError::Io { path: name.to_owned(), source };
    let at = |line: usize, what: String| ReadError::Line { path: name.to_owned(), line, what };

    let mut parts = Parts::default();
    let mut cut = false;
    let mut last = String::new();
    let mut whole = Sha256::new();
    for line in 1..=LINES_MAX {
        let mut bytes = Vec::new();
        let length =
            reader.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut bytes).map_err(io)?;
        if length == 0 {
            let sha256 = hex::encode(whole.finalize());
            return parts.finish(cut, sha256).ok_or_else(|| ReadError::Empty { path: name.to_owned() });
        }
        whole.update(&bytes);
        if parts.outcome.is_some() {
            return Err(at(line, "something follows the end of the run".to_owned()));
        }
        if length > LINE_BYTES_MAX {
            return Err(at(line, format!("the line is longer than {LINE_BYTES_MAX} bytes")));
        }
        let Some(text) = bytes.strip_suffix(b"\n") else {
            if line == 1 {
                return Err(at(
                    1,
                    "the first line is not complete: this is no transcript, or almost nothing of one".into(),
                ));
            }
            cut = true;
            continue;
        };
        match entry_after(text) {
            Ok((previous, _)) if previous != last => {
                return Err(at(line, "the line before it was changed, or is missing".to_owned()));
            }
            Ok((_, entry)) => {
                is_sealed(&entry, text, line).map_err(|what| at(line, what))?;
                parts.take(&entry, &bytes).map_err(|what| at(line, what))?;
            }
            Err(error) if line == 1 => {
                let why =
                    other_format(text).unwrap_or_else(|| format!("not an entry of a transcript: {error}"));
                return Err(at(1, why));
            }
            Err(error) => return Err(at(line, format!("not an entry of a transcript: {error}"))),
        }
        last = sha256_hex(text);
    }
    Err(at(LINES_MAX, format!("more than {LINES_MAX} lines")))
}

/// Reads a line: the digest of the line before, and the entry. Two passes over the text take less time than one that
/// keeps every value until it knows which of the two it belongs to, as serde does where one is flattened into the other.
pub(super) fn entry_after(text: &[u8]) -> serde_json::Result<(Cow<'_, str>, Entry)> {
    #[derive(Deserialize)]
    struct After<'a> {
        #[serde(borrow)]
        previous: Cow<'a, str>,
    }
    let After { previous } = serde_json::from_slice(text)?;
    Ok((previous, serde_json::from_slice(text)?))
}

/// Checks the seal of a line that ends a run: it counts the lines before, and holds its own digest.
fn is_sealed(entry: &Entry, text: &[u8], line: usize) -> Result<(), String> {
    let What::Seal(seal) = &*entry.what else { return Ok(()) };
    let before = line as u64 - 1;
    if seal.lines != before {
        return Err(format!(
            "the end of the run counts {} lines before it, and there are {before}",
            seal.lines
        ));
    }
    let unsigned = std::str::from_utf8(text).ok().and_then(|text| seal.unsigned(text));
    if unsigned.map(sha256_hex).as_deref() != Some(&seal.digest) {
        return Err("the end of the run was changed".to_owned());
    }
    Ok(())
}

/// Returns an error that names the format of a first line that another version wrote.
fn other_format(text: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let format = value["what"]["run"]["format"].as_u64().filter(|format| *format != u64::from(FORMAT))?;
    Some(wrong_format(format))
}

fn wrong_format(format: impl Display) -> String {
    format!(
        "format {format} of a transcript; this program reads {FORMAT}: use the version that recorded it, or record again"
    )
}

/// Content read so far.
#[derive(Default)]
struct Parts {
    /// Start of the run, and its time.
    start: Option<(RunStart, Timestamp)>,
    ended: Option<Timestamp>,
    outcome: Option<Outcome>,
    stored: Vec<StoredTrace>,
    /// Scenario → place of its trace.
    places: BTreeMap<String, usize>,
}

impl Parts {
    fn take(&mut self, entry: &Entry, line: &[u8]) -> Result<(), String> {
        match (&self.start, &*entry.what) {
            (None, What::Run(start)) if start.format == FORMAT => {
                self.start = Some((start.clone(), entry.at));
            }
            (None, What::Run(start)) => {
                return Err(wrong_format(start.format));
            }
            (None, _) => return Err("the first line does not start a run".into()),
            (Some(_), What::Run(_)) => return Err("a second run begins in the same file".into()),
            (Some(_), What::Seal(seal)) => {
                self.outcome = Some(seal.outcome.clone());
                self.ended = Some(entry.at);
            }
            (Some(_), _) => return self.add(entry, line),
        }
        Ok(())
    }

    fn add(&mut self, entry: &Entry, line: &[u8]) -> Result<(), String> {
        let place = self.places.get(&entry.scenario).copied().unwrap_or(self.stored.len());
        if place == self.stored.len() {
            let scenario = entry.scenario.clone();
            self.places.insert(scenario.clone(), place);
            self.stored.push(StoredTrace { scenario, lines: vec![], count: 0 });
        }
        let trace = &mut self.stored[place];
        let expected = trace.count + 1;
        if entry.n != expected {
            return Err(format!(
                "entry {} of scenario {:?} where entry {expected} is due: a line is missing, doubled or moved",
                entry.n, entry.scenario
            ));
        }
        trace.lines.extend(line);
        trace.count = expected;
        Ok(())
    }

    fn finish(mut self, cut: bool, sha256: String) -> Option<Reading> {
        self.stored.iter_mut().for_each(|trace| trace.lines.shrink_to_fit());
        let (start, began) = self.start?;
        let Self { stored, outcome, ended, .. } = self;
        Some(Reading { start, began, ended, stored, outcome, cut, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Seed};
    use crate::transcript::sample::run_start;
    use crate::transcript::{Note, NoteKind, ScenarioStart, Transcript};
    use std::fs;

    fn note(message: &str) -> What {
        What::Note(Note { kind: NoteKind::Waited, message: message.into(), facts: Value::Null })
    }

    fn write(path: &Path) -> Trace {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let transcript = Transcript::create(path, run_start("test"), &clock).expect("a new file");
        let begin = ScenarioStart { source: "x".into(), seed: Seed(2) };
        let recorder = transcript.begin("a", begin, clock.clone());
        recorder.record(Some(1), Some("first"), note("hello"));
        let trace = recorder.end(Outcome::Completed);
        transcript.end(Outcome::Completed, &clock);
        trace
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("transcript.jsonl");
        let trace = write(&path);
        let reading = read(&path).expect("a transcript");
        assert_eq!(reading.traces().collect::<Vec<_>>(), [trace]);
        assert_eq!((reading.outcome, reading.cut), (Some(Outcome::Completed), false));
        assert_eq!(reading.sha256, sha256_hex(fs::read(&path).expect("bytes")));
    }

    /// Returns the error of reading a text as a transcript.
    fn refusal(text: &str) -> String {
        read_from(text.as_bytes(), "t").map(|_| ()).expect_err(text).to_string()
    }

    #[test]
    fn every_change_at_the_end_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("transcript.jsonl");
        write(&path);
        let whole = fs::read_to_string(&path).expect("a text");
        let last = whole.lines().last().expect("a line");

        let aborted = whole.replace("{\"outcome\":\"completed\"", "{\"outcome\":\"interrupted\"");
        assert_ne!(aborted, whole);
        assert!(refusal(&aborted).contains("the end of the run was changed"));
        let (before, end) = whole.rsplit_once("\"n\":2,").expect("the number of the last line");
        assert!(refusal(&format!("{before}\"n\":3,{end}")).contains("the end of the run was changed"));
        for more in [last, "x", "\n", " ", "{}\n", "\0\0"] {
            let error = refusal(&format!("{whole}{more}"));
            assert!(error.contains(":6:") && error.contains("follows the end"), "{more:?}: {error}");
        }
        // Any cut leaves a transcript without an end.
        for end in whole.find('\n').expect("a line") + 1..whole.len() {
            let reading = read_from(&whole.as_bytes()[..end], "t").expect("what is left");
            assert_eq!(reading.outcome, None, "{end}");
            assert_eq!(reading.cut, !whole[..end].ends_with('\n'));
        }
        for end in 0..=whole.find('\n').expect("a line") {
            assert!(!refusal(&whole[..end]).is_empty());
        }
        // An end of another run, and one whose lines are gone.
        let lines: Vec<&str> = whole.lines().collect();
        assert!(refusal(&format!("{}\n{last}\n", lines[0])).contains("changed, or is missing"));
    }

    #[test]
    fn nothing_is_written_after_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("transcript.jsonl");
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let transcript = Transcript::create(&path, run_start("test"), &clock).expect("a new file");
        let recorder =
            transcript.begin("a", ScenarioStart { source: "x".into(), seed: Seed(2) }, clock.clone());
        transcript.end(Outcome::Interrupted, &clock);
        recorder.record(None, None, note("late"));
        transcript.end(Outcome::Completed, &clock);
        assert_eq!(read(&path).expect("a transcript").outcome, Some(Outcome::Interrupted));
    }

    #[test]
    fn an_old_format_is_named() {
        let old =
            r#"{"previous":"","scenario":"","n":1,"at":"2026-06-01T00:00:00Z","what":{"run":{"format":2}}}"#;
        let error = refusal(&format!("{old}\n"));
        assert!(error.contains("format 2 of a transcript; this program reads 3"), "{error}");
    }

    #[test]
    fn a_cut_last_line_is_passed_over_and_any_other_damage_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("transcript.jsonl");
        write(&path);
        let whole = fs::read_to_string(&path).expect("a text");

        fs::write(&path, &whole[..whole.len() - 10]).expect("written");
        let reading = read(&path).expect("still a transcript");
        assert!(reading.cut && reading.outcome.is_none());

        let mut lines: Vec<&str> = whole.lines().collect();
        lines.remove(2);
        let without_third = lines.join("\n") + "\n";
        fs::write(&path, without_third).expect("written");
        let error = read(&path).expect_err("a line is missing").to_string();
        assert!(error.contains(":3:") && error.contains("missing"), "{error}");

        fs::write(&path, whole.replacen("hello", "hallo", 1)).expect("written");
        let error = read(&path).expect_err("a line was changed").to_string();
        assert!(error.contains(":4:") && error.contains("changed"), "{error}");

        fs::write(&path, whole.replacen("hello", "\u{1}", 1)).expect("written");
        assert!(read(&path).expect_err("broken JSON").to_string().contains(":3:"));

        fs::write(&path, "").expect("written");
        assert!(read(&path).is_err());
    }
}

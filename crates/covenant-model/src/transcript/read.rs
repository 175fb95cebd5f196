//! Reader of transcripts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use thiserror::Error;

use super::entry::{Entry, Line, Outcome, RunStart, What};
use super::{FORMAT, Trace};
use crate::wire::canonical::sha256_hex;

/// Length of the longest line that is read, in bytes.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Largest number of lines that are read.
const LINES_MAX: usize = 5_000_000;

/// Content of a transcript that was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Start of the run.
    pub start: RunStart,
    /// Traces, in the order in which they began.
    pub traces: Vec<Trace>,
    /// Outcome of the run; `None` if the run was killed.
    pub outcome: Option<Outcome>,
    /// `true` if the last line is incomplete, as a kill leaves it.
    pub cut: bool,
}

/// Error for a file that is not a transcript, or not a complete one.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file can't be read.
    #[error("{path}: cannot read the transcript")]
    Io {
        /// Path of the file.
        path: String,
        /// Error of the system.
        source: std::io::Error,
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

/// Reads a transcript from a file. An incomplete last line is ignored. Any other line that is not valid is an
/// error that names the line.
pub fn read(path: &Path) -> Result<Reading, ReadError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| ReadError::Io { path: name.clone(), source })?;
    read_from(BufReader::new(file), &name)
}

/// Reads a transcript from any source. `name` appears in errors.
pub fn read_from(mut reader: impl BufRead, name: &str) -> Result<Reading, ReadError> {
    let io = |source| ReadError::Io { path: name.to_owned(), source };
    let at = |line: usize, what: String| ReadError::Line { path: name.to_owned(), line, what };

    let mut parts = Parts::default();
    let mut cut = false;
    let mut last = String::new();
    for line in 1..=LINES_MAX {
        let mut bytes = Vec::new();
        let length = reader.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes).map_err(io)?;
        if length == 0 {
            return parts.finish(cut).ok_or_else(|| at(1, "the file holds no run".into()));
        }
        if length as u64 > LINE_BYTES_MAX {
            return Err(at(line, format!("the line is longer than {LINE_BYTES_MAX} bytes")));
        }
        match serde_json::from_slice::<Line<'_>>(&bytes) {
            Ok(found) if found.previous != last => {
                return Err(at(line, "the line before it was changed, or is missing".to_owned()));
            }
            Ok(found) => parts.take(found.entry.into_owned()).map_err(|what| at(line, what))?,
            Err(_) if !bytes.ends_with(b"\n") && line > 1 => cut = true,
            Err(error) => return Err(at(line, format!("not an entry of a transcript: {error}"))),
        }
        last = sha256_hex(bytes.strip_suffix(b"\n").unwrap_or(&bytes));
    }
    Err(at(LINES_MAX, format!("more than {LINES_MAX} lines")))
}

/// Content read so far.
#[derive(Default)]
struct Parts {
    start: Option<RunStart>,
    outcome: Option<Outcome>,
    order: Vec<String>,
    traces: BTreeMap<String, Vec<Entry>>,
}

impl Parts {
    fn take(&mut self, entry: Entry) -> Result<(), String> {
        match (&self.start, &*entry.what) {
            (None, What::Run(start)) if start.format == FORMAT => self.start = Some(start.clone()),
            (None, What::Run(start)) => {
                return Err(format!("format {} of a transcript; this program reads {FORMAT}", start.format));
            }
            (None, _) => return Err("the first line does not start a run".into()),
            (Some(_), What::Run(_)) => return Err("a second run begins in the same file".into()),
            (Some(_), What::End(outcome)) if entry.scenario.is_empty() => {
                self.outcome = Some(outcome.clone());
            }
            (Some(_), _) => return self.add(entry),
        }
        Ok(())
    }

    fn add(&mut self, entry: Entry) -> Result<(), String> {
        let trace = self.traces.entry(entry.scenario.clone()).or_default();
        if trace.is_empty() {
            self.order.push(entry.scenario.clone());
        }
        let expected = trace.len() as u64 + 1;
        if entry.n != expected {
            return Err(format!(
                "entry {} of scenario {:?} where entry {expected} is due: a line is missing, doubled or moved",
                entry.n, entry.scenario
            ));
        }
        trace.push(entry);
        Ok(())
    }

    fn finish(mut self, cut: bool) -> Option<Reading> {
        let traces = self
            .order
            .iter()
            .map(|id| Trace::new(id.clone(), self.traces.remove(id).unwrap_or_default()))
            .collect();
        Some(Reading { start: self.start?, traces, outcome: self.outcome, cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Seed};
    use crate::contract::{HeldText, TextSource};
    use crate::transcript::{Note, NoteKind, ScenarioStart, Transcript};
    use std::fs;

    fn start() -> RunStart {
        RunStart {
            format: FORMAT,
            covenant: "0".into(),
            seed: Seed(1),
            contract: HeldText::unknown(TextSource::Nothing),
            binding: "1".into(),
            target: "test".into(),
            reference: Some(vec![]),
            target_arguments: vec![],
            settings: BTreeMap::new(),
            scenarios: vec!["a".into()],
            partial: false,
        }
    }

    fn note(message: &str) -> What {
        What::Note(Note { kind: NoteKind::Waited, message: message.into(), facts: serde_json::Value::Null })
    }

    fn write(path: &Path) -> Trace {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let transcript = Transcript::create(path, start(), &clock).expect("a new file");
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
        assert_eq!(reading.traces, vec![trace]);
        assert_eq!((reading.outcome, reading.cut), (Some(Outcome::Completed), false));
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

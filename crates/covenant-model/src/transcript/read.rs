//! Reading a transcript back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use thiserror::Error;

use super::entry::{Entry, Line, Outcome, RunStart, What};
use super::{FORMAT, Trace};
use crate::wire::canonical::sha256_hex;

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The most lines that are read.
const LINES_MAX: usize = 5_000_000;

/// A transcript that was read back.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How the run began.
    pub start: RunStart,
    /// The traces, in the order in which they began.
    pub traces: Vec<Trace>,
    /// How the run ended; none where it was killed.
    pub outcome: Option<Outcome>,
    /// Whether the last line is cut short, as a kill leaves it.
    pub cut: bool,
}

/// A file that is no transcript, or not a whole one.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It can't be read at all.
    #[error("{path}: cannot read the transcript: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("{path}:{line}: {what}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Reads a transcript. A last line that is cut short is passed over; anything else that is not a
/// transcript's is an error that names its line.
pub fn read(path: &Path) -> Result<Reading, ReadError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| ReadError::Io { path: name.clone(), source })?;
    read_from(BufReader::new(file), &name)
}

/// Reads a transcript from wherever it is; `name` is for errors.
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

/// What has been read up to now.
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
            (None, _) => return Err("the first line does not tell how the run began".into()),
            (Some(_), What::Run(_)) => return Err("a second run begins in the same file".into()),
            (Some(_), What::End(outcome)) if entry.scenario.is_empty() => {
                self.outcome = Some(outcome.clone())
            }
            (Some(_), _) => return self.tell(entry),
        }
        Ok(())
    }

    fn tell(&mut self, entry: Entry) -> Result<(), String> {
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
    use crate::transcript::{Note, ScenarioStart, Transcript};
    use std::fs;

    fn start() -> RunStart {
        RunStart {
            format: FORMAT,
            covenant: "0".into(),
            seed: Seed(1),
            contract_version: 1,
            contract_digest: String::new(),
            binding: "1".into(),
            target: "test".into(),
            target_arguments: vec![],
            settings: BTreeMap::new(),
            scenarios: vec!["a".into()],
            partial: false,
        }
    }

    fn note(message: &str) -> What {
        What::Note(Note { kind: "test".into(), message: message.into(), facts: serde_json::Value::Null })
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

//! Copies of transcripts with changed entries. The chain and the seal are new.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::chain::Chain;
use super::entry::{Entry, Seal, What};
use super::read::{ReadError, read};
use super::recorder::{line_of, line_within};
use crate::{input, private};

/// Error for a copy that cannot be made.
#[derive(Debug, Error)]
pub enum RewriteError {
    /// The transcript can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A changed entry is none.
    #[error("{path}:{line}: the changed line is no entry of a transcript")]
    Changed {
        /// Path of the transcript.
        path: String,
        /// Number of the line, from 1.
        line: usize,
        /// Error of the parser.
        source: serde_json::Error,
    },
    /// The copy can't be written.
    #[error("{path}: cannot write the transcript")]
    Write {
        /// Path of the copy.
        path: String,
        /// Error of the system.
        source: io::Error,
    },
}

/// Passes on each whole line of a transcript as JSON. The transcript has to be unchanged.
pub fn each_entry(path: &Path, mut pass: impl FnMut(&Value)) -> Result<(), ReadError> {
    for_each(path, |_, entry| {
        pass(&serde_json::to_value(&entry).expect("an entry has text keys only"));
        Ok::<_, ReadError>(())
    })
}

/// Writes a copy of a transcript, in which `change` changes each entry. It gets and returns an entry as JSON. The
/// transcript has to be unchanged; its incomplete last line is left out.
pub fn rewrite(from: &Path, to: &Path, mut change: impl FnMut(Value) -> Value) -> Result<(), RewriteError> {
    let written = |source| RewriteError::Write { path: to.display().to_string(), source };
    let mut chain = Chain::new(private::create(to).map_err(written)?);
    for_each(from, |line, entry| {
        let value = serde_json::to_value(&entry).expect("an entry has text keys only");
        let changed: Entry = serde_json::from_value(change(value))
            .map_err(|source| RewriteError::Changed { path: from.display().to_string(), line, source })?;
        let text = match &*changed.what {
            What::Seal(seal) => {
                let seal = Seal { outcome: seal.outcome.clone(), lines: chain.lines, digest: String::new() };
                let sealed = Entry { what: Arc::new(What::Seal(seal)), ..changed };
                Seal::close(&line_of(&chain.last, &sealed))
            }
            _ => line_within(&chain.last, &changed).map_err(written)?,
        };
        chain.add(text, true).map_err(written)
    })?;
    chain.file.sync_all().map_err(written)
}

fn for_each<E: From<ReadError>>(
    path: &Path,
    mut pass: impl FnMut(usize, Entry) -> Result<(), E>,
) -> Result<(), E> {
    // It reads the whole once: what is copied is what a report is made of.
    read(path)?;
    let name = path.display().to_string();
    let failed = |source| ReadError::Io { path: name.clone(), source };
    let file = input::open(path).map_err(ReadError::from)?;
    let mut reader = BufReader::new(file);
    for number in 1.. {
        let mut bytes = Vec::new();
        reader.read_until(b'\n', &mut bytes).map_err(failed)?;
        let Some(text) = bytes.strip_suffix(b"\n") else { return Ok(()) };
        let entry = serde_json::from_slice(text).map_err(|error| ReadError::Line {
            path: name.clone(),
            line: number,
            what: error.to_string(),
        })?;
        pass(number, entry)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Seed};
    use crate::transcript::sample::run_start;
    use crate::transcript::{Note, NoteKind, Outcome, ScenarioStart, Transcript};

    #[test]
    fn a_copy_is_a_sealed_transcript_with_the_changed_entries() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from.jsonl"), folder.path().join("to.jsonl"));
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let start = run_start("https://a.example");
        let transcript = Transcript::create(&from, start, &clock).expect("a new file");
        let scenario = ScenarioStart { source: "x".into(), seed: Seed(2) };
        let recorder = transcript.begin("a", scenario, clock.clone());
        let note =
            Note { kind: NoteKind::Waited, message: "https://a.example waits".into(), facts: Value::Null };
        recorder.record(Some(1), Some("first"), What::Note(note));
        let _ = recorder.end(Outcome::Completed);
        transcript.end(Outcome::Completed, &clock);

        let change = |value: Value| {
            let text = value.to_string().replace("a.example", "host-1");
            serde_json::from_str(&text).expect("JSON")
        };
        rewrite(&from, &to, change).expect("a copy");
        let copy = read(&to).expect("a transcript");
        assert_eq!((copy.outcome, copy.start.target.as_str()), (Some(Outcome::Completed), "https://host-1"));
        assert!(!std::fs::read_to_string(&to).expect("a text").contains("a.example"));
        let mut lines = 0;
        each_entry(&to, |_| lines += 1).expect("entries");
        assert_eq!(lines, 5);

        let broken = rewrite(&from, &to, |_| Value::Null).expect_err("no entry");
        assert!(broken.to_string().contains("from.jsonl:1: the changed line"), "{broken}");
        std::fs::write(&from, std::fs::read_to_string(&from).expect("a text").replace("waits", "waited"))
            .expect("written");
        assert!(matches!(rewrite(&from, &to, change), Err(RewriteError::Read(_))));
    }
}

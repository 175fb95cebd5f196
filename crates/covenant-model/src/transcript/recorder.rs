//! Writer of transcripts.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use thiserror::Error;

use super::chain::Chain;
use super::entry::{Entry, Line, Note, Outcome, RunStart, ScenarioStart, Seal, What};
use super::kind::NoteKind;
use super::mask::Mask;
use super::observer::Observer;
use super::read::{ReadError, Reading, entry_after, read, read_from};
use super::size::{Budget, LINE_BYTES_MAX};
use super::trace::Trace;
use crate::clock::{Clock, Stopwatch};
use crate::wire::canonical::sha256_hex;
use crate::wire::harmless::harmless_json;
use crate::{Fault, environment, private, secret};

/// Transcript of a run, open for writing. Clones share the file.
#[derive(Clone, Debug)]
pub struct Transcript(Arc<Sink>);

#[derive(Debug)]
struct Sink {
    /// Path and file; `None` if the transcript is kept in memory only.
    file: Option<(PathBuf, Mutex<Chain>)>,
    /// First error of writing.
    fault: Mutex<Option<String>>,
    /// Budget for large values.
    budget: Budget,
    /// Begin of the run.
    begun: environment::Begin,
}

impl Sink {
    fn new(file: Option<(PathBuf, Mutex<Chain>)>) -> Self {
        let begun = environment::Begin::now();
        Self { file, fault: Mutex::default(), budget: Budget::default(), begun }
    }
}

/// Error for a transcript that could not be created or written.
#[derive(Debug, Error)]
#[error("{path}: cannot write the transcript")]
pub struct TranscriptError {
    path: String,
    source: io::Error,
}

impl Transcript {
    /// Creates a transcript in a new file, and writes the first line of the run.
    pub fn create(path: &Path, start: RunStart, clock: &Clock) -> Result<Self, TranscriptError> {
        Self::create_of(path, start, clock.now())
    }

    /// Creates a transcript as [`Self::create`] does, of a run that began at this time.
    pub fn create_of(path: &Path, start: RunStart, began: Timestamp) -> Result<Self, TranscriptError> {
        let fail = |source| TranscriptError { path: path.display().to_string(), source };
        let file = private::create(path).map_err(fail)?;
        let transcript = Self(Arc::new(Sink::new(Some((path.to_owned(), Mutex::new(Chain::new(file)))))));
        transcript.write(&run_entry(1, What::Run(start), began));
        match transcript.fault() {
            Some(fault) => Err(fail(io::Error::other(fault))),
            None => Ok(transcript),
        }
    }

    /// Opens an existing transcript to append to it, and returns its content. An incomplete last line, as a
    /// kill leaves it, is removed.
    pub fn resume(path: &Path) -> Result<(Self, Reading), ReadError> {
        let reading = read(path)?;
        let fail = |source| ReadError::Io { path: path.display().to_string(), source };
        let text = std::fs::read(path).map_err(fail)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let last = text[..whole].trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut file = File::options().write(true).open(path).map_err(fail)?;
        file.set_len(whole as u64).map_err(fail)?;
        file.seek(io::SeekFrom::End(0)).map_err(fail)?;
        let lines = text[..whole].split_inclusive(|byte| *byte == b'\n').count() as u64;
        let closed = reading.outcome.is_some();
        let chain = Chain { file, last: sha256_hex(last), lines, length: whole as u64, closed };
        Ok((Self(Arc::new(Sink::new(Some((path.to_owned(), Mutex::new(chain)))))), reading))
    }

    /// Continues a trace of a resumed transcript.
    #[must_use]
    pub fn go_on(&self, trace: &Trace, clock: Clock) -> Recorder {
        let entries = trace.entries().to_vec();
        let state = State { count: entries.len() as u64, entries, ..State::default() };
        let scenario = trace.scenario().to_owned();
        Recorder(Arc::new(Shared {
            transcript: self.clone(),
            scenario,
            clock,
            since: None,
            observer: None,
            state: Mutex::new(state),
        }))
    }

    /// Creates a transcript that is kept in memory only.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Arc::new(Sink::new(None)))
    }

    /// Begins the trace of a scenario.
    #[must_use]
    pub fn begin(&self, scenario: &str, start: ScenarioStart, clock: Clock) -> Recorder {
        self.begin_for(scenario, start, clock, None)
    }

    /// Begins a trace that an observer sees as it happens. Its entries are not kept in memory, so it may go on without
    /// end.
    #[must_use]
    pub fn begin_observed(
        &self,
        scenario: &str,
        start: ScenarioStart,
        clock: Clock,
        observer: Arc<dyn Observer>,
    ) -> Recorder {
        self.begin_for(scenario, start, clock, Some(observer))
    }

    fn begin_for(
        &self,
        scenario: &str,
        start: ScenarioStart,
        clock: Clock,
        observer: Option<Arc<dyn Observer>>,
    ) -> Recorder {
        let recorder = Recorder(Arc::new(Shared {
            transcript: self.clone(),
            scenario: scenario.to_owned(),
            clock,
            since: Some(Stopwatch::start()),
            observer,
            state: Mutex::default(),
        }));
        recorder.record(None, None, What::Scenario(start));
        recorder
    }

    /// Writes the last line of the run, which seals the transcript. What is recorded later is dropped.
    pub fn end(&self, outcome: Outcome, clock: &Clock) {
        let Some((path, chain)) = &self.0.file else { return };
        let mut chain = lock(chain);
        let seal = Seal { outcome, lines: chain.lines, digest: String::new() };
        let line = Seal::close(&line_of(&chain.last, &run_entry(2, What::Seal(seal), clock.now())));
        let written = chain.add(line, true).and_then(|()| chain.file.sync_all());
        chain.closed = true;
        self.keep_fault(path, written);
    }

    /// Returns the first error of writing, a fault of the environment; `None` if there was none.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        lock(&self.0.fault).clone()
    }

    /// Returns a shortage of the machine since the run began, for a person; `None` if there was none.
    #[must_use]
    pub fn shortage(&self) -> Option<String> {
        self.0.begun.shortage_since()
    }

    /// Reads back what was written, from the open file: its name may be gone. Nothing more is written.
    pub fn read_back(&self) -> Result<Reading, ReadError> {
        let Some((path, chain)) = &self.0.file else {
            return read_from(io::empty(), "a transcript in memory");
        };
        let mut chain = lock(chain);
        chain.closed = true;
        let name = path.display().to_string();
        chain.file.rewind().map_err(|source| ReadError::Io { path: name.clone(), source })?;
        read_from(io::BufReader::new(&chain.file), &name)
    }

    fn write(&self, entry: &Entry) {
        let Some((path, chain)) = &self.0.file else {
            return;
        };
        let mut chain = lock(chain);
        let written = line_within(&chain.last, entry).and_then(|line| chain.add(line, false));
        self.keep_fault(path, written);
    }

    fn keep_fault(&self, path: &Path, written: io::Result<()>) {
        if let Err(error) = written {
            lock(&self.0.fault).get_or_insert_with(|| format!("{}: {error}", path.display()));
        }
    }
}

/// Returns the line of an entry, or of a note in place of it if masks have made it too long to be read back.
pub(super) fn line_within(previous: &str, entry: &Entry) -> io::Result<String> {
    let line = line_of(previous, entry);
    if line.len() < LINE_BYTES_MAX {
        return Ok(line);
    }
    if matches!(*entry.what, What::Run(_)) {
        return Err(io::Error::other(format!("the first line is longer than {LINE_BYTES_MAX} bytes")));
    }
    let message = format!("an entry of {} bytes is left out", line.len());
    let note = Note { kind: NoteKind::TooLong, message, facts: serde_json::Value::Null };
    Ok(line_of(previous, &Entry { cut: true, what: Arc::new(What::Note(note)), ..entry.clone() }))
}

/// Returns the line of an entry.
pub(super) fn line_of(previous: &str, entry: &Entry) -> String {
    let line = Line { previous: Cow::Borrowed(previous), entry: Cow::Borrowed(entry) };
    let line = serde_json::to_string(&line).expect("an entry has text keys only");
    let line = without_own_secrets(line);
    // Text from a target must not affect the terminal of a reader of the file.
    harmless_json(&line)
}

/// Returns a line without the secrets that the user gave. A secret that is a word of the format itself is left, so
/// that the line can be read back.
fn without_own_secrets(line: String) -> String {
    if matches!(secret::without_own(&line), Cow::Borrowed(_)) {
        return line;
    }
    let masked = serde_json::from_str(&line).map(|mut value| {
        secret::mask_own(&mut value);
        value.to_string()
    });
    masked.ok().filter(|masked| entry_after(masked.as_bytes()).is_ok()).unwrap_or(line)
}

/// Creates an entry of the run itself.
fn run_entry(n: u64, what: What, at: Timestamp) -> Entry {
    Entry {
        scenario: String::new(),
        n,
        at,
        step: None,
        label: None,
        cut: false,
        took_milliseconds: None,
        what: Arc::new(what),
        written: None,
    }
}

/// Recorder of one scenario. Clones share its numbering; the peers and the operator client write through
/// clones.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    transcript: Transcript,
    scenario: String,
    clock: Clock,
    /// Real time since the begin; `None` if another process began it.
    since: Option<Stopwatch>,
    /// Observer, which replaces the entries in memory; `None` if they are kept.
    observer: Option<Arc<dyn Observer>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Number of entries.
    count: u64,
    entries: Vec<Entry>,
    mask: Mask,
    ended: bool,
}

impl Recorder {
    /// Creates a recorder that writes no file, for tests.
    #[must_use]
    pub fn in_memory(scenario: &str, clock: Clock) -> Self {
        let start = ScenarioStart { source: String::new(), seed: crate::clock::Seed(0) };
        Transcript::in_memory().begin(scenario, start, clock)
    }

    /// Masks, numbers and writes an entry; returns its number. An entry after the end of the scenario is
    /// dropped and its number is 0, for example a response that was in progress when the scenario stopped.
    pub fn record(&self, step: Option<u32>, label: Option<&str>, what: What) -> u64 {
        self.append(self.0.clock.now(), step, label, |mask| {
            let mut what = what;
            // The mask goes first: it would not find a secret that is cut in two.
            mask.apply(&mut what);
            let cut = what.cut(&self.0.transcript.0.budget);
            (Arc::new(what), cut)
        })
    }

    /// Records an entry of another trace again, with its own time. The entry was masked when it was captured.
    pub fn record_again(&self, entry: &Entry, label: Option<&str>) -> u64 {
        self.append(entry.at, entry.step, label, |_| (entry.what.clone(), entry.cut))
    }

    fn append(
        &self,
        at: Timestamp,
        step: Option<u32>,
        label: Option<&str>,
        what: impl FnOnce(&mut Mask) -> (Arc<What>, bool),
    ) -> u64 {
        let mut state = lock(&self.0.state);
        if state.ended {
            return 0;
        }
        let (what, cut) = what(&mut state.mask);
        state.ended = matches!(*what, What::End(_));
        let took = || u64::try_from(self.0.since?.elapsed().as_millis()).ok();
        let took_milliseconds = state.ended.then(took).flatten();
        let entry = Entry {
            scenario: self.0.scenario.clone(),
            n: state.count + 1,
            at,
            step,
            label: label.map(ToOwned::to_owned),
            cut,
            took_milliseconds,
            what,
            written: None,
        };
        self.0.transcript.write(&entry);
        state.count = entry.n;
        let n = entry.n;
        match &self.0.observer {
            Some(observer) => {
                drop(state);
                observer.recorded(&entry);
            }
            None => state.entries.push(entry),
        }
        n
    }

    /// Adds a secret before it crosses the wire, so that it is masked from the first entry on.
    pub fn learn_secret(&self, class: &'static str, secret: &str) {
        lock(&self.0.state).mask.learn(class, secret);
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn count(&self) -> u64 {
        lock(&self.0.state).count
    }

    /// Returns the trace recorded so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        Trace::new(self.0.scenario.clone(), lock(&self.0.state).entries.clone())
    }

    /// Ends the scenario and returns its trace.
    #[must_use]
    pub fn end(&self, outcome: Outcome) -> Trace {
        // What the machine lacked may look like a fault of the target.
        let short = self.0.transcript.shortage().map(|why| Outcome::Aborted(Fault::environment(why)));
        let outcome = short.unwrap_or(outcome);
        self.record(None, None, What::End(outcome));
        self.trace()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

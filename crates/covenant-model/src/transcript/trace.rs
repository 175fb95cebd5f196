//! Trace of one scenario, and the queries that checks make on it.

use jiff::Timestamp;
use semver::Version;
use serde_json::Value;

use super::entry::{Direction, Entry, Exchange, Note, Operation, Outcome, ScenarioStart, What};
use super::kind::{FailureKind, NoteKind};
use super::reads::Reads;
use crate::operator::Method;
use crate::wire::envelope::Answer;
use crate::wire::path::Route;

/// Length of the longest text that is accepted as a release, in bytes.
const RELEASE_LENGTH_MAX: usize = 64;

/// All entries of one scenario, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    scenario: String,
    entries: Vec<Entry>,
    reads: Reads,
}

impl Trace {
    /// Creates a trace of these entries.
    #[must_use]
    pub fn new(scenario: String, entries: Vec<Entry>) -> Self {
        let reads = Reads::of(&entries);
        Self { scenario, entries, reads }
    }

    /// Returns the id of the scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Returns every entry.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.reads.note_all();
        &self.entries
    }

    /// Returns the time of the entry with this number.
    #[must_use]
    pub fn time_of(&self, n: u64) -> Option<Timestamp> {
        self.entries.iter().find(|entry| entry.n == n).map(|entry| entry.at)
    }

    /// Returns the real time that the scenario took, in milliseconds; `None` if it has no end.
    #[must_use]
    pub fn took_milliseconds(&self) -> Option<u64> {
        self.entries.last().and_then(|entry| entry.took_milliseconds)
    }

    /// Returns the number and the time of the last entry.
    #[must_use]
    pub fn last(&self) -> Option<(u64, Timestamp)> {
        self.entries.last().map(|entry| (entry.n, entry.at))
    }

    /// Returns the number of each entry, in order, and the step that caused it.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = (u64, Option<u32>)> {
        self.entries.iter().map(|entry| (entry.n, entry.step))
    }

    /// Returns every note, in order, with the number of its entry.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = (u64, &Note)> {
        self.entries.iter().filter_map(|entry| match &*entry.what {
            What::Note(note) => Some((entry.n, note)),
            _ => None,
        })
    }

    /// Returns every operation of these methods, in order, with the number of its entry.
    pub fn operations<const N: usize>(
        &self,
        methods: [Method; N],
    ) -> impl DoubleEndedIterator<Item = (u64, &Operation)> {
        let operations = self.entries.iter().filter_map(|entry| Some((entry, entry.operation()?)));
        let of_methods = operations.filter(move |(_, made)| methods.iter().any(|method| made.is(*method)));
        of_methods.map(|(entry, operation)| {
            self.reads.note(entry);
            (entry.n, operation)
        })
    }

    /// Forgets which entries were read, before a check is evaluated.
    pub fn forget_reads(&self) {
        self.reads.forget();
    }

    /// Returns the number of an entry that was cut, and whose content was read since. What was cut may say otherwise.
    /// A check that read no such entry has the same result whatever was cut.
    #[must_use]
    pub fn cut_entry_read(&self) -> Option<u64> {
        self.reads.of_cut()
    }

    /// Returns whether the trace is of a property: it consists of cases.
    #[must_use]
    pub fn is_property(&self) -> bool {
        self.entries.iter().any(Entry::begins_case)
    }

    /// Returns the cases of a property, each as a trace of its own, with the labels of its scenario. A plain
    /// scenario is its only case.
    #[must_use]
    pub fn cases(&self) -> Vec<Self> {
        let mut cases: Vec<Vec<Entry>> = vec![];
        for entry in &self.entries {
            if entry.begins_case() {
                cases.push(vec![]);
            } else if let Some(case) = cases.last_mut() {
                let label =
                    entry.label.as_deref().map(|label| label.rsplit_once('@').map_or(label, |(own, _)| own));
                case.push(Entry { label: label.map(ToOwned::to_owned), ..entry.clone() });
            }
        }
        if cases.is_empty() {
            return vec![self.clone()];
        }
        cases.into_iter().map(|entries| Self::new(self.scenario.clone(), entries)).collect()
    }

    /// Returns the start of the scenario.
    #[must_use]
    pub fn start(&self) -> Option<&ScenarioStart> {
        self.entries.iter().find_map(|entry| match &*entry.what {
            What::Scenario(start) => Some(start),
            _ => None,
        })
    }

    /// Returns the outcome of the scenario; `None` if the run was killed before its end.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.entries.iter().rev().find_map(|entry| match &*entry.what {
            What::End(outcome) => Some(outcome),
            _ => None,
        })
    }

    /// Returns the entries with this label, in order: one call, or all calls of a repeated step.
    pub fn labelled<'a>(&'a self, label: &'a str) -> impl DoubleEndedIterator<Item = &'a Entry> {
        let labelled = self.entries.iter().filter(move |entry| entry.label.as_deref() == Some(label));
        labelled.inspect(|entry| self.reads.note(entry))
    }

    /// Returns the exchanges with this label.
    pub fn exchanges_labelled<'a>(
        &'a self,
        label: &'a str,
    ) -> impl DoubleEndedIterator<Item = (u64, &'a Exchange)> {
        self.labelled(label).filter_map(|entry| entry.exchange().map(|exchange| (entry.n, exchange)))
    }

    /// Returns the last operation with this label.
    #[must_use]
    pub fn operation(&self, label: &str) -> Option<(u64, &Operation)> {
        self.entries
            .iter()
            .rev()
            .filter(|entry| entry.label.as_deref() == Some(label))
            .find_map(|entry| Some((entry, entry.operation()?)))
            .map(|(entry, operation)| {
                self.reads.note(entry);
                (entry.n, operation)
            })
    }

    /// Returns the exchange with this number as it crossed the wire. A digest is that of the text that was sent.
    #[must_use]
    pub fn exchange_as_written(&self, n: u64) -> Option<&Exchange> {
        let entry = self.entries.iter().find(|entry| entry.n == n)?;
        match &**entry.written.as_ref().unwrap_or(&entry.what) {
            What::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }

    /// Returns every exchange, in order.
    pub fn exchanges(&self) -> impl DoubleEndedIterator<Item = (&Entry, &Exchange)> + Clone {
        self.entries.iter().filter_map(|entry| entry.exchange().map(|exchange| (entry, exchange)))
    }

    /// Returns every exchange between the target and one peer in one direction, in order.
    pub fn exchanges_of<'a>(
        &'a self,
        peer: &'a str,
        direction: Direction,
    ) -> impl DoubleEndedIterator<Item = (&'a Entry, &'a Exchange)> {
        self.exchanges().filter(move |(_, exchange)| exchange.peer == peer && exchange.direction == direction)
    }

    /// Returns the method whose lack left out the step with this label, in a case of a property too; `None` if
    /// the step was played.
    #[must_use]
    pub fn left_out(&self, label: &str) -> Option<&str> {
        self.left_out_of(label, "method")
    }

    /// Returns what the target's kinds lack, so that the step with this label was left out; `None` if it was not
    /// left out for that.
    #[must_use]
    pub fn left_out_for_lack(&self, label: &str) -> Option<&str> {
        self.left_out_of(label, "lacks")
    }

    /// Returns what the target's kinds lack for a step with a label; `None` if they suffice.
    #[must_use]
    pub fn lacks(&self) -> Option<&str> {
        let mut labelled = self.entries.iter().filter(|entry| entry.label.is_some());
        labelled.find_map(|entry| entry.fact(NoteKind::LeftOut, "lacks")?.as_str())
    }

    /// Returns the entries that note a pause of the suite itself, with its seconds.
    pub fn pauses(&self) -> impl Iterator<Item = (u64, u64)> {
        let seconds = |entry: &Entry| entry.fact(NoteKind::Paused, "seconds")?.as_u64();
        self.entries.iter().filter_map(move |entry| Some((entry.n, seconds(entry)?)))
    }

    /// Returns a fact of the note that the step with this label was left out.
    fn left_out_of(&self, label: &str, fact: &str) -> Option<&str> {
        let in_case = |own: &str| own.rsplit_once('@').is_some_and(|(own, _)| own == label);
        let is_labelled = |own: &str| own == label || in_case(own);
        let mut labelled =
            self.entries.iter().filter(|entry| entry.label.as_deref().is_some_and(is_labelled));
        labelled.find_map(|entry| entry.fact(NoteKind::LeftOut, fact)?.as_str())
    }

    /// Returns the member of the records of a kind that no two records share: that of the target's own kind, or
    /// `slug`.
    #[must_use]
    pub fn slug_of(&self, kind: &str) -> &str {
        let mut entries = self.entries.iter();
        let slugs = entries.find_map(|entry| entry.fact(NoteKind::Kinds, "slugs"));
        slugs.and_then(|slugs| slugs[kind].as_str()).unwrap_or("slug")
    }

    /// Returns the method whose lack left out any step; `None` if every step was played.
    #[must_use]
    pub fn any_left_out(&self) -> Option<&str> {
        self.entries.iter().find_map(|entry| entry.missing_method(NoteKind::LeftOut))
    }

    /// Returns the method whose lack left out cases of a property; `None` if every case was played.
    #[must_use]
    pub fn cases_left_out(&self) -> Option<&str> {
        self.entries.iter().find_map(|entry| entry.missing_method(NoteKind::CasesLeftOut))
    }

    /// Returns whether a peer placed a record that the operator client can't store.
    #[must_use]
    pub fn is_record_placed(&self) -> bool {
        let mut notes = self.entries.iter().filter_map(|entry| entry.note_of(NoteKind::Placed));
        notes.next().is_some()
    }

    /// Returns why no peer could place a record that the operator client can't store.
    #[must_use]
    pub fn not_placed(&self) -> Option<&str> {
        self.entries.iter().find_map(|entry| Some(entry.note_of(NoteKind::NotPlaced)?.message.as_str()))
    }

    /// Returns what each wait in real time was for, and how long it took.
    pub fn waits_in_real_time(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| Some(entry.note_of(NoteKind::RealTime)?.message.as_str()))
    }

    /// Returns the last release that the target disclosed and that is a valid version (1.3).
    #[must_use]
    pub fn release(&self) -> Option<Version> {
        let reported = self.exchanges().rev().filter_map(|(_, exchange)| exchange.release_reported());
        let mut short = reported.filter(|release| release.len() <= RELEASE_LENGTH_MAX);
        short.find_map(|release| Version::parse(&release).ok())
    }
}

impl Entry {
    /// Returns whether a case of a property begins here.
    fn begins_case(&self) -> bool {
        matches!(&*self.what, What::Note(note) if note.kind == NoteKind::Case)
    }

    fn missing_method(&self, kind: NoteKind) -> Option<&str> {
        self.fact(kind, "method")?.as_str()
    }

    /// Returns a fact of a note of that kind.
    fn fact(&self, kind: NoteKind, name: &str) -> Option<&Value> {
        self.note_of(kind)?.facts.get(name)
    }

    fn note_of(&self, kind: NoteKind) -> Option<&Note> {
        match &*self.what {
            What::Note(note) if note.kind == kind => Some(note),
            _ => None,
        }
    }

    /// Returns the exchange; `None` if the entry is not one.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        match &*self.what {
            What::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }

    /// Returns the operation; `None` if the entry is not one.
    #[must_use]
    pub fn operation(&self) -> Option<&Operation> {
        match &*self.what {
            What::Operation(operation) => Some(operation),
            _ => None,
        }
    }
}

impl Operation {
    /// Returns whether this is an operation of the method. A transcript writes its name.
    #[must_use]
    pub fn is(&self, method: Method) -> bool {
        self.method == method.name()
    }

    /// Returns the list in the result, which may be sent under its name or without the object.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&Vec<Value>> {
        let result = self.result.as_ref()?;
        result.as_array().or_else(|| result[name].as_array())
    }
}

/// The status of an answer without a body.
const NO_CONTENT: u16 = 204;
/// The statuses that neither serve nor refuse a call: too slow, too early, limited, unavailable, and those of a gateway
/// that got no answer.
pub const PUT_OFF: [u16; 6] = [408, 425, 429, 502, 503, 504];

impl Exchange {
    /// Returns the route of the call; `None` if the call is not on a known route.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        let path = self.request.path.as_deref()?;
        let path = path.split('?').next().unwrap_or(path);
        Route::parse(self.request.method.as_deref()?, path)
    }

    /// Returns the status of the response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref()?.status
    }

    /// Returns the JSON of the request.
    #[must_use]
    pub fn sent(&self) -> Option<&Value> {
        self.request.body.json()
    }

    /// Returns the release that the target discloses in this exchange, as text (1.3).
    #[must_use]
    pub fn release_reported(&self) -> Option<String> {
        let message = match self.direction {
            Direction::FromTarget => self.sent()?.clone(),
            Direction::ToTarget => self.data()?,
        };
        let places = ["/platform_version", "/metadata/platform_version"];
        // The target reports a comparison in its responses; its own release is the local one there.
        let compared =
            (self.direction == Direction::ToTarget).then_some("/schema_compatibility/local_version");
        let mut releases =
            places.into_iter().chain(compared).filter_map(|place| message.pointer(place)?.as_str());
        releases.next().map(ToOwned::to_owned)
    }

    /// Returns the content of the response, read through its envelope.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        let body = self.response.as_ref()?.body.json()?;
        Answer::read(body).or_else(|| self.bare_sync(body))
    }

    /// Returns the data of an accepted batch that was answered without an envelope.
    fn bare_sync(&self, body: &Value) -> Option<Answer> {
        let is_good = self.status().is_some_and(|status| (200..300).contains(&status));
        let is_bare = body.get("accepted").is_some() || body.get("cursor").is_some();
        (is_good && is_bare && self.route() == Some(Route::Sync)).then(|| Answer::Data(body.clone()))
    }

    /// Returns the data of the response; `None` if it is not a success.
    #[must_use]
    pub fn data(&self) -> Option<Value> {
        self.answer()?.data()
    }

    /// Returns whether the call was admitted: the status is 2xx and the body has no error.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        let is_good = self.status().is_some_and(|status| (200..300).contains(&status));
        is_good && !self.says_otherwise() && !self.is_empty_accept()
    }

    /// Returns the capabilities that the target states in its part of the exchange: its request or its answer.
    #[must_use]
    pub fn capabilities_of_target(&self) -> Option<Value> {
        let of = |body: &Value| body.get("capabilities").cloned();
        match self.direction {
            Direction::FromTarget => of(self.sent()?),
            Direction::ToTarget => of(&self.data()?),
        }
    }

    /// Returns whether accept was answered with 204. That agrees to nothing and names no peer, so the accept is neither
    /// admitted nor refused.
    #[must_use]
    pub fn is_empty_accept(&self) -> bool {
        self.status() == Some(NO_CONTENT) && self.route() == Some(Route::Accept)
    }

    /// Returns whether the body of a 2xx reports a refusal. Such a call is neither admitted nor refused.
    #[must_use]
    pub fn says_otherwise(&self) -> bool {
        let is_good = self.status().is_some_and(|status| (200..300).contains(&status));
        is_good && matches!(self.answer(), Some(Answer::Refusal(_)))
    }

    /// Returns whether the response is one of the federation plane: an envelope, or an empty 204.
    #[must_use]
    pub fn can_be_read(&self) -> bool {
        self.status() == Some(NO_CONTENT) && !self.is_empty_accept() || self.answer().is_some()
    }

    /// Returns whether the call was rejected in a valid manner: by 4xx that is not for now only, or by refusal of its
    /// certificate.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        let is_refusal = self.status().is_some_and(|status| (400..500).contains(&status));
        is_refusal && !self.was_put_off() || self.certificate_was_refused()
    }

    /// Returns whether the call was put off or lost, so that nothing follows from its answer: the caller is limited or
    /// asked to come back, the answer is that of a gateway or never came, or accept was answered with nothing.
    #[must_use]
    pub fn was_put_off(&self) -> bool {
        let is_for_now = self.status().is_some_and(|status| PUT_OFF.contains(&status));
        let is_lost = self.status().is_none() && !self.certificate_was_refused();
        is_for_now || is_lost || self.is_empty_accept()
    }

    /// Returns whether TLS rejected the call, at the handshake or at the first read.
    #[must_use]
    pub fn certificate_was_refused(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Certificate)
    }
}

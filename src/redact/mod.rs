//! A copy of a run to share: addresses, host names, contacts and what belongs to other parties are replaced by
//! placeholders, the same for the same value in every file. The verdicts follow from the copy, or are unproven there.

mod addresses;
mod forms;
mod hosts;
mod pem;
mod placeholders;
mod replace;
mod values;
mod view;

pub use placeholders::{Class, Placeholders};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io, iter};

use aho_corasick::BuildError;
use serde_json::{Value, json};
use thiserror::Error;

use self::replace::Replacer;
use self::values::Values;
use crate::audit::audit_sources;
use crate::check::Verdict;
use crate::clock::Seed;
use crate::input::{self, InputError};
use crate::private::missing_folders;
use crate::property::{PROPERTIES, Property};
use crate::report::{FORMATS, REDACTED, Report};
use crate::runner::{FileError, LOCK, RunFolder, assess_and_free, library, write_private};
use crate::transcript::{ReadError, RewriteError, each_entry, read, rewrite};

/// The words of an entry of a transcript that no schema has.
const FRAME: &str = "previous scenario label took_milliseconds what run exchange operation note end seal peer direction to_target \
                     from_target request response failure protocol source injected method path status headers body empty json text \
                     cut length sha256 beginning version alpn peer_subject peer_fingerprint peer_not_after kind message facts \
                     unsupported refused adapter code parameters result format covenant seed binding target reference settings \
                     partial outcome lines digest completed aborted interrupted lacking blocked blame environment suite";
/// The name of the embedded reference, in lower case: it is no one's either.
const OF_REFERENCE: &str = "the embedded reference platform";
/// The longest file beside the transcript that is copied, in bytes.
const BYTES_MAX: u64 = 256 << 20;
/// The name of the transcript in a run folder.
const TRANSCRIPT: &str = "transcript.jsonl";
/// The files of a run beside its transcript and its reports that are copied.
const TEXTS: [&str; 5] =
    ["adapter.log", "left-behind.txt", "difference.txt", "difference.json", "difference.md"];

/// A copy that was made.
#[derive(Debug)]
pub struct Redacted {
    /// The SHA-256 of the transcript.
    pub original_sha256: String,
    /// The SHA-256 of the transcript of the copy.
    pub copy_sha256: String,
    /// The replaced values.
    pub placeholders: Placeholders,
    /// The checks whose verdict does not follow from the copy. They are unproven there.
    pub unproven: Vec<String>,
    /// The values that stay in ids of scenarios and checks, which are never altered.
    pub in_ids: BTreeSet<String>,
    /// The replaced values that are words of the suite's own text in the reports.
    pub own_words: BTreeSet<String>,
    /// The files that were copied.
    pub copied: Vec<String>,
    /// The files that were left out: they are not of the run, hold keys, or sign the original.
    pub left_out: Vec<String>,
}

/// An error that prevents a copy. Nothing of it is left.
#[derive(Debug, Error)]
pub enum RedactError {
    /// The transcript can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The transcript of the copy can't be made.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// A file can't be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file or the folder can't be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// There are too many values.
    #[error("the run holds more values to replace than can be looked for at once")]
    TooMany(#[from] BuildError),
    /// The run is a copy already.
    #[error("{0}: this is a redacted copy already")]
    Again(String),
    /// The folder of the copy holds something.
    #[error("{0}: the copy needs a new folder, or an empty one; name another")]
    Used(String),
    /// A value is left.
    #[error(
        "{file}: a value that was to be replaced is left ({left:?}); nothing was copied: please report it"
    )]
    Left {
        /// The file.
        file: String,
        /// The value, as the file has it.
        left: String,
    },
}

/// Makes a redacted copy of the run in a folder, in another folder that is empty or new.
pub fn redact(run: &Path, out: &Path) -> Result<Redacted, RedactError> {
    let is_used = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if is_used || (out.symlink_metadata().is_ok() && !out.is_dir()) {
        return Err(RedactError::Used(out.display().to_string()));
    }
    let created = missing_folders(out);
    let folder = RunFolder::choose(Some(out), Seed(0));
    let plan = Plan::of(run)?;
    let lock = folder.lock()?;
    // Another command may have ended there meanwhile; from here on the folder is this command's alone.
    let is_of_others = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != LOCK);
    if fs::read_dir(out).is_ok_and(|mut entries| entries.any(is_of_others)) {
        return Err(RedactError::Used(out.display().to_string()));
    }
    let made = plan.make(run, &folder);
    if made.is_err() {
        remove_copy(&folder, &plan.texts, &created);
    }
    drop(lock);
    made
}

/// Removes the files of a copy that failed, and the folders that the command created. What others put there stays.
fn remove_copy(folder: &RunFolder, texts: &BTreeMap<String, String>, created: &[PathBuf]) {
    for name in files_of_run().chain(texts.keys().cloned()).chain([LOCK.to_owned()]) {
        let _ = fs::remove_file(folder.path().join(name));
    }
    for folder in created {
        // A folder with files of someone else stays.
        let _ = fs::remove_dir(folder);
    }
}

/// Returns the names of the transcript and of the reports.
fn files_of_run() -> impl Iterator<Item = String> {
    let reports = FORMATS.iter().filter_map(|format| format.file).map(ToOwned::to_owned);
    iter::once(TRANSCRIPT.to_owned()).chain(reports)
}

/// Facts about a run that are known before its copy is made.
struct Plan {
    transcript: PathBuf,
    original_sha256: String,
    verdicts: BTreeMap<String, Verdict>,
    texts: BTreeMap<String, String>,
    suite: Suite,
    placeholders: Placeholders,
    replacer: Replacer,
}

impl Plan {
    fn of(run: &Path) -> Result<Self, RedactError> {
        let transcript = RunFolder::transcript_of(run);
        let mut reading = read(&transcript)?;
        if reading.start.settings.contains_key(REDACTED) {
            return Err(RedactError::Again(run.display().to_string()));
        }
        let texts = texts_of(run)?;
        let suite = Suite::new();
        let values = values_of(&transcript, &texts)?;
        let placeholders = Placeholders::of(values.found, |value| suite.says(value))?;
        let original_sha256 = reading.sha256.clone();
        let mut ids: BTreeSet<String> = reading.start.scenarios.iter().cloned().collect();
        let report = assess_and_free(&mut reading);
        ids.extend(report.checks.iter().map(|one| one.evaluation.check.scenario.clone()));
        let replacer = Replacer::new(&placeholders, &ids)?;
        let verdicts = verdicts(&report);
        Ok(Self { transcript, original_sha256, verdicts, texts, suite, placeholders, replacer })
    }

    fn make(&self, run: &Path, folder: &RunFolder) -> Result<Redacted, RedactError> {
        let to = folder.transcript();
        let (original_sha256, counts) = (&self.original_sha256, self.placeholders.counts());
        let copy = |unproven: &[String]| -> Result<Report, RedactError> {
            let marker =
                json!({"original_sha256": original_sha256, "replaced": counts, "unproven": unproven});
            rewrite(&self.transcript, &to, |entry| changed(entry, &self.replacer, &self.suite, &marker))?;
            Ok(assess_and_free(&mut read(&to)?))
        };
        let first = copy(&[])?;
        let unproven = differing(&self.verdicts, &first);
        let report = if unproven.is_empty() { first } else { copy(&unproven)? };
        folder.write(&report)?;
        let mut copied: Vec<String> = files_of_run().collect();
        for (name, text) in &self.texts {
            write_private(&folder.path().join(name), self.replacer.text(text).as_bytes())?;
            copied.push(name.clone());
        }
        let own_words = self.nothing_is_left(folder.path(), &copied)?;
        Ok(Redacted {
            original_sha256: original_sha256.clone(),
            copy_sha256: report.transcript_sha256,
            placeholders: self.placeholders.clone(),
            unproven,
            in_ids: self.replacer.in_ids(),
            own_words,
            left_out: left_out(run, &copied),
            copied,
        })
    }

    /// Returns an error if a file of the copy holds a value. The reports are made from the transcript of the copy: a word
    /// that only they have is the suite's own, and is returned.
    fn nothing_is_left(&self, folder: &Path, copied: &[String]) -> Result<BTreeSet<String>, RedactError> {
        let reports: BTreeSet<&str> = FORMATS.iter().filter_map(|format| format.file).collect();
        let mut own_words = BTreeSet::new();
        for name in copied {
            let bytes = input::read(&folder.join(name), u64::MAX - 1)?;
            let text = String::from_utf8_lossy(&bytes);
            // A line of the transcript is an entry of its own. Elsewhere a value may have line ends.
            let parts: Vec<&str> = if name == TRANSCRIPT { text.lines().collect() } else { vec![&text] };
            for left in parts.iter().flat_map(|part| self.replacer.left_in(part)) {
                if !(reports.contains(name.as_str()) && is_word(&left)) {
                    return Err(RedactError::Left { file: name.clone(), left });
                }
                own_words.insert(left.to_lowercase());
            }
        }
        Ok(own_words)
    }
}

/// Returns whether a text is a word as a sentence may have it, and no host, address or number.
fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphabetic() || c == '-')
}

/// Returns an entry as the copy has it. The first says that it is one.
fn changed(entry: Value, replacer: &Replacer, suite: &Suite, marker: &Value) -> Value {
    let source = entry["what"]["scenario"]["source"].as_str().filter(|source| suite.has(source));
    let source = source.map(ToOwned::to_owned);
    let mut entry = replacer.value(entry);
    if let Some(source) = source {
        entry["what"]["scenario"]["source"] = Value::String(source);
    }
    if let Some(settings) = entry["what"].get_mut("run").and_then(|run| run["settings"].as_object_mut()) {
        settings.insert(REDACTED.to_owned(), marker.clone());
    }
    entry
}

/// The texts of the suite's own scenarios. They name no one, so what they hold is not replaced.
struct Suite {
    sources: BTreeSet<String>,
    /// All of them, in lower case.
    text: String,
    /// The words of the formats, which a copy needs to be read.
    words: BTreeSet<String>,
}

impl Suite {
    fn new() -> Self {
        let library = library(None).ok();
        let scenarios = library.iter().flat_map(|library| library.iter().map(|loaded| loaded.source.clone()));
        let cases = PROPERTIES.iter().filter_map(Property::sample);
        let sources: BTreeSet<String> = scenarios.chain(cases).chain(audit_sources()).collect();
        let text = sources.iter().map(|source| source.to_ascii_lowercase() + "\n").collect::<String>()
            + OF_REFERENCE;
        let formats = [crate::report::schema(), crate::scenario::schema()].map(|schema| schema.to_string());
        let formats = formats.iter().map(String::as_str).chain([FRAME]);
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let words = formats.flat_map(|text| text.split(is_end)).map(str::to_ascii_lowercase).collect();
        Self { sources, text, words }
    }

    /// Returns whether a value is a text of the suite, and so no one's.
    fn says(&self, value: &str) -> bool {
        let lower = value.to_ascii_lowercase();
        self.text.contains(&lower) || self.words.contains(&lower)
    }

    fn has(&self, source: &str) -> bool {
        self.sources.contains(source)
    }
}

/// Returns the verdict of each check.
fn verdicts(report: &Report) -> BTreeMap<String, Verdict> {
    let evaluations = report.checks.iter().map(|check| &check.evaluation);
    evaluations.map(|one| (one.check.id.clone(), one.result.verdict)).collect()
}

/// Returns the checks that have another verdict in the copy.
fn differing(verdicts: &BTreeMap<String, Verdict>, copy: &Report) -> Vec<String> {
    let copied = self::verdicts(copy);
    let differs = |(id, verdict): &(&String, &Verdict)| copied.get(*id) != Some(*verdict);
    verdicts.iter().filter(differs).map(|(id, _)| id.clone()).collect()
}

/// Returns the names of the files of a run that were not copied.
fn left_out(run: &Path, copied: &[String]) -> Vec<String> {
    let entries = fs::read_dir(run).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut left_out: Vec<String> =
        names.filter(|name| !copied.contains(name) && !name.starts_with('.')).collect();
    left_out.sort();
    left_out
}

/// Returns the files beside the transcript that are copied, with their texts.
fn texts_of(run: &Path) -> Result<BTreeMap<String, String>, RedactError> {
    let mut texts = BTreeMap::new();
    if !run.is_dir() {
        return Ok(texts);
    }
    let cases = PROPERTIES.iter().map(|property| format!("{}.toml", property.name));
    for name in TEXTS.into_iter().map(ToOwned::to_owned).chain(cases) {
        let path = run.join(&name);
        if path.symlink_metadata().is_ok() {
            let bytes = input::read(&path, BYTES_MAX)?;
            texts.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(texts)
}

fn values_of(transcript: &Path, texts: &BTreeMap<String, String>) -> Result<Values, ReadError> {
    let mut values = Values::default();
    each_entry(transcript, |entry| values.own_ids(entry))?;
    each_entry(transcript, |entry| values.entry(entry))?;
    for text in texts.values() {
        values.text(text);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_failed_is_removed_and_nothing_of_others() {
        for (is_created, has_other) in [(true, false), (true, true), (false, false)] {
            let parent = tempfile::tempdir().expect("a folder");
            let out = parent.path().join("deep/copy");
            let created = if is_created { missing_folders(&out) } else { vec![] };
            fs::create_dir_all(&out).expect("created");
            let names = [TRANSCRIPT, "report.json", "adapter.log", LOCK];
            for name in names.into_iter().chain(has_other.then_some("notes.txt")) {
                fs::write(out.join(name), "x").expect("written");
            }
            let texts = [("adapter.log".to_owned(), String::new())].into();
            remove_copy(&RunFolder::choose(Some(&out), Seed(0)), &texts, &created);
            assert!(!names.into_iter().any(|name| out.join(name).exists()), "{is_created} {has_other}");
            assert_eq!(out.join("notes.txt").exists(), has_other);
            assert_eq!(out.exists(), has_other || !is_created);
            assert_eq!(parent.path().join("deep").exists(), has_other || !is_created);
        }
    }
}

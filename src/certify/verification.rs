//! The verification of an attestation: signature, validity, digests, and whether the verdicts follow from the transcript.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::follows::follows;

use super::statement::{Descriptor, REPORT, TRANSCRIPT};
use super::successor::{self, Successor};
use super::{CertificationResult, Envelope, Profile, RecordedWord, Statement, Trust};
use crate::input;
use crate::runner::{RunFolder, assess_and_free};
use crate::transcript::read;
use crate::wire::canonical::sha256_hex;
use crate::with_causes;

/// The longest attestation that is read, in bytes.
pub const ATTESTATION_BYTES_MAX: u64 = 4 << 20;
/// The longest file beside the transcript that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// How far the clock of a signer may be ahead.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Remark on a verification without a key.
const NO_KEY: &str = "it was not checked against any known signer; give --key or --trust. Digests and chain alone prove nothing \
     against whoever wrote the files: they can be computed again";

/// Advice for a file that is not the one that was signed.
const AGAIN: &str = "get it again from the signer, unchanged";

/// Questions of a verifier.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The bytes of the attestation.
    pub attestation: &'a [u8],
    /// The folder of its run; `None` if it is not at hand.
    pub run: Option<&'a Path>,
    /// The keys that count; `None` if the verifier has none.
    pub trust: Option<&'a Trust>,
    /// The release that the target has now.
    pub release: Option<&'a str>,
    /// The SHA-256 of the certificate that the target has now.
    pub certificate: Option<&'a str>,
    /// A later attestation, which may supersede this one: its name and its bytes.
    pub newer: Option<(&'a str, &'a [u8])>,
    /// The evidence of a person's word: its name and its SHA-256.
    pub evidence: Option<(&'a str, &'a str)>,
    /// The time.
    pub now: Timestamp,
}

/// Outcome of one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The point was checked and is true.
    Holds,
    /// The point was checked and is not true.
    Fails,
    /// The input that it needs was not given.
    NotChecked,
}

/// One point of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Subject of the point.
    pub about: &'static str,
    /// Outcome of the point.
    pub state: State,
    /// The reason, for a person.
    pub detail: String,
}

/// The result of a verification.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Every point, in order.
    pub points: Vec<Point>,
    /// The statement, if one can be read. It is worth what the points say.
    pub statement: Option<Statement>,
}

impl Verification {
    /// Verifies an attestation.
    #[must_use]
    pub fn of(asked: &Asked<'_>) -> Self {
        let mut verification = Self { points: vec![], statement: None };
        let envelope = match Envelope::parse(asked.attestation) {
            Ok(envelope) => envelope,
            Err(error) => {
                verification.fails("envelope", format!("{error}; name the attestation.json, or {AGAIN}"));
                return verification;
            }
        };
        verification.add("envelope", Ok("one statement with one signature, as it was written".to_owned()));
        match asked.trust {
            Some(trust) => verification.add("signature", trust.signer(&envelope, asked.now)),
            None => verification.not_checked("signature", NO_KEY),
        }
        match statement_of(&envelope) {
            Ok(statement) => {
                verification.add_statement(&statement, &envelope, asked);
                verification.statement = Some(statement);
            }
            Err(why) => verification.fails("statement", format!("{why}; {AGAIN}")),
        }
        verification
    }

    /// Returns whether the attestation holds: a key that counts signed it, and nothing fails.
    #[must_use]
    pub fn holds(&self) -> bool {
        let is_signed =
            self.points.iter().any(|point| point.about == "signature" && point.state == State::Holds);
        is_signed && self.points.iter().all(|point| point.state != State::Fails)
    }

    /// Says why the attestation is not verified; `None` if it holds.
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        let fails = self.points.iter().filter(|point| point.state == State::Fails);
        let fails: Vec<&str> = fails.map(|point| point.about).collect();
        match fails.as_slice() {
            _ if self.statement.is_none() => Some("this is no attestation as covenant writes it".to_owned()),
            [] if self.holds() => None,
            [] => Some("no key was given (--key or --trust), so nothing shows who signed it".to_owned()),
            [one] => Some(format!("{one} fails")),
            several => Some(format!("{} fail", several.join(", "))),
        }
    }

    /// Returns the result that the attestation states, if it holds.
    #[must_use]
    pub fn result(&self) -> Option<CertificationResult> {
        let statement = self.statement.as_ref().filter(|_| self.holds())?;
        Some(statement.predicate.result)
    }

    fn add_statement(&mut self, statement: &Statement, envelope: &Envelope, asked: &Asked<'_>) {
        self.add("validity", validity(statement, asked.now));
        let release = statement.predicate.validity.while_release.as_deref();
        self.add_current("release", asked.release, release.as_slice());
        let certificates: Vec<&str> = statement.certificates().filter_map(Descriptor::sha256).collect();
        self.add_current("certificate", asked.certificate, &certificates);
        if let Some(old) = statement.predicate.supersedes.as_ref().filter(|old| old.key_id != envelope.key_id)
        {
            self.not_checked(
                "supersedes",
                format!(
                    "it supersedes an attestation of another signer (key id {}); whether that one agrees is not shown: ask there",
                    old.key_id
                ),
            );
        }
        self.add_successor(statement, envelope, asked);
        if let Some((name, sha256)) = asked.evidence {
            self.add("evidence", evidence(statement, name, sha256));
        }
        match asked.run {
            Some(run) => self.add_run(statement, run),
            None => {
                for about in ["transcript", "report", "verdicts"] {
                    self.not_checked(about, "the run is not here: name its folder with --run");
                }
            }
        }
    }

    fn add_successor(&mut self, statement: &Statement, envelope: &Envelope, asked: &Asked<'_>) {
        let Some((name, newer)) = asked.newer else {
            return self.not_checked("successor", "no later attestation was given (--newer)");
        };
        match successor::of(newer, statement, envelope, asked) {
            Successor::Supersedes(how) => self.fails("successor", format!("{name}: {how}")),
            Successor::SaysNothing(why) => self.not_checked("successor", format!("{name}: {why}")),
        }
    }

    /// Compares what the target has now with what the attestation is valid for: one of these.
    fn add_current(&mut self, about: &'static str, now: Option<&str>, then: &[&str]) {
        let [first, others @ ..] = then else {
            // Whoever asks whether it still holds gets no answer that could be taken for yes.
            return match now {
                None => self.not_checked(about, format!("the run did not show the {about} of the target")),
                Some(now) => self.fails(
                    about,
                    format!(
                        "the target has {now}, and the attestation names no {about}, as the run did not show it: leave --current-{about} \
                         out, or ask for an attestation that names it"
                    ),
                ),
            };
        };
        let others =
            if others.is_empty() { String::new() } else { format!(", or one of {} more", others.len()) };
        match now {
            None => self.not_checked(about, format!("valid while the {about} of the target is {first}{others}")),
            Some(now) if then.contains(&now) => self.add(about, Ok(format!("still {now}"))),
            Some(now) => self.fails(
                about,
                format!(
                    "valid for {first}{others}, and the target has {now}: ask for an attestation of the target as it is now"
                ),
            ),
        }
    }

    /// Checks the files of the run, and whether the statement follows from its transcript.
    fn add_run(&mut self, statement: &Statement, run: &Path) {
        let path = run.join(TRANSCRIPT);
        let reading = read(&path).map_err(|error| with_causes(&error));
        let signed = |name| statement.digest_of(name).unwrap_or("none");
        let transcript = match &reading {
            Err(error) => Err(format!("{error}; {AGAIN}")),
            Ok(reading) if reading.outcome.is_none() => {
                Err(format!("{}: the seal at its end is missing: it was cut; {AGAIN}", path.display()))
            }
            Ok(reading) => same_digest(&path, signed(TRANSCRIPT), &reading.sha256),
        };
        let is_signed = transcript.is_ok();
        self.add("transcript", transcript.map(|digest| format!("whole, sealed, {digest}")));
        let path = RunFolder::report_of(run);
        let report = input::read(&path, FILE_BYTES_MAX).map_err(|error| format!("{error}; {AGAIN}"));
        self.add("report", report.and_then(|bytes| same_digest(&path, signed(REPORT), &sha256_hex(bytes))));
        match (reading, profile_of(statement)) {
            // Each cause stands once: what follows from another transcript says nothing of this statement.
            (Err(_), _) => self.not_checked("verdicts", "the transcript cannot be read"),
            (Ok(_), _) if !is_signed => {
                self.not_checked("verdicts", "the transcript is not the one that the attestation names");
            }
            (Ok(_), Err(_)) => {
                self.not_checked(
                    "verdicts",
                    "the profile of this version asks for something else; see validity",
                );
            }
            (Ok(mut reading), Ok(profile)) => {
                let report = assess_and_free(&mut reading);
                self.add("verdicts", follows(statement, profile, &report));
            }
        }
    }

    fn add(&mut self, about: &'static str, outcome: Result<String, String>) {
        let (state, detail) = match outcome {
            Ok(detail) => (State::Holds, detail),
            Err(detail) => (State::Fails, detail),
        };
        self.points.push(Point { about, state, detail });
    }

    fn fails(&mut self, about: &'static str, why: String) {
        self.add(about, Err(why));
    }

    fn not_checked(&mut self, about: &'static str, why: impl Into<String>) {
        self.points.push(Point { about, state: State::NotChecked, detail: why.into() });
    }
}

/// Returns the folder of the run to which an attestation belongs: the one that is named, or its own if that is one.
#[must_use]
pub fn run_of(attestation: &Path, named: Option<&Path>) -> Option<PathBuf> {
    let own = attestation.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_run = [TRANSCRIPT, REPORT].iter().any(|file| own.join(file).exists());
    named.or_else(|| is_run.then_some(own)).map(Path::to_owned)
}

/// Reads the statement of an envelope.
pub(super) fn statement_of(envelope: &Envelope) -> Result<Statement, String> {
    let statement = Statement::parse(&envelope.payload)?;
    if statement.bytes() == envelope.payload {
        Ok(statement)
    } else {
        Err("not as covenant writes it: something was added, reordered or changed".to_owned())
    }
}

fn validity(statement: &Statement, now: Timestamp) -> Result<String, String> {
    let validity = &statement.predicate.validity;
    let (issued, expires) = (validity.issued, validity.expires);
    if now.duration_until(issued) > AHEAD_MAX {
        return Err(format!(
            "issued at {issued}, which is in the future: it is {now} here; set the clock that is wrong, or ask the signer"
        ));
    }
    let profile = profile_of(statement)?;
    if now > expires {
        return Err(format!("expired at {expires}; ask for a new attestation"));
    }
    Ok(format!("issued at {issued}, expires at {expires}; the profile {profile} is unchanged"))
}

/// Returns the profile of a statement, if it still asks for the same.
fn profile_of(statement: &Statement) -> Result<&'static Profile, String> {
    let name = statement.profile_name().unwrap_or_default();
    let profile = Profile::named(name).ok_or_else(|| format!("this version has no profile {name:?}"))?;
    let held = held_text(statement);
    let digest = profile.digest(&held).map_err(|error| with_causes(&error))?;
    if digest == statement.predicate.validity.while_profile {
        return Ok(profile);
    }
    let made_by = statement.suite().unwrap_or("unknown");
    Err(format!(
        "the profile {name} asks for something else in this version (covenant {}) than in that which made the attestation \
         (covenant {made_by}): ask for a new attestation, or verify with that version",
        env!("CARGO_PKG_VERSION")
    ))
}

/// Returns the contract text that a statement names.
fn held_text(statement: &Statement) -> crate::contract::HeldText {
    use crate::contract::{HeldText, TextSource};
    let version = statement.annotation("contract", "version").and_then(Value::as_u64);
    let version = version.and_then(|version| u32::try_from(version).ok());
    match (version, statement.configured("contract").and_then(|one| one.digest.get("sha256"))) {
        (Some(version), Some(digest)) => HeldText::stated(version, digest, TextSource::Assumed),
        _ => HeldText::unknown(TextSource::Nothing),
    }
}

/// Checks that a person's word names a file as its evidence.
fn evidence(statement: &Statement, name: &str, sha256: &str) -> Result<String, String> {
    let words = &statement.predicate.attested;
    let names = |statement: &str| RecordedWord::read(statement).is_some_and(|word| word.evidence == sha256);
    match words.iter().find(|word| names(&word.statement)) {
        Some(word) => {
            let counts = word.does_not_count.as_ref().map(|why| format!("; the word does not count: {why}"));
            let (test, statement) = (&word.test, &word.statement);
            Ok(format!("{name} is the evidence of {test}: {statement}{}", counts.unwrap_or_default()))
        }
        None => Err(format!(
            "{name} (SHA-256 {sha256}) is the evidence of no person's word in this attestation: ask for the file as it was when \
                 the word was given"
        )),
    }
}

fn same_digest(path: &Path, signed: &str, found: &str) -> Result<String, String> {
    if signed == found {
        return Ok(format!("SHA-256 {found}"));
    }
    Err(format!(
        "{}: its SHA-256 is {found}, and the attestation names {signed}: it was changed, or is of another run; {AGAIN}",
        path.display()
    ))
}

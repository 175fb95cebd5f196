//! The verification of an attestation: signature, validity, digests, and whether the verdicts follow from the transcript.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::statement::{REPORT, TRANSCRIPT};
use super::word::evidence_in;
use super::{CertificationResult, Envelope, Profile, Statement, Trust};
use crate::input;
use crate::report::Report;
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
/// What is missing without a key.
const NO_KEY: &str = "no key was given (--key or --trust), so nothing shows who wrote this. Digests and chain alone prove nothing \
     against whoever wrote the files: they can be computed again";

/// What a verifier asks.
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

/// What became of one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// What is needed was not given.
    NotChecked,
}

/// One point of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// What it is about.
    pub about: &'static str,
    /// What became of it.
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
                verification.fails("envelope", error.to_string());
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
                verification.add_statement(&statement, asked);
                verification.statement = Some(statement);
            }
            Err(why) => verification.fails("statement", why),
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

    /// Returns the result that the attestation states, if it holds.
    #[must_use]
    pub fn result(&self) -> Option<CertificationResult> {
        let statement = self.statement.as_ref().filter(|_| self.holds())?;
        Some(statement.predicate.result)
    }

    fn add_statement(&mut self, statement: &Statement, asked: &Asked<'_>) {
        self.add("validity", validity(statement, asked.now));
        self.add_current("release", asked.release, statement.predicate.validity.while_release.as_deref());
        let target = statement.target();
        let certificate = target.and_then(|target| target.digest.get("sha256")).map(String::as_str);
        self.add_current("certificate", asked.certificate, certificate);
        match asked.newer {
            Some((name, newer)) => match superseded(name, newer, statement, asked) {
                Superseded::By(why) => self.fails("successor", why),
                Superseded::NotBy(why) => self.not_checked("successor", why),
            },
            None => self.not_checked("successor", "no later attestation was given (--newer)"),
        }
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

    /// Compares what the target has now with what the attestation is valid for.
    fn add_current(&mut self, about: &'static str, now: Option<&str>, then: Option<&str>) {
        let Some(then) = then else {
            return self.not_checked(about, format!("the run did not show the {about} of the target"));
        };
        match now {
            None => self.not_checked(about, format!("valid while the {about} of the target is {then}")),
            Some(now) if now == then => self.add(about, Ok(format!("still {then}"))),
            Some(now) => self.fails(about, format!("valid for {then}, and the target has {now}")),
        }
    }

    /// Checks the files of the run, and whether the statement follows from its transcript.
    fn add_run(&mut self, statement: &Statement, run: &Path) {
        let path = run.join(TRANSCRIPT);
        let reading = read(&path).map_err(|error| with_causes(&error));
        let signed = |name| statement.digest_of(name).unwrap_or("none");
        let transcript = match &reading {
            Err(error) => Err(error.clone()),
            Ok(reading) if reading.outcome.is_none() => {
                Err(format!("{}: the seal at its end is missing: it was cut", path.display()))
            }
            Ok(reading) => same_digest(&path, signed(TRANSCRIPT), &reading.sha256),
        };
        self.add("transcript", transcript.map(|digest| format!("whole, sealed, {digest}")));
        let path = RunFolder::report_of(run);
        let report = input::read(&path, FILE_BYTES_MAX).map_err(|error| error.to_string());
        self.add("report", report.and_then(|bytes| same_digest(&path, signed(REPORT), &sha256_hex(bytes))));
        match reading {
            Ok(mut reading) => {
                let report = assess_and_free(&mut reading);
                self.add("verdicts", follows(statement, &report));
            }
            Err(_) => self.not_checked("verdicts", "the transcript cannot be read"),
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

fn statement_of(envelope: &Envelope) -> Result<Statement, String> {
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
        return Err(format!("issued at {issued}, which is in the future: it is {now} here"));
    }
    if now > expires {
        return Err(format!("expired at {expires}; ask for a new attestation"));
    }
    let profile = profile_of(statement)?;
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

/// What a later attestation says of an earlier one.
enum Superseded {
    By(String),
    /// It says nothing of this one: that there is no other successor is not shown.
    NotBy(String),
}

/// Compares with a later attestation, which a key that counts has to have signed.
fn superseded(name: &str, newer: &[u8], stated: &Statement, asked: &Asked<'_>) -> Superseded {
    let not_by = |why: &str| Superseded::NotBy(format!("{name}: {why}"));
    let envelope = match Envelope::parse(newer) {
        Ok(envelope) => envelope,
        Err(error) => return not_by(&error.to_string()),
    };
    let statement = match statement_of(&envelope) {
        Ok(statement) => statement,
        Err(why) => return not_by(&why),
    };
    if statement.predicate.supersedes.as_deref() != Some(&sha256_hex(asked.attestation)) {
        return not_by("it supersedes another one, or none, and says nothing of this one");
    }
    let issued = statement.predicate.validity.issued;
    if issued < stated.predicate.validity.issued {
        return not_by("it was issued before this one");
    }
    match asked.trust.map(|trust| trust.signer(&envelope, asked.now)) {
        Some(Err(why)) => not_by(&format!("it supersedes nothing: its signature is {why}")),
        Some(Ok(_)) | None => Superseded::By(format!("superseded by {name}, issued at {issued}")),
    }
}

/// Checks that a person's word names a file as its evidence.
fn evidence(statement: &Statement, name: &str, sha256: &str) -> Result<String, String> {
    let words = &statement.predicate.attested;
    match words.iter().find(|word| evidence_in(&word.statement) == Some(sha256)) {
        Some(word) => Ok(format!("{name} is the evidence of {}: {}", word.test, word.statement)),
        None => {
            Err(format!("{name} (SHA-256 {sha256}) is the evidence of no person's word in this attestation"))
        }
    }
}

fn same_digest(path: &Path, signed: &str, found: &str) -> Result<String, String> {
    if signed == found {
        return Ok(format!("SHA-256 {found}"));
    }
    Err(format!("{}: its SHA-256 is {found}, and the attestation names {signed}", path.display()))
}

/// Checks that a statement is the one that follows from a report.
fn follows(statement: &Statement, report: &Report) -> Result<String, String> {
    let profile = profile_of(statement)?;
    let made = Statement::of(report, profile, &statement.terms()).map_err(|error| with_causes(&error))?;
    if made == *statement {
        return Ok("evaluated again: they follow from the transcript".to_owned());
    }
    let own = env!("CARGO_PKG_VERSION");
    let of_other_version = statement.suite().filter(|made_by| *made_by != own).map(|made_by| {
        format!(
            "; covenant {made_by} made it and this is {own}: verify with that version before you blame anyone"
        )
    });
    Err(format!(
        "evaluated again, the transcript gives something else: {}{}",
        differences(statement, &made).join(", "),
        of_other_version.unwrap_or_default()
    ))
}

/// Returns what differs between a statement and the one that follows from the transcript.
fn differences(stated: &Statement, made: &Statement) -> Vec<String> {
    let (one, other) = (&stated.predicate, &made.predicate);
    let mut differing = Vec::new();
    if one.result != other.result {
        differing.push(format!("the result is {:?} where {:?} is stated", other.result, one.result));
    }
    let lists = [
        ("passed", &one.passed_tests, &other.passed_tests),
        ("warned", &one.warned_tests, &other.warned_tests),
        ("failed", &one.failed_tests, &other.failed_tests),
    ];
    for (name, stated, made) in lists {
        let not_in = |some: &[String], all: &[String]| -> Vec<String> {
            some.iter().filter(|test| !all.contains(test)).cloned().collect()
        };
        let (too_many, missing) = (not_in(stated, made), not_in(made, stated));
        if !too_many.is_empty() {
            differing.push(format!("{} stated as {name}", too_many.join(" and ")));
        }
        if !missing.is_empty() {
            differing.push(format!("{} not stated as {name}", missing.join(" and ")));
        }
    }
    let members = [
        ("subjects", stated.subject != made.subject),
        ("configuration", one.configuration != other.configuration),
        ("validity", one.validity != other.validity),
        ("words of persons", one.attested != other.attested),
        ("what was not exercised", one.not_exercised != other.not_exercised),
        ("what is not applicable", one.not_applicable != other.not_applicable),
        ("limits", one.limits != other.limits),
    ];
    differing.extend(members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()));
    if differing.is_empty() {
        differing.push("the order of what it lists".to_owned());
    }
    differing
}

//! `covenant certify`: a run of the whole suite, its report, and a signed attestation.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;
use serde_json::json;

use super::config::Config;
use super::duration::duration;
use super::key::failure;
use super::number::{Cases, Jobs, PollTimeout};
use super::output_format::OutputFormat;
use super::run;
use super::target_choice::TargetArguments;
use super::verify::{transcript_of, unreadable};
use super::{Exit, Failure, message, print, unused};
use crate::certify::{
    ATTESTATION_BYTES_MAX, CertificationResult, Envelope, LIMITS, NotCertified, PROFILES, Profile, PublicKey,
    SigningKey, Statement, SupersededFile, Terms, public_path,
};
use crate::clock::{Clock, Seed};
use crate::contract::ClauseId;
use crate::input;
use crate::report::terminal;
use crate::runner::{ATTESTATION, RunFolder, assess_and_free, refuse_existing, report_json, write_new_whole};
use crate::shell::{flag, word};
use crate::transcript::read;
use crate::wire::canonical::sha256_hex;

/// The longest report that is compared, in bytes.
const REPORT_BYTES_MAX: u64 = 256 << 20;

/// Arguments of `covenant certify`.
#[derive(Debug, Args)]
#[command(
    after_help = "It writes attestation.json into the run folder, whatever the result: PASSED if the profile is met whole (exit code 0), \
                  FAILED if anything is broken (1), else WARNED (3). docs/certification.md has the rules."
)]
pub(super) struct Arguments {
    /// Folder of a finished run to certify [default: a new run]
    #[arg(value_name = "RUN")]
    run: Option<PathBuf>,
    /// Profile to certify for; `covenant explain PROFILE` has its rules
    #[arg(long, value_name = "PROFILE", value_parser = profile())]
    profile: &'static Profile,
    /// PEM file with the private key that signs; `covenant key new` makes one
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Time for which the attestation is valid
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "90d")]
    valid: Duration,
    /// Attestation that this one supersedes
    #[arg(long, value_name = "FILE")]
    supersedes: Option<PathBuf>,
    /// Replace an attestation of the same run folder; with --out, the run that it signs too
    #[arg(long)]
    force: bool,
    /// Format on standard output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
    /// Seed of every choice of the run; the same seed repeats the run [default: random]
    #[arg(long, value_name = "S")]
    seed: Option<Seed>,
    /// Number of scenarios to run in parallel [default: 4]
    #[arg(long, value_name = "N")]
    jobs: Option<Jobs>,
    /// Number of generated cases of each property; fewer than the default never pass [default: 12]
    #[arg(long, value_name = "N")]
    cases: Option<Cases>,
    /// Seconds to wait for a finding, an event or a notice that is due [default: 10]
    #[arg(long, value_name = "SECONDS")]
    poll_timeout: Option<PollTimeout>,
    /// Run folder [default: a new folder under reports/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// File of `covenant attest`, or statement of a person, about a clause that the run cannot prove (repeatable)
    #[arg(long, value_name = "FILE|CLAUSE=STATEMENT", value_parser = run::attestation)]
    attest: Vec<(ClauseId, String)>,
    /// Hide the progress bar
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    target: TargetArguments,
}

/// Returns the parser of a profile, which lists every one.
fn profile() -> impl TypedValueParser<Value = &'static Profile> {
    let values = PROFILES.iter().map(|profile| PossibleValue::new(profile.name).help(profile.about));
    PossibleValuesParser::new(values).try_map(|name| Profile::named(&name).ok_or("no such profile"))
}

/// Refuses the options of a new run beside a finished one, by the names that the user wrote.
fn refuse_beside_run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(run) = &arguments.run else { return Ok(()) };
    let of_run = [
        ("--seed", arguments.seed.is_some()),
        ("--jobs", arguments.jobs.is_some()),
        ("--cases", arguments.cases.is_some()),
        ("--poll-timeout", arguments.poll_timeout.is_some()),
        ("--out", arguments.out.is_some()),
        ("--attest", !arguments.attest.is_empty()),
    ];
    let given = of_run.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name);
    let given: Vec<&str> = given.chain(unused::given(&arguments.target)).collect();
    if given.is_empty() {
        return Ok(());
    }
    let given = given.join(" and ");
    Err(Failure::usage(format!(
        "{given}: {} is a finished run, which is certified as it was played; give it alone, or the options without it to play a new run",
        run.display()
    )))
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    refuse_beside_run(arguments)?;
    let key = SigningKey::read(&arguments.key).map_err(failure)?;
    let supersedes =
        arguments.supersedes.as_deref().map(|path| superseded(path, &key.public())).transpose()?;
    if let Some(run) = arguments.run.as_deref().filter(|run| !run.is_dir()) {
        let shown = run.display();
        return Err(Failure::usage(format!(
            "{shown}: no folder; name the one of a run, with transcript.jsonl and report.json"
        )));
    }
    let named = arguments.run.as_deref().or(arguments.out.as_deref());
    if let Some(folder) = named {
        refuse_existing(&folder.join(ATTESTATION), arguments.force)?;
    }
    let folder = if let Some(folder) = &arguments.run {
        folder.clone()
    } else {
        refuse_plain_http(&arguments.target)?;
        // `--force` replaces the certified run of the folder, with its attestation.
        if let Some(folder) = arguments.out.as_deref().filter(|_| arguments.force) {
            remove_old(&folder.join(ATTESTATION))?;
        }
        run::play(&whole_run(arguments), false)?.folder.path().to_owned()
    };
    let issued = Clock::system().now();
    let valid = SignedDuration::try_from(arguments.valid).unwrap_or(SignedDuration::MAX);
    let expires = issued.checked_add(valid).map_err(|error| Failure::usage(format!("--valid: {error}")))?;
    let statement = statement(&folder, arguments.profile, &Terms { issued, expires, supersedes })?;
    let envelope = Envelope::sign(statement.bytes(), &key);
    let path = folder.join(ATTESTATION);
    write_new_whole(&path, envelope.text().as_bytes(), arguments.force)?;
    show(&statement, &envelope, &path, arguments.format)?;
    message(&how_to_verify(&path, &arguments.key, &key.public()));
    Ok(exit_of_result(statement.predicate.result))
}

fn remove_old(attestation: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(attestation) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let shown = attestation.display();
            Err(Failure::new(Exit::Environment, anyhow::anyhow!("{shown}: cannot be removed: {error}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a target that shows no certificate, before a run that would take minutes.
fn refuse_plain_http(asked: &TargetArguments) -> Result<(), Failure> {
    let asked = asked.clone().or(&Config::find(asked.config.as_deref())?);
    let Some(url) = asked.target.filter(|url| url.scheme() == "http") else { return Ok(()) };
    Err(Failure::usage(format!(
        "{url}: a target behind plain http shows no certificate, and an attestation names it by its certificate; name its https URL"
    )))
}

/// Returns the exit code of a result. What is not whole is no success.
pub(super) const fn exit_of_result(result: CertificationResult) -> Exit {
    match result {
        CertificationResult::Passed => Exit::Kept,
        CertificationResult::Warned => Exit::Unproven,
        CertificationResult::Failed => Exit::Broken,
    }
}

/// Returns the arguments of a run of the whole suite.
fn whole_run(arguments: &Arguments) -> run::Arguments {
    let mut whole = run::Arguments::default();
    whole.seed = arguments.seed;
    whole.jobs = arguments.jobs;
    whole.cases = arguments.cases;
    whole.poll_timeout = arguments.poll_timeout;
    whole.out.clone_from(&arguments.out);
    whole.attest.clone_from(&arguments.attest);
    whole.quiet = arguments.quiet;
    whole.target = arguments.target.clone();
    whole
}

/// Returns what an attestation says of the one that it supersedes. One of another signer is not superseded unsaid.
fn superseded(path: &Path, own: &PublicKey) -> Result<SupersededFile, Failure> {
    let usage = |why: String| Failure::usage(format!("--supersedes {why}"));
    let bytes = input::read(path, ATTESTATION_BYTES_MAX).map_err(|error| usage(error.to_string()))?;
    let shown = path.display();
    let old = Envelope::parse(&bytes).map_err(|error| usage(format!("{shown}: {error}")))?;
    if old.key_id != own.id() {
        message(&format!(
            "warning: {shown} names another signer, the key {}: a verifier reads that another one supersedes it, and to ask both\n",
            terminal(&old.key_id)
        ));
    } else if !old.is_signed_by(own) {
        return Err(usage(format!(
            "{shown}: it names your key, and your key did not sign it: it was changed; name the file as it was signed"
        )));
    }
    Ok(SupersededFile { sha256: sha256_hex(bytes), key_id: old.key_id })
}

/// Makes the statement of a run, which follows from its transcript alone. The report beside it has to follow too.
fn statement(folder: &Path, profile: &Profile, terms: &Terms) -> Result<Statement, Failure> {
    let mut reading = read(&transcript_of(folder)?).map_err(unreadable)?;
    let report = assess_and_free(&mut reading);
    let path = RunFolder::report_of(folder);
    let written = input::read(&path, REPORT_BYTES_MAX)
        .map_err(|error| Failure::usage(format!("{error}\nhint: name the folder of a run")))?;
    if written != report_json(&report).into_bytes() {
        return Err(Failure::usage(format!(
            "{}: this is not the report that follows from the transcript beside it: it was changed, or made with --known or by \
             another version; make the run again",
            path.display()
        )));
    }
    Statement::of(&report, profile, terms).map_err(|error| {
        let exit = match &error {
            NotCertified::NoEnd(_) => Exit::Interrupted,
            NotCertified::Void(_) => Exit::Target,
            NotCertified::Library(_) => Exit::Suite,
            NotCertified::Nothing
            | NotCertified::Audit
            | NotCertified::Foreign(_)
            | NotCertified::NoCertificate => Exit::NothingEvaluated,
        };
        Failure::new(exit, error)
    })
}

/// Says where the attestation is, and prints the statement.
fn show(
    statement: &Statement,
    envelope: &Envelope,
    path: &Path,
    format: OutputFormat,
) -> Result<(), Failure> {
    message(&format!("attestation: {}\n", path.display()));
    print(&match format {
        OutputFormat::Text => format!("{}key id: {}\n\n{LIMITS}\n", statement.text(), envelope.key_id),
        OutputFormat::Json => {
            let value = json!({"attestation": path, "sha256": sha256_hex(envelope.text()), "key_id": envelope.key_id,
                "statement": statement});
            format!("{value:#}\n")
        }
    })
}

/// Returns the hint how someone else verifies. It names the file of the public key only if it is there and is that key.
fn how_to_verify(attestation: &Path, private: &Path, key: &PublicKey) -> String {
    let public = public_path(private);
    let verify = format!("covenant verify {}", word(&attestation.display().to_string()));
    if PublicKey::read(&public).is_ok_and(|found| found == *key) {
        let key = flag("--key", public.display());
        return format!("hint: send the run folder and the public key; {verify} {key} checks it\n");
    }
    format!(
        "hint: {} prints the public key, which is not in {}: send it as a file with the run folder; {verify} --key FILE checks it\n",
        format_args!("covenant key show {}", word(&private.display().to_string())),
        public.display()
    )
}

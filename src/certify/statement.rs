//! The statement of an attestation: in-toto Statement v1 with the predicate of test results.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::assessment::{AttestedByPerson, BrokenCheck, Named};
use super::beside_the_wire::{certificates, operator_plane};
use super::{Assessment, CertificationResult, NotCertified, Profile};
use crate::report::Report;
use crate::runner::report_json;
use crate::wire::canonical::sha256_hex;

/// The type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// Limits of a signature. Each attestation states them.
pub const LIMITS: &str = "The signature shows that nothing was changed and which key signed. It does not show that the signer is \
     to be trusted, nor that the run took place: whoever verifies decides whose keys count. A signer who operates the target vouches for \
     itself.";
/// The name of the subject that is the transcript.
pub(super) const TRANSCRIPT: &str = "transcript.jsonl";
/// The annotation that names an entry of the transcript.
const ENTRY: &str = "entry";
/// The name of the subject that is the report.
pub(super) const REPORT: &str = "report.json";

/// A statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// The certificate of the target, the transcript, the report, and each further certificate that the target showed.
    pub subject: Vec<Descriptor>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// The results.
    pub predicate: Predicate,
}

/// A thing, named by its digest or its content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// The name.
    pub name: String,
    /// The digests, by algorithm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// The content, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Text for a person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Value>,
}

/// The results of a run for a profile. Members that begin with `covenant_` are additions to the predicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Predicate {
    /// The result.
    pub result: CertificationResult,
    /// The configuration of the run, by name.
    pub configuration: Vec<Descriptor>,
    /// Tests that are kept, and no other ones.
    pub passed_tests: Vec<String>,
    /// Tests that are unproven or attested.
    pub warned_tests: Vec<String>,
    /// Tests that are broken.
    pub failed_tests: Vec<String>,
    /// The checks that are broken, with the entries that show it.
    #[serde(rename = "covenant_breaches")]
    pub breaches: Vec<BrokenCheck>,
    /// Tests that were not exercised.
    #[serde(rename = "covenant_notExercised")]
    pub not_exercised: Vec<Named>,
    /// Tests that do not apply to the target.
    #[serde(rename = "covenant_notApplicable")]
    pub not_applicable: Vec<Named>,
    /// The words of persons.
    #[serde(rename = "covenant_attestedByPerson")]
    pub attested: Vec<AttestedByPerson>,
    /// How long the attestation is valid.
    #[serde(rename = "covenant_validity")]
    pub validity: Validity,
    /// Who answered for the operator of the target, so on whose word rests what no peer sees.
    #[serde(rename = "covenant_operatorPlane")]
    pub operator_plane: String,
    /// Remark on several certificates of the target; `None` if it showed one.
    #[serde(rename = "covenant_certificates", default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
    /// The attestation that this one supersedes.
    #[serde(rename = "covenant_supersedes", default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<SupersededFile>,
    /// Limits of the signature.
    #[serde(rename = "covenant_limits")]
    pub limits: String,
}

/// An attestation that a later one supersedes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupersededFile {
    /// The SHA-256 of its file.
    pub sha256: String,
    /// The id of the key that it names as its signer's.
    pub key_id: String,
}

/// How long an attestation is valid: until a time, and while the target and the profile are what they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// The time of the signature, by the signer's clock.
    pub issued: Timestamp,
    /// The time after which it is no longer valid.
    pub expires: Timestamp,
    /// The time at which the run began, by the clock of whoever made it.
    pub run_began: Option<Timestamp>,
    /// The release of the target for which it is valid; `None` if the target reported none.
    pub while_release: Option<String>,
    /// The digest of the profile for which it is valid.
    pub while_profile: String,
}

/// Decisions of the signer, beside the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The time of the signature.
    pub issued: Timestamp,
    /// The time after which it is no longer valid.
    pub expires: Timestamp,
    /// The attestation that is superseded.
    pub supersedes: Option<SupersededFile>,
}

impl Descriptor {
    /// Returns the SHA-256 of the thing.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.digest.get("sha256").map(String::as_str)
    }
}

impl Statement {
    /// Makes the statement of a report, which was made of the transcript alone.
    pub fn of(report: &Report, profile: &Profile, terms: &Terms) -> Result<Self, NotCertified> {
        let Assessment { result, passed, warned, failed, breaches, attested, not_exercised, not_applicable } =
            Assessment::of(report, profile, terms.issued)?;
        let profile_digest = profile.digest(&report.contract)?;
        let validity = Validity {
            issued: terms.issued,
            expires: terms.expires,
            run_began: report.began,
            while_release: report.platform.release.clone(),
            while_profile: profile_digest.clone(),
        };
        Ok(Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: subjects(report),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate {
                result,
                configuration: configuration(report, profile, &profile_digest),
                passed_tests: passed,
                warned_tests: warned,
                failed_tests: failed,
                breaches,
                not_exercised,
                not_applicable,
                attested,
                validity,
                operator_plane: operator_plane(report),
                certificates: certificates(report),
                supersedes: terms.supersedes.clone(),
                limits: LIMITS.to_owned(),
            },
        })
    }

    /// Reads a statement. The error says what it is instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let statement: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("no statement of covenant: {error}"))?;
        let is_known = statement.kind == STATEMENT_TYPE && statement.predicate_type == PREDICATE_TYPE;
        if is_known { Ok(statement) } else { Err("a statement of another type".to_owned()) }
    }

    /// Returns the statement as it is signed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a statement has text keys only")
    }

    /// Returns what the signer decided.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let Validity { issued, expires, .. } = self.predicate.validity;
        Terms { issued, expires, supersedes: self.predicate.supersedes.clone() }
    }

    /// Returns the profile that it names.
    pub(super) fn profile_name(&self) -> Option<&str> {
        self.annotation("profile", "name")?.as_str()
    }

    /// Returns the version of the suite that made it.
    pub(super) fn suite(&self) -> Option<&str> {
        self.annotation("suite", "version")?.as_str()
    }

    /// Returns a part of the configuration.
    pub(super) fn configured(&self, name: &str) -> Option<&Descriptor> {
        self.predicate.configuration.iter().find(|one| one.name == name)
    }

    /// Returns an annotation of a part of the configuration.
    pub(super) fn annotation(&self, name: &str, member: &str) -> Option<&Value> {
        self.configured(name)?.annotations.get(member)
    }

    /// Returns the SHA-256 of a subject.
    pub(super) fn digest_of(&self, subject: &str) -> Option<&str> {
        self.subject.iter().find(|one| one.name == subject)?.sha256()
    }

    /// Returns the subject that is the certificate of the target.
    #[must_use]
    pub fn target(&self) -> Option<&Descriptor> {
        self.certificates().next()
    }

    /// Returns the subjects that are certificates of the target: first the one that it showed in the handshake.
    pub fn certificates(&self) -> impl Iterator<Item = &Descriptor> {
        self.subject.iter().filter(|one| ![TRANSCRIPT, REPORT].contains(&one.name.as_str()))
    }
}

/// Returns what the statement is about.
fn subjects(report: &Report) -> Vec<Descriptor> {
    let facts = &report.platform;
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let name = format!("{}, release {}", shown(&facts.address), shown(&facts.release));
    let target = Descriptor {
        annotations: [
            ("target".to_owned(), json!(report.recorded_target())),
            ("certificates".to_owned(), json!(facts.certificates)),
        ]
        .into(),
        ..digest(&name, facts.certificate_sha256.as_deref().unwrap_or_default())
    };
    let others = (2..).zip(&facts.other_certificates).map(|(number, other)| {
        let address = other.address.clone().or_else(|| facts.address.clone());
        let name = format!("{}, certificate {number} of {}", shown(&address), facts.certificates);
        let annotations = [(ENTRY.to_owned(), json!(other.entry))].into();
        Descriptor { annotations, ..digest(&name, &other.sha256) }
    });
    [target, digest(TRANSCRIPT, &report.transcript_sha256), digest(REPORT, &sha256_hex(report_json(report)))]
        .into_iter()
        .chain(others)
        .collect()
}

/// Returns the configuration of the run.
fn configuration(report: &Report, profile: &Profile, profile_digest: &str) -> Vec<Descriptor> {
    let contract = match &report.contract.contract_digest {
        Some(sha256) => digest("contract", sha256),
        None => content("contract", "unknown"),
    };
    let settings = json!(report.settings).to_string();
    let annotated = |descriptor: Descriptor, annotations: Value| Descriptor {
        annotations: serde_json::from_value(annotations).unwrap_or_default(),
        ..descriptor
    };
    // A redacted copy names the original, so that who has both can tell.
    let redaction = report.redacted_from().map(|original| {
        annotated(
            digest("redaction", original),
            json!({"original": original, "copy": report.transcript_sha256}),
        )
    });
    let all = vec![
        annotated(content("seed", &report.seed.to_string()), json!({"seed": report.seed.to_string()})),
        annotated(
            contract,
            json!({"version": report.contract.contract_version, "text": report.contract_text,
                "source": report.contract.contract_source.to_string()}),
        ),
        annotated(
            content("suite", &format!("covenant {}", report.covenant)),
            json!({"version": report.covenant}),
        ),
        annotated(content("binding", &report.binding), json!({"version": report.binding})),
        annotated(digest("profile", profile_digest), json!({"name": profile.name, "covers": profile.about})),
        annotated(digest("settings", &sha256_hex(&settings)), json!(report.settings)),
    ];
    all.into_iter().chain(redaction).collect()
}

fn digest(name: &str, sha256: &str) -> Descriptor {
    let digest = [("sha256".to_owned(), sha256.to_owned())].into();
    Descriptor { name: name.to_owned(), digest, ..Descriptor::default() }
}

fn content(name: &str, text: &str) -> Descriptor {
    let content = Some(STANDARD.encode(text));
    Descriptor { name: name.to_owned(), content, ..Descriptor::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::assessment::tests::report_of;
    use crate::check::Verdict;
    use crate::report::ShownCertificate;

    #[test]
    fn every_certificate_that_the_target_showed_is_a_subject() {
        let mut report = report_of(|_| Some(Verdict::Kept), &[]);
        let profile = Profile::named("observed").expect("a profile");
        let issued = "2026-06-02T00:00:00Z".parse().expect("a timestamp");
        let terms = Terms { issued, expires: issued, supersedes: None };
        let one = Statement::of(&report, profile, &terms).expect("a statement");
        assert_eq!((one.certificates().count(), &one.predicate.certificates), (1, &None));

        let entry = "07-migration-hygiene/crash#12".to_owned();
        report.reference = None;
        report.platform.certificates = 2;
        report.platform.other_certificates = vec![ShownCertificate {
            sha256: "ef".repeat(32),
            entry,
            address: Some("https://platform.example:8443".to_owned()),
        }];
        let both = Statement::of(&report, profile, &terms).expect("a statement");
        let shown: Vec<_> = both.certificates().filter_map(Descriptor::sha256).collect();
        assert_eq!(shown, ["cd".repeat(32), "ef".repeat(32)]);
        assert_eq!(both.target(), both.subject.first());
        let second = both.subject.last().expect("a subject");
        assert_eq!(second.name, "https://platform.example:8443, certificate 2 of 2");
        assert_eq!(second.annotations[ENTRY], "07-migration-hygiene/crash#12");
        assert!(both.text().contains("it changed its certificate"), "{}", both.text());
    }
}

//! `digests-are-stored`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::agreement::{Stored, contracts_listed, digests_of, is_row_of, stored_digests, version_of};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use covenant_model::contract::register;
use covenant_model::operator::{OperatorMethod, platform};
use covenant_model::transcript::Trace;
use covenant_model::wire::canonical::sha256_hex;

/// The words by which a list may mark a version that is not released.
const UNRELEASED: [&str; 5] = ["draft", "proposed", "planned", "upcoming", "unreleased"];

/// Each released contract version is listed with the SHA-256 of its text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct DigestsAreStored {
    /// The `contract.list` of the operator.
    pub snapshot: Label,
}

impl Check for DigestsAreStored {
    const ID: &'static str = "digests-are-stored";
    const EXPECTED: &'static [&'static str] = &["a SHA-256 for each version, that of its text"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (n, listed) = contracts_listed(trace, &self.snapshot)?;
        if listed.iter().any(|row| !row.is_object()) {
            return Err(Stop::unproven("the list shows nothing but numbers", [n]));
        }
        let supplied = supplied_texts(trace);
        let now = trace.time_of(n);
        let mut unread = None;
        for row in listed {
            let number = version_of(row).unwrap_or(&Value::Null);
            let digests = match stored_digests(row) {
                Stored::Sha256(digests) => digests,
                Stored::Nothing if is_draft(row, now) => continue,
                Stored::Nothing => {
                    return Err(Stop::broken(format!("version {number} has no digest"), [n]));
                }
                Stored::Unread => {
                    unread.get_or_insert(format!("the digest of version {number} can't be read"));
                    continue;
                }
            };
            let due = supplied.iter().find(|(version, _)| is_row_of(row, version));
            if due.is_some_and(|(_, due)| !digests.contains(due)) {
                let stored = digests.join(", ");
                let actual = format!("version {number} has {stored}, which is not that of its text");
                return Err(Stop::broken(actual, [n]));
            }
        }
        if let Some(unread) = unread {
            return Err(Stop::unproven(unread, [n]));
        }
        let is_listed = |version: &Value| listed.iter().any(|row| is_row_of(row, version));
        if let Some((version, _)) = supplied.iter().find(|(version, _)| !is_listed(version)) {
            return Err(Stop::unproven(format!("version {version}, which was supplied, is not listed"), [n]));
        }
        let first = listed.iter().find(|row| is_row_of(row, &json!(1)));
        let first = first.map(digests_of).filter(|digests| !digests.is_empty());
        let first = first.or_unproven_at("version 1 is not listed", &[n])?;
        // A later revision under the same number is a register of its own.
        if first.iter().all(|digest| register(1, digest).is_none()) {
            return Err(Stop::unproven(format!("version 1 is another text: {}", first.join(", ")), [n]));
        }
        Ok(Pass::new(format!("{} versions with their digests", listed.len()), [n]))
    }
}

/// Returns whether a version is not released yet: by the state in its row, or by its date.
pub(super) fn is_draft(row: &Value, now: Option<Timestamp>) -> bool {
    let state = row["status"].as_str().or(row["state"].as_str()).unwrap_or_default().to_lowercase();
    let effective_at = row["effective_at"].as_str().and_then(time);
    UNRELEASED.contains(&state.as_str())
        || row["draft"] == true
        || row["released"] == false
        || effective_at.is_some_and(|at| now.is_some_and(|now| at > now))
}

/// Returns a time, or the start of a day.
fn time(text: &str) -> Option<Timestamp> {
    let of_day = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.into()).ok();
    text.parse().ok().or_else(of_day)
}

/// Returns the versions whose texts the suite supplied, with their digests.
fn supplied_texts(trace: &Trace) -> Vec<(Value, String)> {
    let start = trace.operations([platform::Start::METHOD]).next().map(|(_, start)| start);
    let versions = start.and_then(|start| start.parameters["settings"]["contract_versions"].as_array());
    let versions = versions.into_iter().flatten();
    versions.filter_map(|row| Some((row["version"].clone(), sha256_hex(row["text"].as_str()?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::contract::V1_2026_05;

    /// Returns the verdict on a target that got the text `abc` as version 7002, and lists these versions.
    fn verdict(listed: Value) -> Verdict {
        supplied(&json!([{"version": 7002, "text": "abc"}]), listed)
    }

    /// Returns the verdict on a target that got no text, and lists these versions.
    fn unsupplied(listed: Value) -> Verdict {
        supplied(&json!([]), listed)
    }

    fn supplied(versions: &Value, listed: Value) -> Verdict {
        let settings = json!({"settings": {"contract_versions": versions}});
        TraceBuilder::new()
            .operation_with("started", "platform.start", settings, json!({}))
            .operation("listed", "contract.list", listed)
            .verdict::<DigestsAreStored>(json!({"snapshot": "listed"}))
    }

    #[test]
    fn a_version_without_its_digest_is_broken() {
        let first = json!({"version": 1, "digest": V1_2026_05.digest});
        let second = |digest: &str| json!({"version": 7002, "digest": digest});
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(verdict(json!([first, second(of_abc)])), Kept);
        assert_eq!(verdict(json!([first, second(V1_2026_05.digest)])), Broken);
        let beside =
            |other: &str| json!({"version": 7002, "key_fingerprint": "a".repeat(64), "sha256": other});
        assert_eq!(verdict(json!([first, beside(of_abc)])), Kept);
        assert_eq!(verdict(json!([first, beside(V1_2026_05.digest)])), Broken);
        assert_eq!(verdict(json!([first, second("")])), Broken);
        assert_eq!(verdict(json!([first, second("crc32:352441c2")])), Unproven);
        assert_eq!(verdict(json!([{"version": 1}])), Broken);
        assert_eq!(verdict(json!([second(of_abc)])), Unproven);
        assert_eq!(verdict(json!([1, 7002])), Unproven);
        assert_eq!(verdict(json!([first])), Unproven, "it did not take the text");
        assert_eq!(verdict(json!([{"version": 1, "digest": of_abc}])), Unproven);
    }

    #[test]
    fn versions_of_its_own_and_digests_in_other_forms_are_valid() {
        let first = json!({"version": "1", "sha256": format!("sha256:{}", V1_2026_05.digest.to_uppercase())});
        let own = json!({"version": 2, "digest": V1_2026_05.digest});
        assert_eq!(unsupplied(json!({"data": {"contracts": [first, own]}})), Kept);
        let with_a_key = json!({"version": 1, "fingerprint": "a".repeat(64), "sha256": V1_2026_05.digest});
        assert_eq!(unsupplied(json!([with_a_key])), Kept, "the fingerprint is that of something else");
        let parted = json!({"algorithm": "sha-256", "value": V1_2026_05.digest});
        assert_eq!(unsupplied(json!([{"version": "v1", "digest": parted}])), Kept);
    }

    #[test]
    fn a_draft_needs_no_digest_and_a_version_in_force_does() {
        let first = json!({"version": 1, "digest": V1_2026_05.digest});
        for (more, expected) in [
            (json!({"status": "Draft"}), Kept),
            (json!({"effective_at": "2026-06-02"}), Kept),
            (json!({"effective_at": "2026-06-01T00:00:01Z"}), Kept),
            (json!({"effective_at": "2026-05-14"}), Broken),
            (json!({"status": "released"}), Broken),
        ] {
            let mut second = more.clone();
            second["version"] = json!(2);
            assert_eq!(unsupplied(json!([first, second])), expected, "{more}");
        }
    }
}

//! The contract texts that a list of contract versions names.

use serde_json::{Value, json};

use super::agreement::{self, digests_of, is_row_of, sha256, version_of};
use super::digests_are_stored::is_draft;

/// Returns the SHA-256 that a platform wrote, in lower-case hex; `None` if the value is none.
#[must_use]
pub fn digest_written(value: &Value) -> Option<String> {
    sha256(value.as_str()?)
}

/// Returns the digests of the texts in force that a list of contract versions names for `version`. A row whose
/// version is no number counts by its digest alone.
#[must_use]
pub fn digests_listed(listed: &Value, version: u32) -> Vec<String> {
    let rows = agreement::rows(listed).unwrap_or_default();
    let in_force = rows.iter().filter(|row| row["deprecated_at"].is_null() && !is_draft(row, None));
    let is_of_version =
        |row: &&Value| is_row_of(row, &json!(version)) || version_of(row).is_some_and(is_no_number);
    in_force.filter(is_of_version).flat_map(digests_of).collect()
}

/// Returns whether a version is written in a way that no number can be read from.
fn is_no_number(version: &Value) -> bool {
    agreement::number(version).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::contract::{V1_2026_05, V1_2026_06};

    #[test]
    fn a_list_names_the_texts_in_force_of_a_version() {
        let (first, later) = (V1_2026_05.digest, V1_2026_06.digest);
        let deprecated = json!({"version": 1, "digest": first, "deprecated_at": "2026-06-03T00:00:00Z"});
        for (listed, expected) in [
            (json!([{"version": 1, "digest": first}]), vec![first]),
            (json!({"contracts": [{"version": "v1", "sha256": later.to_uppercase()}]}), vec![later]),
            (json!([{"version": "2026-06", "digest": format!("sha256:{later}")}]), vec![later]),
            (json!([deprecated, {"version": 1, "digest": later}]), vec![later]),
            (json!([{"version": 1, "digest": first}, {"version": 1, "digest": later}]), vec![first, later]),
            (json!([{"version": 1, "digest": first}, {"version": 2, "digest": later}]), vec![first]),
            (json!([{"version": 1, "digest": later, "status": "draft"}]), vec![]),
            (json!([1]), vec![]),
            (json!([{"version": 1}]), vec![]),
            (json!({"error": "none"}), vec![]),
        ] {
            assert_eq!(digests_listed(&listed, 1), expected, "{listed}");
        }
    }

    #[test]
    fn only_a_sha_256_is_a_digest() {
        let digest = V1_2026_06.digest;
        assert_eq!(digest_written(&json!(digest.to_uppercase())).as_deref(), Some(digest));
        for other in [json!(null), json!(""), json!("39f5"), json!(1)] {
            assert_eq!(digest_written(&other), None, "{other}");
        }
    }
}

//! What a platform says of contract versions, in whatever form it says it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::common::is_same_number;

/// Names under which a peer's record tells the contract version that was agreed to.
const ON_RECORD: [&str; 3] =
    ["contract_version_agreed", "agreed_contract_version", "acknowledged_contract_version"];

/// Names under which a list of contract versions tells a version's number.
const IN_A_LIST: [&str; 3] = ["version", "contract_version", "number"];

/// How a digest names its algorithm before itself.
const ALGORITHM: [&str; 4] = ["sha256:", "sha256-", "sha256=", "sha-256:"];

/// Hexadecimal digits of a SHA-256.
const HEX_DIGITS: usize = 64;

/// The contract version on a peer's record; none where the record has no place for it.
pub(super) fn on_record(peer: &Value) -> Option<&Value> {
    ON_RECORD.iter().find_map(|name| peer.get(name))
}

/// Whether nothing was acknowledged, by what stands on record.
pub(super) fn is_nothing(version: &Value) -> bool {
    version.is_null() || version.as_f64() == Some(0.0)
}

/// Whether two say one version, either as a number or as the text of that number.
pub(super) fn is_same_version(one: &Value, other: &Value) -> bool {
    let read = |version: &Value| match version.as_str() {
        Some(text) => text.trim().parse::<u32>().ok().map(f64::from),
        None => version.as_f64(),
    };
    is_same_number(Some(one), Some(other)) || read(one).is_some_and(|one| read(other) == Some(one))
}

/// The rows of a list of contract versions: it may stand alone, or under a name.
pub(super) fn rows(listed: &Value) -> Option<&[Value]> {
    match listed {
        Value::Array(rows) => {
            let are_versions = !rows.is_empty() && rows.iter().all(|row| version_of(row).is_some());
            are_versions.then_some(rows.as_slice())
        }
        Value::Object(members) => members.values().find_map(rows),
        _ => None,
    }
}

/// The version of a row; a row may be nothing but its number.
pub(super) fn version_of(row: &Value) -> Option<&Value> {
    let named = IN_A_LIST.iter().filter_map(|name| row.get(name)).find(|version| !version.is_null());
    named.or_else(|| row.is_number().then_some(row))
}

/// The digest of a row, in lower-case hexadecimal digits: under its usual name, or under any.
pub(super) fn digest_of(row: &Value) -> Option<String> {
    let usual = row.get("digest").filter(|digest| !digest.is_null());
    if let Some(usual) = usual {
        return sha256(usual.as_str()?);
    }
    row.as_object()?.values().filter_map(Value::as_str).find_map(sha256)
}

/// A digest in lower-case hexadecimal digits, where it is a SHA-256: it may be written in capitals,
/// in base64, and after the name of its algorithm.
pub(super) fn sha256(digest: &str) -> Option<String> {
    let digest = digest.trim();
    let after = |algorithm: &&str| {
        let named = digest.get(..algorithm.len())?;
        named.eq_ignore_ascii_case(algorithm).then(|| &digest[algorithm.len()..])
    };
    let bare = ALGORITHM.iter().find_map(after).unwrap_or(digest);
    if bare.len() == HEX_DIGITS && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(bare.to_ascii_lowercase());
    }
    let bytes = STANDARD.decode(bare).ok().filter(|bytes| bytes.len() * 2 == HEX_DIGITS)?;
    Some(hex::encode(bytes))
}

/// Whether two digests are of one text. What is no SHA-256 is compared as it stands.
pub(super) fn is_same_digest(one: &str, other: &str) -> bool {
    let read = |digest: &str| sha256(digest).unwrap_or_else(|| digest.to_lowercase());
    read(one) == read(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::REGISTER_V1;
    use serde_json::json;

    #[test]
    fn a_digest_is_one_however_it_is_written() {
        let hex = REGISTER_V1.digest;
        let base64 = STANDARD.encode(hex::decode(hex).expect("hexadecimal digits"));
        let capitals = hex.to_uppercase();
        for same in
            [capitals.clone(), format!("sha256:{capitals}"), base64.clone(), format!("sha256-{base64}")]
        {
            assert!(is_same_digest(&same, hex), "{same}");
        }
        assert!(!is_same_digest(&hex.replace('3', "4"), hex));
        assert_eq!(sha256(""), None);
        assert_eq!(sha256(&format!("md5:{hex}")), None);
    }

    #[test]
    fn versions_are_listed_alone_or_under_a_name_as_numbers_or_as_texts() {
        for listed in [
            json!([{"version": "1"}]),
            json!({"data": {"contracts": [{"version": 1}]}, "tags": ["a"]}),
            json!([{"contract_version": 1.0}]),
            json!([1]),
        ] {
            let rows = rows(&listed).unwrap_or_default();
            let versions: Vec<_> = rows.iter().filter_map(version_of).collect();
            assert!(versions.len() == 1 && is_same_version(versions[0], &json!(1)), "{listed}");
        }
        assert_eq!(rows(&json!([])), None);
        assert_eq!(rows(&json!({"error": ["none"]})), None);
    }
}

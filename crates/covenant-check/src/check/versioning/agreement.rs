//! Statements of a platform about contract versions, in whatever form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use crate::check::general::is_same_number;
use crate::check::outcome::{OrUnproven, Stop};
use crate::check::text::{is_blank, is_placeholder};
use covenant_model::transcript::{Exchange, Trace};

/// The names under which a peer's record holds the agreed contract version.
const ON_RECORD: [&str; 3] =
    ["contract_version_agreed", "agreed_contract_version", "acknowledged_contract_version"];

/// The names under which a list of contract versions holds the number of a version.
const IN_A_LIST: [&str; 3] = ["version", "contract_version", "number"];

/// The words in the name of a member that holds a digest.
const OF_A_DIGEST: [&str; 5] = ["digest", "sha", "checksum", "hash", "fingerprint"];

/// The names of the algorithm that may precede a digest, and the characters between the two.
const ALGORITHM: [&str; 3] = ["sha256", "sha-256", "sha2-256"];
const AFTER_ALGORITHM: [char; 4] = [':', '-', '=', ' '];

/// The number of hexadecimal digits of a SHA-256.
const HEX_DIGITS: usize = 64;

/// Returns the rows of the `contract.list` with this label.
pub(in crate::check) fn contracts_listed<'a>(
    trace: &'a Trace,
    label: &str,
) -> Result<(u64, &'a [Value]), Stop> {
    let read = || {
        let (n, operation) = trace.operation(label)?;
        Some((n, rows(operation.result.as_ref()?)?))
    };
    read().or_unproven("the contract versions were not listed")
}

/// Returns the contract version that an accept asks for, or `null`.
pub(in crate::check) fn requested_version(accept: &Exchange) -> Value {
    accept.sent().map(|sent| sent["contract_version"].clone()).unwrap_or_default()
}

/// Returns the digest of the contract text that an accept asks for.
pub(in crate::check) fn requested_digest(accept: &Exchange) -> Option<&str> {
    accept.sent().and_then(|sent| sent["contract_digest"].as_str())
}

/// Returns the contract version that the answer to an accept agrees to.
pub(in crate::check) fn agreed_version(accept: &Exchange) -> Option<Value> {
    accept.data()?.get("contract_version_agreed").cloned()
}

/// Returns the contract version in a peer's record, or `None` if the record has no such member.
pub(in crate::check) fn on_record(peer: &Value) -> Option<&Value> {
    ON_RECORD.iter().find_map(|name| peer.get(name))
}

/// Returns whether a recorded version means that nothing was acknowledged: null, false, zero, or a text of no version, such
/// as an empty one, `"0"` or `"none"`.
pub(in crate::check) fn is_unacknowledged(version: &Value) -> bool {
    match version {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => is_blank(text) || is_placeholder(text) || number(version) == Some(0.0),
        _ => version.as_f64() == Some(0.0),
    }
}

/// Returns whether two values are the same version, either as a number or as the text of that number.
pub(in crate::check) fn is_same_version(one: &Value, other: &Value) -> bool {
    let read = |version: &Value| match version.as_str() {
        Some(text) => text.trim().parse::<u32>().ok().map(f64::from),
        None => version.as_f64(),
    };
    is_same_number(Some(one), Some(other)) || read(one).is_some_and(|one| read(other) == Some(one))
}

/// Returns whether a version in an answer or on record is the one that was asked for. A record may write it more freely than
/// the wire does: `1`, `"1"`, `"v1"`, `"1.0"`. `None` means that it is written in a form that can't be read.
pub(in crate::check) fn is_version_asked_for(version: &Value, requested: &Value) -> Option<bool> {
    if version == requested || is_same_version(version, requested) {
        return Some(true);
    }
    match version {
        Value::String(text) if !text.trim().is_empty() => {
            number(version).map(|version| requested.as_f64() == Some(version))
        }
        Value::Array(_) | Value::Object(_) => None,
        _ => Some(false),
    }
}

/// Returns whether a row of a list is of this version. A list may name a version more freely than the wire.
pub(in crate::check) fn is_row_of(row: &Value, version: &Value) -> bool {
    version_of(row).is_some_and(|listed| {
        is_same_version(listed, version)
            || number(listed).is_some_and(|listed| version.as_f64() == Some(listed))
    })
}

/// Returns the number that a list means by a version: `1`, `"1"`, `"v1"`, `"1.0"`.
pub(in crate::check) fn number(version: &Value) -> Option<f64> {
    let Some(text) = version.as_str() else { return version.as_f64() };
    let text = text.trim().trim_end_matches(".0");
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    bare.parse::<u32>().ok().map(f64::from)
}

/// Returns whether a version is in a list: by its number, or, in a row whose version is no number, by the
/// digest of its text. Returns `None` if such a row may be the one in question.
pub(in crate::check) fn is_listed(rows: &[Value], version: &Value, digest: Option<&str>) -> Option<bool> {
    if rows.iter().any(|row| is_row_of(row, version)) {
        return Some(true);
    }
    let unread: Vec<&Value> = rows.iter().filter(|row| version_of(row).and_then(number).is_none()).collect();
    let is_its_text = |row: &&Value| {
        let named = |digest: &str| digests_of(row).iter().any(|listed| is_same_digest(listed, digest));
        digest.is_some_and(named)
    };
    if unread.is_empty() { Some(false) } else { unread.iter().any(is_its_text).then_some(true) }
}

/// Returns the rows of a list of contract versions: the list itself, or a list under a name.
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

/// Returns the version of a row. A row may consist of its number alone.
pub(in crate::check) fn version_of(row: &Value) -> Option<&Value> {
    let named = IN_A_LIST.iter().filter_map(|name| row.get(name)).find(|version| !version.is_null());
    named.or_else(|| row.is_number().then_some(row))
}

/// The digests in a row of a list. One of them is to be that of the version's text: a row may also have that of a key or of a
/// rendered page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) enum Stored {
    /// No digest: there is no such member, or it is empty.
    Nothing,
    /// A value that can't be read as a SHA-256.
    Unread,
    /// Each SHA-256, in lower-case hexadecimal digits.
    Sha256(Vec<String>),
}

/// Returns the digests in a row: under their default name and under names for digests, else under any name.
pub(in crate::check) fn stored_digests(row: &Value) -> Stored {
    const DEFAULT: &str = "digest";
    let Some(members) = row.as_object() else { return Stored::Nothing };
    let is_for_a_digest = |name: &str| {
        let name = name.to_lowercase();
        OF_A_DIGEST.iter().any(|word| name.contains(word))
    };
    let named = members.iter().filter(|(name, _)| *name != DEFAULT && is_for_a_digest(name));
    let named: Vec<&Value> = named.map(|(_, member)| member).collect();
    let default = members.get(DEFAULT).into_iter();
    let mut digests: Vec<String> = default.chain(named.iter().copied()).filter_map(digest_in).collect();
    if digests.is_empty() {
        digests = members.values().filter_map(digest_in).collect();
    }
    if !digests.is_empty() {
        return Stored::Sha256(digests);
    }
    let is_nothing = members.get(DEFAULT).into_iter().chain(named).all(is_empty);
    if is_nothing { Stored::Nothing } else { Stored::Unread }
}

/// Returns the digests of a row that can be read.
pub(in crate::check) fn digests_of(row: &Value) -> Vec<String> {
    match stored_digests(row) {
        Stored::Sha256(digests) => digests,
        Stored::Nothing | Stored::Unread => vec![],
    }
}

/// Returns the SHA-256 in a member, alone or with the name of its algorithm.
fn digest_in(member: &Value) -> Option<String> {
    match member {
        Value::String(text) => sha256(text),
        Value::Object(members) => members.values().filter_map(Value::as_str).find_map(sha256),
        _ => None,
    }
}

/// Returns whether a member holds nothing but, at most, the name of an algorithm.
fn is_empty(member: &Value) -> bool {
    match member {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(members) => {
            members.iter().filter(|(name, _)| !name.starts_with("alg")).all(|(_, member)| is_empty(member))
        }
        _ => false,
    }
}

/// Returns a digest in lower-case hexadecimal digits if it is a SHA-256: it may be written in capitals, in
/// pairs, in base64 of either alphabet, and after the name of its algorithm.
pub(in crate::check) fn sha256(digest: &str) -> Option<String> {
    let digest = digest.trim();
    let after = |algorithm: &&str| {
        let named = digest.get(..algorithm.len())?;
        let rest = named.eq_ignore_ascii_case(algorithm).then(|| &digest[algorithm.len()..])?;
        Some(rest.strip_prefix(AFTER_ALGORITHM)?.trim_start())
    };
    let bare = ALGORITHM.iter().find_map(after).unwrap_or(digest);
    let digits: String = bare.chars().filter(|character| !matches!(character, ':' | ' ')).collect();
    if digits.len() == HEX_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(digits.to_ascii_lowercase());
    }
    let base64 = bare.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let bytes = STANDARD_NO_PAD.decode(base64).ok().filter(|bytes| bytes.len() * 2 == HEX_DIGITS)?;
    Some(hex::encode(bytes))
}

/// Returns whether two digests are of one text. A value that is no SHA-256 is compared as it is.
pub(in crate::check) fn is_same_digest(one: &str, other: &str) -> bool {
    let read = |digest: &str| sha256(digest).unwrap_or_else(|| digest.to_lowercase());
    read(one) == read(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
    use covenant_model::contract::V1_2026_05;
    use serde_json::json;

    #[test]
    fn a_digest_is_read_in_each_of_its_forms() {
        let hex = V1_2026_05.digest;
        let bytes = hex::decode(hex).expect("hexadecimal digits");
        let base64 = STANDARD.encode(&bytes);
        let capitals = hex.to_uppercase();
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        for same in [
            capitals.clone(),
            format!("sha256:{capitals}"),
            format!("SHA-256: {hex}"),
            pairs.join(":"),
            base64.clone(),
            format!("sha256-{base64}"),
            URL_SAFE.encode(&bytes),
            format!("sha256={}", URL_SAFE_NO_PAD.encode(&bytes)),
        ] {
            assert!(is_same_digest(&same, hex), "{same}");
        }
        assert!(!is_same_digest(&hex.replace('3', "4"), hex));
        assert_eq!(sha256(""), None);
        assert_eq!(sha256(&format!("md5:{hex}")), None);
    }

    #[test]
    fn a_digest_may_be_stored_and_not_be_readable() {
        let read = Stored::Sha256(vec![V1_2026_05.digest.to_owned()]);
        let both = Stored::Sha256(vec!["a".repeat(64), V1_2026_05.digest.to_owned()]);
        for (row, expected) in [
            (json!({"digest": {"algorithm": "sha-256", "value": V1_2026_05.digest}}), read.clone()),
            (json!({"etag": "a".repeat(64), "text_sha256": V1_2026_05.digest}), read),
            (json!({"fingerprint": "a".repeat(64), "sha256": V1_2026_05.digest}), both),
            (json!({"digest": "md5:39f5"}), Stored::Unread),
            (json!({"checksum": [57, 245]}), Stored::Unread),
            (json!({"digest": "", "version": 1}), Stored::Nothing),
            (json!({"digest": {"algorithm": "sha-256", "value": null}}), Stored::Nothing),
            (json!({"version": 1}), Stored::Nothing),
        ] {
            assert_eq!(stored_digests(&row), expected, "{row}");
        }
    }

    #[test]
    fn a_version_under_another_name_is_found_by_the_digest_of_its_text() {
        let (first, other) = (V1_2026_05.digest, "a".repeat(64));
        let listed = |version: Value| json!([{"version": version, "digest": first}]);
        let reported = |rows: &Value, digest: &str| {
            is_listed(rows.as_array().map(Vec::as_slice).unwrap_or_default(), &json!(1), Some(digest))
        };
        for same in [json!(1), json!(" v1"), json!("1.0"), json!("V1.0.0")] {
            assert_eq!(reported(&listed(same.clone()), &other), Some(true), "{same}");
        }
        assert_eq!(reported(&listed(json!("2026-05")), first), Some(true));
        assert_eq!(reported(&listed(json!("2026-05")), &other), None);
        assert_eq!(reported(&listed(json!(2)), first), Some(false));
    }

    #[test]
    fn a_version_of_nothing_acknowledges_nothing() {
        for none in [json!(null), json!(false), json!(0), json!(""), json!(" "), json!("0"), json!("none")] {
            assert!(is_unacknowledged(&none), "{none}");
        }
        for given in [json!(1), json!("v1"), json!(true), json!("2026-05"), json!({})] {
            assert!(!is_unacknowledged(&given), "{given}");
        }
    }

    #[test]
    fn versions_are_read_from_lists_of_each_form() {
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

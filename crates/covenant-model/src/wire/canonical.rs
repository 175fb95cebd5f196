//! Canonical JSON and the digest of a sync batch (proposed, `POST /sync`).

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Returns JSON without white space, with keys sorted by code point and non-ASCII characters as raw UTF-8.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    // The maps of serde_json are sorted here, because its feature `preserve_order` is off.
    value.to_string()
}

/// Returns the SHA-256 of some bytes, in lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes.as_ref()))
}

/// Returns whether a digest, in hex of any case, is that of the canonical JSON of a value. Any form of
/// escaping of non-ASCII characters is accepted (`binding.md`, reading 41).
#[must_use]
pub fn is_digest_of(value: &Value, digest: &str) -> bool {
    let canonical = canonical_json(value);
    let escaped = escaped(&canonical);
    let in_capitals = with_capital_escapes(&escaped);
    [canonical, escaped, in_capitals].iter().any(|text| sha256_hex(text).eq_ignore_ascii_case(digest))
}

/// Returns JSON with each non-ASCII character as a UTF-16 escape, such as `\u00e8`.
fn escaped(json: &str) -> String {
    json.chars().fold(String::new(), |mut text, character| {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(text, "\\u{unit:04x}").expect("a text takes any text");
            }
        }
        text
    })
}

/// Returns the same escapes with upper-case hex digits: `\u00E8` for `\u00e8`.
fn with_capital_escapes(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, after)) = rest.split_once("\\u") {
        let (digits, tail) = after.split_at_checked(4).unwrap_or((after, ""));
        text.extend([before, "\\u", &digits.to_ascii_uppercase()]);
        rest = tail;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = serde_json::json!({"b": {"z": 1, "a": "é"}, "a": [{"y": 1, "x": null}]});
        assert_eq!(canonical_json(&value), r#"{"a":[{"x":null,"y":1}],"b":{"a":"é","z":1}}"#);
    }

    #[test]
    fn a_digest_is_taken_over_any_form_of_escapes() {
        let value = serde_json::json!({"name": "è 𝄞"});
        for text in
            [r#"{"name":"è 𝄞"}"#, r#"{"name":"\u00e8 \ud834\udd1e"}"#, r#"{"name":"\u00E8 \uD834\uDD1E"}"#]
        {
            assert!(is_digest_of(&value, &sha256_hex(text)), "{text}");
            assert!(is_digest_of(&value, &sha256_hex(text).to_uppercase()), "{text}");
        }
        assert!(!is_digest_of(&value, &sha256_hex(r#"{"name": "è 𝄞"}"#)));
    }

    #[test]
    fn the_digest_is_that_of_fips_180() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

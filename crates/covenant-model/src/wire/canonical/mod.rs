//! Canonical JSON and the digest of a sync batch (proposed, `POST /sync`).

mod form;
mod number;

use serde_json::Value;
use sha2::{Digest, Sha256};

use form::forms_of;

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

/// Comparison of a digest with a value (`binding.md`, reading 41).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestMatch {
    /// The digest is that of a common canonical form of the value.
    Right,
    /// The digest is that of another value.
    Wrong,
    /// The value has a number of which only the nearest 64-bit float is known, so that its digits are lost, or it is too
    /// long to write it in every form.
    Unknown,
}

/// Size of all forms of a value that are tried, in bytes. A peer compares while the target waits for its answer.
const WRITTEN_MAX: usize = 32 * 1024 * 1024;

/// Compares a digest, in hex of any case, with every common canonical form of a value.
#[must_use]
pub fn compare_digest(value: &Value, digest: &str) -> DigestMatch {
    let is_right = |text: String| sha256_hex(text).eq_ignore_ascii_case(digest);
    let canonical = canonical_json(value);
    let tried_max = WRITTEN_MAX / canonical.len().max(1);
    let mut forms = forms_of(value);
    if is_right(canonical) || forms.by_ref().take(tried_max).any(|form| is_right(form.write(value))) {
        DigestMatch::Right
    } else if has_float(value) || forms.next().is_some() {
        DigestMatch::Unknown
    } else {
        DigestMatch::Wrong
    }
}

/// Returns whether a value has a number that is no integer of 64 bits.
fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(members) => members.values().any(has_float),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compare(value: &Value, text: &str) -> DigestMatch {
        let digest = sha256_hex(text);
        let upper = compare_digest(value, &digest.to_uppercase());
        assert_eq!(compare_digest(value, &digest), upper, "{text}");
        upper
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = json!({"b": {"z": 1, "a": "é"}, "a": [{"y": 1, "x": null}]});
        assert_eq!(canonical_json(&value), r#"{"a":[{"x":null,"y":1}],"b":{"a":"é","z":1}}"#);
    }

    #[test]
    fn a_digest_is_taken_over_any_form_of_escapes() {
        let value = json!({"name": "è 𝄞 a/b <i>&\u{2028}\u{8}\n"});
        for text in [
            "{\"name\":\"è 𝄞 a/b <i>&\u{2028}\\b\\n\"}",
            "{\"name\":\"è 𝄞 a\\/b <i>&\u{2028}\\b\\n\"}",
            "{\"name\":\"è 𝄞 a/b <i>&\\u2028\\b\\n\"}",
            // Go.
            r#"{"name":"è 𝄞 a/b \u003ci\u003e\u0026\u2028\u0008\n"}"#,
            // Python.
            r#"{"name":"\u00e8 \ud834\udd1e a/b <i>&\u2028\b\n"}"#,
            // PHP.
            r#"{"name":"\u00e8 \ud834\udd1e a\/b <i>&\u2028\b\n"}"#,
            r#"{"name":"\u00E8 \uD834\uDD1E a/b <i>&\u2028\b\n"}"#,
            // .NET.
            r#"{"name":"\u00E8 \uD834\uDD1E a/b \u003Ci\u003E\u0026\u2028\b\n"}"#,
            // .NET's relaxed encoder, and Jackson where it writes halves.
            "{\"name\":\"è \\uD834\\uDD1E a/b <i>&\u{2028}\\b\\n\"}",
            r#"{"name":"è \uD834\uDD1E a/b <i>&\u2028\b\n"}"#,
            r#"{"name":"è \ud834\udd1e a/b <i>&\u2028\b\n"}"#,
        ] {
            assert_eq!(compare(&value, text), DigestMatch::Right, "{text}");
        }
        let other = json!({"name": "è 𝄞"});
        assert_eq!(compare(&other, r#"{"name": "è 𝄞"}"#), DigestMatch::Wrong);
        assert_eq!(compare(&other, r#"{"name":"e 𝄞"}"#), DigestMatch::Wrong);
    }

    #[test]
    fn keys_are_sorted_by_code_point_or_by_utf_16() {
        let value = json!({"\u{ff5e}": 1, "𝄞": 2});
        assert_eq!(compare(&value, "{\"\u{ff5e}\":1,\"𝄞\":2}"), DigestMatch::Right);
        assert_eq!(compare(&value, "{\"𝄞\":2,\"\u{ff5e}\":1}"), DigestMatch::Right);
        assert_eq!(compare(&json!({"a": 1, "b": 2}), r#"{"b":2,"a":1}"#), DigestMatch::Wrong);
    }

    #[test]
    fn a_number_is_written_in_any_notation_of_the_same_value() {
        let small: Value = serde_json::from_str("[1e-7,100000000000000000000,2.0,0.5]").expect("JSON");
        for text in [
            "[1e-7,1e20,2.0,0.5]",
            "[1e-7,1e+20,2.0,0.5]",
            // JavaScript and Go.
            "[1e-7,100000000000000000000,2,0.5]",
            // Python.
            "[1e-07,1e+20,2.0,0.5]",
            // Ruby.
            "[1.0e-07,1.0e+20,2.0,0.5]",
            // Java.
            "[1.0E-7,1.0E20,2.0,0.5]",
            // .NET.
            "[1E-07,1E+20,2,0.5]",
            // No exponents.
            "[0.0000001,100000000000000000000,2,0.5]",
            "[0.0000001,100000000000000000000.0,2.0,0.5]",
        ] {
            assert_eq!(compare(&small, text), DigestMatch::Right, "{text}");
        }
        // 64-bit floats do not hold these digits, so nothing says that the sender wrote others.
        let large: Value = serde_json::from_str("[123456789012345678901234567890]").expect("JSON");
        assert_eq!(compare(&large, "[123456789012345678901234567890]"), DigestMatch::Unknown);
        assert_eq!(
            compare(&json!([18_446_744_073_709_551_615_u64]), "[18446744073709551614]"),
            DigestMatch::Wrong
        );
    }

    #[test]
    fn the_digest_is_that_of_fips_180() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

//! Canonical JSON and the digest of a sync batch (proposed, `POST /sync`).

use aws_lc_rs::digest;
use serde_json::Value;

/// JSON with its keys sorted by code point and no white space, non-ASCII as raw UTF-8.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    // serde_json's maps are sorted here: the feature that keeps the order of insertion is off.
    value.to_string()
}

/// SHA-256 of some bytes, in lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes.as_ref()))
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
    fn the_digest_is_that_of_fips_180() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

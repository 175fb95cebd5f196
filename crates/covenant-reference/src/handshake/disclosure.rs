//! Validation of a disclosure (commitment 1).

use serde_json::{Map, Value};

/// Maximum length of a name, in characters.
const TEXT_LENGTH_MAX: usize = 64 * 1024;

/// Returns the members of the disclosure that are missing or malformed.
pub(crate) fn find_gaps(metadata: &Map<String, Value>) -> Vec<&'static str> {
    let is_valid = |name: &str| match (name, metadata.get(name)) {
        (_, None) => false,
        ("operator_contact", Some(value)) => is_contact(value),
        ("platform_version", Some(value)) => text(value).is_some_and(is_version),
        (_, Some(value)) => text(value).is_some(),
    };
    ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"]
        .into_iter()
        .filter(|name| !is_valid(name))
        .collect()
}

/// Returns whether the text is a semantic version as published: three numbers, no leading `v`.
pub(crate) fn is_version(text: &str) -> bool {
    semver::Version::parse(text).is_ok()
}

/// Returns whether the value is an email address, or a PGP-attested identifier in any form in use. The
/// operator verifies the signature itself.
fn is_contact(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let has = |names: &[&str]| {
                names.iter().any(|name| members.get(*name).is_some_and(|v| text(v).is_some()))
            };
            has(&["identifier", "id", "key_id", "fingerprint"]) && has(&["signature", "pgp_signature"])
        }
        other => text(other).is_some_and(|contact| is_email(contact) || is_attested(contact)),
    }
}

fn is_email(contact: &str) -> bool {
    let Some((local, domain)) = contact.rsplit_once('@') else {
        return false;
    };
    let plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    let labels = domain
        .split('.')
        .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
    plain(local) && !local.contains('@') && labels && domain.contains('.')
}

fn is_attested(contact: &str) -> bool {
    let fingerprint = |rest: &str| {
        let digits: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
        digits.len() >= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    };
    contact.contains("-----BEGIN PGP SIGNATURE-----")
        || contact.contains("-----BEGIN PGP SIGNED MESSAGE-----")
        || ["openpgp4fpr:", "pgp:"]
            .iter()
            .any(|scheme| contact.to_ascii_lowercase().strip_prefix(scheme).is_some_and(fingerprint))
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty() && text.len() <= TEXT_LENGTH_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complete() -> Map<String, Value> {
        let value = json!({
            "operator_contact": "operator@peer.example", "jurisdiction": "DE",
            "platform_version": "1.4.0", "last_known_good_release": "v1.3.9",
        });
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn every_missing_or_blank_member_is_a_gap() {
        assert_eq!(find_gaps(&complete()), Vec::<&str>::new());
        for name in ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"] {
            let mut missing = complete();
            missing.remove(name);
            assert_eq!(find_gaps(&missing), vec![name]);
            let mut blank = complete();
            blank.insert(name.to_owned(), json!("  "));
            assert_eq!(find_gaps(&blank), vec![name]);
        }
    }

    #[test]
    fn contacts_are_addresses_or_attested() {
        let signed = "ops\n-----BEGIN PGP SIGNATURE-----\nabc";
        for good in [
            json!("a@b.example"),
            json!("openpgp4fpr:0123456789ABCDEF0123456789ABCDEF01234567"),
            json!(signed),
            json!({"identifier": "ops", "signature": "abc"}),
        ] {
            assert!(is_contact(&good), "{good}");
        }
        for bad in
            [json!("nobody"), json!("@b.example"), json!("a@"), json!("a b@c.example"), json!(7), json!({})]
        {
            assert!(!is_contact(&bad), "{bad}");
        }
    }

    #[test]
    fn versions_are_semantic() {
        assert!(is_version("1.4.0-rc.1+build"));
        for bad in ["v1.4.0", "1", "1.4", "01.4.0", "latest", ""] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}

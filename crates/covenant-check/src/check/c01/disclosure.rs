//! The members of a disclosure, and what is well-formed in each.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::text::{has_email_address, is_blank, is_semantic_version};

/// A member of the disclosure in `metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::check) enum Member {
    /// 1.1: an email address, or an identifier with a signature.
    OperatorContact,
    /// 1.2: a location or a jurisdiction.
    Jurisdiction,
    /// 1.3: a semantic version.
    PlatformVersion,
    /// 1.4: a release.
    LastKnownGoodRelease,
}

impl Member {
    /// Returns the name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OperatorContact => "operator_contact",
            Self::Jurisdiction => "jurisdiction",
            Self::PlatformVersion => "platform_version",
            Self::LastKnownGoodRelease => "last_known_good_release",
        }
    }

    /// Returns the value of the member in `metadata`, or in the body itself, where the observed wire has it.
    pub(super) fn of(self, body: &Value) -> Option<Value> {
        let places =
            [body.get("metadata").and_then(|metadata| metadata.get(self.name())), body.get(self.name())];
        places.into_iter().flatten().find(|value| !value.is_null()).cloned()
    }

    /// Returns whether a value is well-formed, or `None` if it may be in a form that the binding does not know. A text may be inside
    /// a list or an object if the binding defines no form.
    pub(super) fn is_well_formed(self, value: &Value) -> Option<bool> {
        match self {
            Self::OperatorContact => is_contact(value),
            Self::PlatformVersion => Some(value.as_str().is_some_and(is_semantic_version)),
            Self::Jurisdiction | Self::LastKnownGoodRelease => Some(has_text(value)),
        }
    }
}

impl Display for Member {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns whether a value contains a text that is not blank.
fn has_text(value: &Value) -> bool {
    match value {
        Value::String(text) => !is_blank(text),
        Value::Array(items) => items.iter().any(has_text),
        Value::Object(members) => members.values().any(has_text),
        _ => false,
    }
}

/// Returns whether a value is an email address, or an identifier with a signature, in a form of reading 4. `None` means that it may
/// be one in another form.
fn is_contact(value: &Value) -> Option<bool> {
    match value {
        Value::String(text) => is_contact_text(text.trim()),
        Value::Array(items) => {
            let items: Vec<Option<bool>> = items.iter().map(is_contact).collect();
            if items.contains(&Some(true)) { Some(true) } else { (!items.contains(&None)).then_some(false) }
        }
        Value::Object(members) => {
            let is_signature = |name: &str| name.to_lowercase().contains("sig");
            let mut given =
                members.iter().filter(|(_, member)| has_text(member)).map(|(name, _)| name).peekable();
            if given.peek().is_none() {
                return Some(false);
            }
            let (signatures, others): (Vec<_>, Vec<_>) = given.partition(|name| is_signature(name));
            // An email address, a key or a name by themselves may be signed in a way that is not known here.
            (!signatures.is_empty() && !others.is_empty()).then_some(true)
        }
        _ => Some(false),
    }
}

/// Returns whether a text is a contact.
fn is_contact_text(text: &str) -> Option<bool> {
    const BLOCKS: [&str; 2] = ["-----begin pgp signature-----", "-----begin pgp signed message-----"];
    let lower = text.to_lowercase();
    let has_scheme = SCHEMES.iter().any(|scheme| {
        lower.match_indices(scheme).any(|(at, _)| begins_with_fingerprint(&lower[at + scheme.len()..]))
    });
    let is_named = has_email_address(text)
        || BLOCKS.iter().any(|block| lower.contains(block))
        || has_scheme
        || is_fingerprint(&lower);
    let may_be_named = ["pgp", "gpg", "fpr"].iter().any(|word| lower.contains(word));
    if is_named { Some(true) } else { (!may_be_named).then_some(false) }
}

/// The schemes that name a key by its fingerprint.
const SCHEMES: [&str; 2] = ["openpgp4fpr:", "pgp:"];

/// Returns whether a text begins with the fingerprint of a key, or with its long id: as many digits, in groups or not.
fn begins_with_fingerprint(text: &str) -> bool {
    const LEAST: usize = 16;
    let text = text.trim_start().trim_start_matches("0x");
    let digits = text.chars().filter(|c| !" :".contains(*c)).take_while(char::is_ascii_hexdigit);
    digits.count() >= LEAST
}

/// Returns whether a text is the fingerprint of a key, or its long id: in groups or not, with `0x` or not.
fn is_fingerprint(lower: &str) -> bool {
    const DIGITS: [usize; 3] = [16, 40, 64];
    let digits: String = lower.trim_start_matches("0x").chars().filter(|c| !" :".contains(*c)).collect();
    DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::Member::{self, Jurisdiction, LastKnownGoodRelease, OperatorContact, PlatformVersion};
    use serde_json::json;

    #[test]
    fn blank_text_and_text_of_another_form_are_not_well_formed() {
        for (member, value, good) in [
            (OperatorContact, json!("ops@example.org"), true),
            (OperatorContact, json!("openpgp4fpr:0123456789abcdef0123"), true),
            (OperatorContact, json!({"identifier": "x", "signature": "y"}), true),
            (OperatorContact, json!("The operators <ops@example.org>"), true),
            (OperatorContact, json!("0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567"), true),
            (OperatorContact, json!(["ops@example.org"]), true),
            (OperatorContact, json!({"email": " "}), false),
            (OperatorContact, json!("call us"), false),
            (OperatorContact, json!("call us @ noon"), false),
            (OperatorContact, json!("ops@@example.org"), false),
            (OperatorContact, json!("ops team@example.org"), false),
            (OperatorContact, json!("ops..team@example.org"), false),
            (OperatorContact, json!("\"ops..team @ night\"@example.org"), true),
            (OperatorContact, json!({}), false),
            (Jurisdiction, json!("DE"), true),
            (Jurisdiction, json!({"country": "DE", "region": null}), true),
            (Jurisdiction, json!("  "), false),
            (Jurisdiction, json!({"country": ""}), false),
            (PlatformVersion, json!("1.4.0"), true),
            (PlatformVersion, json!("99999999999999999999999.0.0"), true),
            (PlatformVersion, json!("1.4.0 "), false),
            (PlatformVersion, json!("latest"), false),
            (LastKnownGoodRelease, json!("v1.3"), true),
            (LastKnownGoodRelease, json!(""), false),
            (LastKnownGoodRelease, json!("\u{200b}"), false),
            (Jurisdiction, json!("\u{2060}\u{feff}"), false),
        ] {
            assert_eq!(member.is_well_formed(&value), Some(good), "{member}: {value}");
        }
    }

    #[test]
    fn a_contact_that_only_speaks_of_a_key_is_in_no_known_form() {
        for contact in [
            json!("pgp: 0123456789ABCDEF0123456789ABCDEF01234567"),
            json!("Our key: pgp:0123 4567 89AB CDEF 0123"),
            json!("openpgp4fpr:0123456789ABCDEF0123456789ABCDEF01234567"),
            json!("ops\n-----BEGIN PGP SIGNATURE-----\nabc"),
            json!("-----BEGIN PGP SIGNED MESSAGE-----\nops"),
            json!({"id": "x", "pgp_signature": "y"}),
            json!(["call us", {"fingerprint": "x", "sig": "y"}]),
        ] {
            assert_eq!(OperatorContact.is_well_formed(&contact), Some(true), "{contact}");
        }
        for contact in [
            json!("we do not use PGP"),
            json!("pgp:"),
            json!("openpgp4fpr:unknown"),
            json!("ask for our fpr"),
            json!({"phone": "call us"}),
            json!({"email": "ops@example.org"}),
            json!({"signature": "y"}),
            json!(["call us", "see our PGP page"]),
        ] {
            assert_eq!(OperatorContact.is_well_formed(&contact), None, "{contact}");
        }
        for contact in [json!("call us"), json!(["call us"]), json!([]), json!(7), json!({"signature": " "})]
        {
            assert_eq!(OperatorContact.is_well_formed(&contact), Some(false), "{contact}");
        }
    }

    #[test]
    fn a_member_is_read_in_both_places() {
        assert_eq!(Jurisdiction.of(&json!({"metadata": {"jurisdiction": "DE"}})), Some(json!("DE")));
        assert_eq!(PlatformVersion.of(&json!({"platform_version": "1.0.0"})), Some(json!("1.0.0")));
        assert_eq!(Jurisdiction.of(&json!({"metadata": {}})), None);
    }

    #[test]
    fn a_member_has_one_name_in_scenarios_and_on_the_wire() {
        for member in [OperatorContact, Jurisdiction, PlatformVersion, LastKnownGoodRelease] {
            let read: Member = serde_json::from_value(json!(member.name())).expect("a member");
            assert_eq!(read, member);
        }
    }
}

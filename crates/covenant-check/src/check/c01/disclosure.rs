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

    /// Returns whether a value is well-formed. A text may be inside a list or an object if the binding defines
    /// no form.
    pub(super) fn is_well_formed(self, value: &Value) -> bool {
        match self {
            Self::OperatorContact if value.is_object() => has_text(value, &|_| true),
            Self::OperatorContact => has_text(value, &is_contact),
            Self::PlatformVersion => value.as_str().is_some_and(is_semantic_version),
            Self::Jurisdiction | Self::LastKnownGoodRelease => has_text(value, &|_| true),
        }
    }
}

impl Display for Member {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns whether a value contains a text that is not blank and satisfies the condition.
fn has_text(value: &Value, is_right: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => !is_blank(text) && is_right(text.trim()),
        Value::Array(items) => items.iter().any(|item| has_text(item, is_right)),
        Value::Object(members) => members.values().any(|member| has_text(member, is_right)),
        _ => false,
    }
}

/// Returns whether a text is an email address, or names a key.
fn is_contact(text: &str) -> bool {
    let lower = text.to_lowercase();
    has_email_address(text)
        || ["pgp", "fpr"].iter().any(|word| lower.contains(word))
        || is_fingerprint(&lower)
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
            assert_eq!(member.is_well_formed(&value), good, "{member}: {value}");
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

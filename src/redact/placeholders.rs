//! The placeholders of a redacted copy. Equal values get equal placeholders, of a form that keeps what a check asks of the
//! value: an address stays an address, and an email address one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aho_corasick::{AhoCorasick, BuildError};
use serde::Serialize;
use uuid::Uuid;

/// The shortest value that is replaced wherever it stands, in bytes.
pub(super) const LENGTH_MIN: usize = 4;
/// The shortest number that is replaced: a shorter one may be part of a time.
const NUMBER_LENGTH_MIN: usize = 7;
/// The placeholders that are tried for one value before another form of it is taken.
const TRIES_MAX: u32 = 1000;
/// Texts that placeholders are made of. A value that is part of one stays: it would be found in each copy.
const FRAME: &str = "host-\n.redacted.invalid\nemail-\n@redacted.invalid\ncontact-\nfpr:redacted-contact-\nredacted-peer-\n\
                     redacted-party-\nredacted-subject-\nredacted-argument-\nredacted-user-\n00000000-0000-7000-8000-0000";
/// The domain of placeholders, which no one can have (RFC 2606).
const DOMAIN: &str = "redacted.invalid";
/// The first addresses of the placeholders: a block for documentation (RFC 5737, then RFC 2544), and one of IPv6.
const DOCUMENTATION: u32 = u32::from_be_bytes([203, 0, 113, 0]);
const DOCUMENTATION_MAX: u32 = 255;
const BENCHMARK: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const DOCUMENTATION_6: u128 = 0x2001_0db8 << 96;

/// Kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A host name.
    Host,
    /// An IP address.
    Address,
    /// An email address.
    Email,
    /// Another contact: a phone number, a name, a postal address.
    Contact,
    /// The id of a peer that the run did not make.
    Peer,
    /// Another text about such a peer: its name.
    Party,
    /// The subject of a certificate.
    Subject,
    /// A word of the command line that named the target, or the path of a file.
    Argument,
    /// The name of a user of this machine.
    User,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Address => "address",
            Self::Email => "email",
            Self::Contact => "contact",
            Self::Peer => "peer",
            Self::Party => "party",
            Self::Subject => "subject",
            Self::Argument => "argument",
            Self::User => "user",
        }
    }
}

/// The values that are replaced, each with its placeholder.
#[derive(Clone, Debug, Default)]
pub struct Placeholders {
    by_value: BTreeMap<String, (Class, String)>,
    counts: BTreeMap<Class, u32>,
    /// The number in the last placeholder of each class.
    numbers: BTreeMap<Class, u32>,
    /// The values that stay, since the suite itself has them.
    kept: BTreeSet<String>,
    /// The values that stay, since they are too short: any text may have them.
    too_short: BTreeSet<String>,
}

impl Placeholders {
    /// Gives each value a placeholder, in the order of the values, so that the same run gives the same copy. A value that
    /// the suite itself has, and a short one, gets none. No placeholder has a value in it.
    pub(super) fn of(
        found: BTreeSet<(Class, String)>,
        is_of_suite: impl Fn(&str) -> bool,
    ) -> Result<Self, BuildError> {
        let mut all = Self::default();
        let mut values = Vec::new();
        for (class, value) in found {
            if is_too_short(&value) {
                all.too_short.insert(value);
            } else if is_of_suite(&value) || FRAME.contains(&value.to_lowercase()) {
                all.kept.insert(value);
            } else {
                values.push((class, value));
            }
        }
        let keys = values.iter().map(|(_, value)| value.to_lowercase());
        let taken = AhoCorasick::builder().ascii_case_insensitive(true).build(keys)?;
        for (class, value) in values {
            let key = value.to_lowercase();
            if all.by_value.contains_key(&key) {
                continue;
            }
            let count = all.counts.entry(class).or_default();
            *count += 1;
            let number = all.numbers.entry(class).or_default();
            let placeholder = free_placeholder(class, &value, number, &taken);
            all.by_value.insert(key, (class, placeholder));
        }
        Ok(all)
    }

    /// Returns each value, in lower case, with its placeholder.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_value.iter().map(|(value, (_, placeholder))| (value.as_str(), placeholder.as_str()))
    }

    /// Returns the values that stay, since the suite itself has them: the name of a simulated peer.
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(String::as_str)
    }

    /// Returns the values that stay, since they are too short: any text may have them.
    pub fn too_short(&self) -> impl Iterator<Item = &str> {
        self.too_short.iter().map(String::as_str)
    }

    /// Returns the number of replaced values, by class.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u32> {
        self.counts.iter().map(|(class, count)| (class.name(), *count)).collect()
    }
}

fn is_too_short(value: &str) -> bool {
    let is_number = !value.contains(char::is_alphabetic);
    value.len() < if is_number { NUMBER_LENGTH_MIN } else { LENGTH_MIN }
}

/// Returns the next placeholder of a class that has no value in it.
fn free_placeholder(class: Class, value: &str, number: &mut u32, taken: &AhoCorasick) -> String {
    for _ in 0..TRIES_MAX {
        *number += 1;
        let placeholder = placeholder(class, value, *number);
        if !taken.is_match(&placeholder) {
            return placeholder;
        }
    }
    // Only digits are taken to such an end: a number that another one is part of.
    *number += 1;
    format!("redacted-{}-x{number}", class.name())
}

fn placeholder(class: Class, value: &str, count: u32) -> String {
    let name = class.name();
    match class {
        Class::Host => format!("{name}-{count}.{DOMAIN}"),
        Class::Address => address(value, count),
        Class::Email => format!("{name}-{count}@{DOMAIN}"),
        Class::Contact => contact(value, count),
        Class::Peer if Uuid::try_parse(value).is_ok() => {
            Uuid::from_u128((0x7000_u128 << 64) | (0x8000_u128 << 48) | u128::from(count)).to_string()
        }
        Class::Peer | Class::Party | Class::Subject | Class::Argument | Class::User => {
            format!("redacted-{name}-{count}")
        }
    }
}

/// Returns an address for documentation. The transcript has addresses in places where nothing else can stand.
fn address(value: &str, count: u32) -> String {
    match value.parse() {
        Ok(IpAddr::V6(_)) => Ipv6Addr::from_bits(DOCUMENTATION_6 | u128::from(count)).to_string(),
        _ if count <= DOCUMENTATION_MAX => Ipv4Addr::from_bits(DOCUMENTATION + count).to_string(),
        _ => Ipv4Addr::from_bits(BENCHMARK + count).to_string(),
    }
}

/// Returns a contact of the form that commitment 1 asks for, if the value has one.
fn contact(value: &str, count: u32) -> String {
    let lower = value.to_ascii_lowercase();
    if value.contains('@') {
        format!("contact-{count}@{DOMAIN}")
    } else if ["pgp", "fpr"].iter().any(|word| lower.contains(word)) {
        format!("fpr:redacted-contact-{count}")
    } else if value.len() >= 16
        && lower.bytes().all(|byte| byte.is_ascii_hexdigit() || b" :x".contains(&byte))
    {
        let digits = value.bytes().filter(u8::is_ascii_hexdigit).count();
        format!("{count:0digits$}")
    } else {
        format!("redacted-contact-{count}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_has_the_form_of_its_value() {
        let found = [
            (Class::Host, "Fed.Acme.Test-net"),
            (Class::Address, "10.1.2.3"),
            (Class::Address, "fd00::17"),
            (Class::Email, "ops@acme.net"),
            (Class::Contact, "openpgp4fpr:0123456789abcdef"),
            (Class::Contact, "0123456789abcdef"),
            (Class::Peer, "01a2075f-ab38-734e-bd8b-a790d60fdad4"),
            (Class::Peer, "peer-of-acme"),
            (Class::Party, "abc"),
            (Class::Contact, "110"),
            (Class::Contact, "東京"),
            (Class::Party, "auditor"),
        ];
        let found = found.into_iter().map(|(class, value)| (class, value.to_owned())).collect();
        let placeholders = Placeholders::of(found, |value| value == "auditor").expect("a few values");
        let all: BTreeMap<&str, &str> = placeholders.all().collect();
        assert_eq!(all["fed.acme.test-net"], "host-1.redacted.invalid");
        assert!(all["10.1.2.3"].starts_with("203.0.113."));
        assert!(all["fd00::17"].starts_with("2001:db8::"));
        assert_eq!(all["ops@acme.net"], "email-1@redacted.invalid");
        assert!(all["openpgp4fpr:0123456789abcdef"].starts_with("fpr:"));
        assert_eq!(all["0123456789abcdef"].len(), 16);
        assert!(Uuid::try_parse(all["01a2075f-ab38-734e-bd8b-a790d60fdad4"]).is_ok());
        assert_eq!(all["peer-of-acme"], "redacted-peer-2");
        assert!(all.contains_key("東京") && !all.contains_key("abc") && !all.contains_key("auditor"));
        assert!(placeholders.too_short().eq(["110", "abc"]) && placeholders.kept().eq(["auditor"]));
    }

    #[test]
    fn no_placeholder_has_a_value() {
        let found = [
            (Class::Address, "203.0.113.1"),
            (Class::Address, "10.1.2.3"),
            (Class::Address, "2001:db8::2"),
            (Class::Address, "fd00::17"),
            (Class::Party, "redacted-party-1"),
            (Class::Party, "redacted"),
            (Class::User, "host"),
            (Class::Subject, "invalid"),
            (Class::Contact, "0000000"),
            (Class::Contact, "0123456789abcdef"),
        ];
        let found = found.into_iter().map(|(class, value)| (class, value.to_owned())).collect();
        let placeholders = Placeholders::of(found, |_| false).expect("a few values");
        assert!(placeholders.kept().eq(["0000000", "host", "invalid", "redacted"]));
        let values: Vec<&str> = placeholders.all().map(|(value, _)| value).collect();
        for (value, placeholder) in placeholders.all() {
            assert!(!values.iter().any(|one| placeholder.contains(one)), "{value}: {placeholder}");
        }
        let distinct: BTreeSet<&str> = placeholders.all().map(|(_, placeholder)| placeholder).collect();
        assert_eq!(distinct.len(), values.len());
    }
}

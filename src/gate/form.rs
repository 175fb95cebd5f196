//! The form of a text: what a reader of the wire expects of it.

/// The form of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// No visible character.
    Blank,
    /// A placeholder, by its class: `id`, `time`, `pem`, `bearer_token`.
    Placeholder(String),
    /// A semantic version; one with a `v` before it is another form.
    Version {
        /// True if a `v` precedes it.
        with_v: bool,
    },
    /// A date without a time.
    Date,
    /// Digits alone.
    Digits,
    /// Hexadecimal digits, of any length: an id or a serial number.
    Hex,
    /// A digest, by the number of its hexadecimal digits.
    Digest(usize),
    /// Hexadecimal digits in pairs with colons between them.
    HexPairs,
    /// Base64 of many characters, such as a signature.
    Base64,
    /// A text with placeholders in it and no blank, such as `urn:uuid:<id>`.
    Pattern(String),
    /// A mail address.
    Address,
    /// A word of a fixed set: letters, digits, `_`, `-`, `.` and `:`, without a version in it.
    Word,
    /// Any other text.
    Text,
}

impl Form {
    /// Returns the form of a normalised text.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Blank;
        }
        if let Some(class) = placeholder(text) {
            return Self::of_class(class);
        }
        if let Some(pattern) = pattern(text) {
            return Self::Pattern(pattern);
        }
        if semver::Version::parse(text).is_ok() {
            return Self::Version { with_v: false };
        }
        if text.strip_prefix('v').is_some_and(|version| semver::Version::parse(version).is_ok()) {
            return Self::Version { with_v: true };
        }
        if text.parse::<jiff::civil::Date>().is_ok() && text.len() == "2026-06-01".len() {
            return Self::Date;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::Digits;
        }
        if is_hex(text) {
            return Self::Hex;
        }
        if is_hex_pairs(text) {
            return Self::HexPairs;
        }
        if is_address(text) {
            return Self::Address;
        }
        if is_base64(text) {
            return Self::Base64;
        }
        if is_word(text) { Self::Word } else { Self::Text }
    }

    /// Returns the form of what a placeholder stands for.
    fn of_class(class: &str) -> Self {
        match class.strip_prefix("hex") {
            Some("") => Self::Hex,
            Some(length) => length.trim_start_matches('_').parse().map_or(Self::Hex, Self::Digest),
            None if class == "digits" => Self::Digits,
            None => Self::Placeholder(class.to_owned()),
        }
    }

    /// Returns whether a text of this form and one of another are of two formats. Hexadecimal digits may be digits alone, or
    /// letters alone, by chance.
    pub(super) fn differs(&self, other: &Self, old: &str, new: &str) -> bool {
        let is_near = old.len().abs_diff(new.len()) <= STRIPPED_MAX;
        match (self, other) {
            (Self::Hex, Self::Digits | Self::Word) => {
                !(is_near && new.len() < CHANCE_MIN && is_of_hex_digits(new))
            }
            // Both plays of a recording have such a text by chance, if it is short.
            (Self::Digits, Self::Hex) => !(is_near && (HEX_MIN..SHORT_MAX).contains(&old.len())),
            (Self::Word, Self::Hex) => !(is_near && old.len() >= HEX_MIN && is_of_hex_digits(old)),
            // What has no form of its own may be anything.
            (Self::Base64, Self::Text | Self::Word) => false,
            (one, other) => one != other,
        }
    }

    /// Returns the form in words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Blank => "a blank".to_owned(),
            Self::Placeholder(class) if class == "id" => "a UUID".to_owned(),
            Self::Placeholder(class) if class == "time" => "a moment as in RFC 3339".to_owned(),
            Self::Placeholder(class) if class == "time_other" => "a moment unlike RFC 3339".to_owned(),
            Self::Hex => "hexadecimal digits".to_owned(),
            Self::Digest(length) => format!("a digest of {length} hexadecimal digits"),
            Self::HexPairs => "hexadecimal digits in pairs".to_owned(),
            Self::Base64 => "Base64".to_owned(),
            Self::Pattern(pattern) => format!("of the form {pattern}"),
            Self::Placeholder(class) => format!("of the form {class}"),
            Self::Version { with_v: false } => "a semantic version".to_owned(),
            Self::Version { with_v: true } => "a semantic version after a v".to_owned(),
            Self::Date => "a date".to_owned(),
            Self::Digits => "digits".to_owned(),
            Self::Address => "a mail address".to_owned(),
            Self::Word => "a word".to_owned(),
            Self::Text => "a text".to_owned(),
        }
    }
}

/// The digits by which leading zeros shorten a number.
const STRIPPED_MAX: usize = 2;
/// The fewest hexadecimal digits that are taken for an id.
const HEX_MIN: usize = 8;
/// The number of hexadecimal digits below which each of two may have no letter by chance.
const SHORT_MAX: usize = 16;
/// The number of hexadecimal digits from which none is a letter by chance less than once in a million times.
const CHANCE_MIN: usize = 30;
/// The fewest characters that are taken for Base64.
const BASE64_MIN: usize = 32;

/// Returns the class of a placeholder: `id` of `<id:3>`. An id that was masked is an id.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    let (class, number) = text.strip_prefix('<')?.strip_suffix('>')?.split_once(':')?;
    let is_of_class = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_class = !class.is_empty() && class.bytes().all(is_of_class);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_class && is_number).then_some(if class == "grant_id" { "id" } else { class })
}

/// Returns a text with placeholders in it by their classes, and any number for a number; `None` if it has none, or is of
/// several words.
fn pattern(text: &str) -> Option<String> {
    const LENGTH_MAX: usize = 200;
    if text.len() > LENGTH_MAX || text.contains(char::is_whitespace) {
        return None;
    }
    let mut written = String::new();
    let mut has_placeholder = false;
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').map(|end| start + end + 1)?;
        written.push_str(&rest[..start]);
        match placeholder(&rest[start..end]) {
            Some(class) => {
                has_placeholder = true;
                written.extend(["<", class, ">"]);
            }
            None => written.push_str(&rest[start..end]),
        }
        rest = &rest[end..];
    }
    written.push_str(rest);
    has_placeholder.then(|| without_digits(&written))
}

fn without_digits(text: &str) -> String {
    let mut written = String::new();
    for one in text.chars() {
        let one = if one.is_ascii_digit() { '#' } else { one };
        if !(one == '#' && written.ends_with('#')) {
            written.push(one);
        }
    }
    written
}

/// Returns a name or a part of a path without the number of a placeholder: `<id>` of `<id:3>`.
pub(super) fn without_number(part: &str) -> String {
    placeholder(part).map_or_else(|| part.to_owned(), |class| format!("<{class}>"))
}

fn is_of_hex_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns whether a text is hexadecimal: with a digit and a letter, since a word may have such letters alone.
fn is_hex(text: &str) -> bool {
    text.len() >= HEX_MIN
        && is_of_hex_digits(text)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_hex_pairs(text: &str) -> bool {
    const PAIRS_MIN: usize = 4;
    text.split(':').count() >= PAIRS_MIN
        && text.split(':').all(|pair| pair.len() == 2 && is_of_hex_digits(pair))
}

fn is_base64(text: &str) -> bool {
    let is_of = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-.".contains(&byte);
    text.len() >= BASE64_MIN
        && text.bytes().all(is_of)
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !has_version(text)
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
    })
}

fn is_word(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(is_inner)
        && !has_version(text)
}

/// Returns whether a text holds numbers that change with each release, or the digest of a build: `platform-1.4.2`.
fn has_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '_', ':']).collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_digest = |part: &str| {
        part.len() >= 7
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    };
    parts.iter().any(|part| {
        let numbers = part.trim_start_matches('v').split('.').filter(|number| is_number(number)).count();
        numbers >= 2 || is_digest(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_known_by_its_text() {
        let placeholder = |class: &str| Form::Placeholder(class.to_owned());
        for (text, form) in [
            ("", Form::Blank),
            (" ", Form::Blank),
            ("<id:3>", placeholder("id")),
            ("<grant_id:1>", placeholder("id")),
            ("<time_other:1>", placeholder("time_other")),
            ("<hex:2>", Form::Hex),
            ("<digits:2>", Form::Digits),
            ("<hex_64:1>", Form::Digest(64)),
            ("urn:uuid:<id:4>", Form::Pattern("urn:uuid:<id>".to_owned())),
            ("run-17-<id:4>", Form::Pattern("run-#-<id>".to_owned())),
            ("the peer <id:4>", Form::Text),
            ("1.4.0", Form::Version { with_v: false }),
            ("v1.4.0", Form::Version { with_v: true }),
            ("1.4", Form::Text),
            ("2026-06-01", Form::Date),
            ("11", Form::Digits),
            ("3a57c4c1", Form::Hex),
            ("3A:57:C4:C1", Form::HexPairs),
            ("a@b.example", Form::Address),
            ("MEUCIQDx9y1k2h3Z4mRb5Tq7W8eXcVbNmKjH==", Form::Base64),
            ("federation.peer.accepted", Form::Word),
            ("Grant has expired", Form::Text),
            ("DE", Form::Word),
            ("ENROLLED", Form::Word),
            ("platform-1.4.2", Form::Text),
            ("build-3a57c4c", Form::Text),
        ] {
            assert_eq!(Form::of(text), form, "{text:?}");
        }
    }

    #[test]
    fn chance_makes_no_format_of_hexadecimal_digits() {
        let differs = |old: &str, new: &str| Form::of(old).differs(&Form::of(new), old, new);
        // A serial number of 30 to 32 digits, with and without a leading zero.
        let (thirty, more) = ("1".repeat(30), "<digits:1>");
        for (old, new) in [
            ("3a57c4c1", "12345678"),
            ("12345678", "3a57c4c1"),
            ("3a57c4c1", "deadbeef"),
            ("deadbeef", "3a57c4c1"),
            ("3a57c4c1d2e3f4a5b6c7d8e9f0a1b2", "<hex:1>"),
            ("<hex:1>", "3a57c4c1d2e3f4a5b6c7d8e9f0a1b2"),
            (&thirty, more),
            (more, &thirty),
        ] {
            assert!(!differs(old, new), "{old} {new}");
        }
        for (old, new) in [
            ("<hex:1>", "<digits:1>"),
            ("<digits:1>", "<hex:1>"),
            ("<hex_64:1>", "<hex:1>"),
            ("3a57c4c1", "17"),
            ("<id:1>", "17"),
            ("<time:1>", "1780272000"),
            ("<time:1>", "<time_other:1>"),
            ("<pem:1>", "<pem_public_key:1>"),
            ("urn:uuid:<id:1>", "<id:1>"),
            ("MEUCIQDx9y1k2h3Z4mRb5Tq7W8eXcVbNmKjH==", "<hex_128:1>"),
        ] {
            assert!(differs(old, new), "{old} {new}");
        }
    }
}

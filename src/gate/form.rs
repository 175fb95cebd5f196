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
    /// A mail address.
    Address,
    /// A word of a fixed set: letters, digits, `_`, `-`, `.` and `:`, without a version in it.
    Word,
    /// Any other text.
    Text,
}

/// Members whose texts an operator or a person chose: they have no fixed set of words.
const FREE: &[&str] = &[
    "data_residency",
    "residency",
    "jurisdiction",
    "operator_contact",
    "name",
    "slug",
    "error",
    "message",
    "reason",
    "notes",
    "note",
    "summary",
    "description_markdown",
    "subscription_terms_markdown",
    "backend_host",
    "local_hostname",
    "account_id",
    "cursor",
    "from",
    "to",
    "remote_subject",
    "user-agent",
];

/// Returns whether the text of this member is free.
pub(super) fn is_free(at: &str) -> bool {
    let member = at.rsplit('.').next().unwrap_or(at).trim_end_matches("[]");
    FREE.contains(&member)
}

impl Form {
    /// Returns the form of a normalised text.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Blank;
        }
        if let Some(class) = placeholder(text) {
            return Self::Placeholder(class.to_owned());
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
        if is_address(text) {
            return Self::Address;
        }
        if is_word(text) { Self::Word } else { Self::Text }
    }

    /// Returns the form in words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Blank => "a blank".to_owned(),
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

/// Returns the class of a placeholder: `id` of `<id:3>`. An id that was masked is an id.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    let (class, number) = text.strip_prefix('<')?.strip_suffix('>')?.split_once(':')?;
    let is_class = !class.is_empty() && class.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_class && is_number).then_some(if class == "grant_id" { "id" } else { class })
}

/// Returns a name or a part of a path without the number of a placeholder: `<id>` of `<id:3>`.
pub(super) fn without_number(part: &str) -> String {
    placeholder(part).map_or_else(|| part.to_owned(), |class| format!("<{class}>"))
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
        for (text, form) in [
            ("", Form::Blank),
            (" ", Form::Blank),
            ("<id:3>", Form::Placeholder("id".to_owned())),
            ("<grant_id:1>", Form::Placeholder("id".to_owned())),
            ("1.4.0", Form::Version { with_v: false }),
            ("v1.4.0", Form::Version { with_v: true }),
            ("1.4", Form::Text),
            ("2026-06-01", Form::Date),
            ("11", Form::Digits),
            ("a@b.example", Form::Address),
            ("federation.peer.accepted", Form::Word),
            ("Grant has expired", Form::Text),
            ("DE", Form::Word),
            ("ENROLLED", Form::Word),
            ("platform-1.4.2", Form::Text),
            ("build-3a57c4c", Form::Text),
        ] {
            assert_eq!(Form::of(text), form, "{text:?}");
        }
        assert!(is_free("response.body.error") && is_free("a.slug") && !is_free("a.status"));
    }
}

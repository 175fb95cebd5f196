//! The secrets of this process, and the last pass over everything that it writes.
//!
//! A transcript masks the secrets that its own entries hold, by number. This is the pass after it: whatever path
//! a text takes to a file or a terminal, no secret that the process knows is in it. Secrets that the user gave are
//! masked everywhere. Those that crossed the wire are masked where no verdict is made of the text: a target could
//! choose one that hides what it did elsewhere.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Shortest secret of the user that is masked, in bytes.
pub const OWN_LENGTH_MIN: usize = 4;
/// Shortest secret that is masked inside a word, in bytes. A shorter one is masked where it stands alone.
const INSIDE_LENGTH_MIN: usize = 8;
/// Names before a value that is a secret. A longer name goes before one that it ends with.
const NAMES: [&str; 9] = [
    "bearer_token_preview",
    "acceptance_token",
    "bearer_token",
    "access_token",
    "refresh_token",
    "worker_token",
    "private_key_pem",
    "password",
    "token",
];

/// Largest number of secrets of the wire that are kept.
const SEEN_MAX: usize = 200_000;
/// Characters that a URL holds encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Characters that a URL holds encoded where it holds all but reserved ones as they are.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// Characters that some libraries encode in a query, where `+`, `=` and `,` may stand.
const QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'/').add(b'<').add(b'>').add(b'?');

static OWN: RwLock<Known> = RwLock::new(Known(BTreeMap::new()));
static SEEN: RwLock<Known> = RwLock::new(Known(BTreeMap::new()));

/// Secrets, each with its class.
struct Known(BTreeMap<Vec<u8>, &'static str>);

/// Adds a secret that the user gave: a token, a password.
pub fn learn_own(class: &'static str, secret: &str) {
    learn(&OWN, class, secret, OWN_LENGTH_MIN);
}

/// Adds a secret that crossed the wire.
pub fn learn_seen(class: &'static str, secret: &str) {
    learn(&SEEN, class, secret, INSIDE_LENGTH_MIN);
}

/// Adds the user names and passwords of every URL in a text that the user gave.
pub fn learn_own_urls(text: &str) {
    for userinfo in userinfos(text) {
        let password = userinfo.split_once(':').map_or(userinfo, |(_, password)| password);
        learn_own("password", password);
    }
}

fn learn(known: &RwLock<Known>, class: &'static str, secret: &str, length_min: usize) {
    if secret.len() < length_min || (secret.starts_with('<') && secret.ends_with('>')) {
        return;
    }
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms(secret) {
        if known.0.len() < SEEN_MAX {
            known.0.entry(form.into_bytes()).or_insert(class);
        }
    }
}

/// Returns a secret as texts hold it: as it is, in JSON, in JSON that is text in JSON, in HTML and XML, and in URLs and forms,
/// encoded by different libraries; each also as a text in JSON, since that is how a line of the transcript has it.
fn forms(secret: &str) -> BTreeSet<String> {
    let json = in_json(secret);
    let plain_json =
        [json.clone(), json.replace('/', "\\/"), in_json(&json), in_ascii(&json), for_pages(&json)];
    let markup = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quotes = [
        ("&quot;", "&#39;"),
        ("&quot;", "&#x27;"),
        ("&#34;", "&#39;"),
        ("&quot;", "&apos;"),
        ("&quot;", "&#039;"),
        ("&quot;", "'"),
        ("\"", "'"),
    ];
    let markups = quotes.map(|(double, single)| markup.replace('"', double).replace('\'', single));
    let sets = [ENCODED, RESERVED, QUERY];
    let encoded = sets.map(|set| utf8_percent_encode(secret, set).to_string());
    let lower = encoded.clone().map(|text| with_lower_case_escapes(&text));
    let in_forms = encoded.clone().map(|text| text.replace("%20", "+"));
    let plain = std::iter::once(secret.to_owned()).chain(plain_json).chain(markups);
    let forms: BTreeSet<String> = plain.chain(encoded).chain(lower).chain(in_forms).collect();
    let again: Vec<String> = forms.iter().map(|form| in_json(form)).collect();
    forms.into_iter().chain(again).collect()
}

/// Returns JSON as libraries write it that escape what is not ASCII.
fn in_ascii(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

/// Returns JSON as libraries write it that escape what has a meaning in a page.
fn for_pages(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn in_json(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    json.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

fn with_lower_case_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.extend(["%", &digits.to_ascii_lowercase(), rest]);
    }
    text
}

impl Known {
    /// Returns the length and the class of the longest secret that begins at a place.
    fn at(&self, text: &str, place: usize) -> Option<(usize, &'static str)> {
        let mut rest = &text.as_bytes()[place..];
        loop {
            let (secret, class) =
                self.0.range::<[u8], _>((Bound::Unbounded, Bound::Included(rest))).next_back()?;
            if rest.starts_with(secret) {
                let is_found = secret.len() >= INSIDE_LENGTH_MIN || stands_alone(text, place, secret.len());
                return is_found.then_some((secret.len(), class));
            }
            // A shorter secret that begins here begins with what both share.
            let shared = rest.iter().zip(secret).take_while(|(one, other)| one == other).count();
            rest = &rest[..shared];
            if shared < OWN_LENGTH_MIN {
                return None;
            }
        }
    }

    fn without<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked: Option<String> = None;
        let (mut kept, mut place) = (0, 0);
        while place < text.len() {
            match self.at(text, place) {
                Some((length, class)) => {
                    masked.get_or_insert_default().extend([&text[kept..place], "<", class, ">"]);
                    place += length;
                    kept = place;
                }
                None => place += 1,
            }
        }
        match masked {
            Some(masked) => Cow::Owned(masked + &text[kept..]),
            None => Cow::Borrowed(text),
        }
    }
}

fn stands_alone(text: &str, place: usize, length: usize) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    !is_word(place.checked_sub(1).and_then(|before| bytes.get(before))) && !is_word(bytes.get(place + length))
}

/// Returns a text without the secrets that the user gave.
#[must_use]
pub fn without_own(text: &str) -> Cow<'_, str> {
    OWN.read().unwrap_or_else(PoisonError::into_inner).without(text)
}

/// Replaces the secrets that the user gave in every text of a value, names of members included.
pub fn mask_own(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(masked) = without_own(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_own),
        Value::Object(members) => {
            for (name, mut member) in std::mem::take(members) {
                mask_own(&mut member);
                members.insert(without_own(&name).into_owned(), member);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns a text for a person or a log: without the secrets that the process knows, and without what a name before
/// it calls a secret.
#[must_use]
pub fn without_any(text: &str) -> String {
    let own = without_own(text);
    without_named(&SEEN.read().unwrap_or_else(PoisonError::into_inner).without(&own))
}

/// Returns a text without the values that a name before them calls a secret, such as `"bearer_token": "…"`,
/// `password=…` or `Bearer …`, and without user names and passwords in URLs. Such a value need not be known.
#[must_use]
pub fn without_named(text: &str) -> String {
    let text = without_userinfo(text);
    let lower = text.to_ascii_lowercase();
    let mut masked = String::with_capacity(text.len());
    let mut kept = 0;
    let mut place = 0;
    while place < text.len() {
        match named_value(&text, &lower, place) {
            Some((start, end, class)) => {
                masked.push_str(&text[kept..start]);
                masked.extend(["<", class, ">"]);
                kept = end;
                place = end;
            }
            None => place += 1,
        }
    }
    masked.push_str(&text[kept..]);
    masked
}

/// Returns where the value is that a name at a place calls a secret.
fn named_value(text: &str, lower: &str, place: usize) -> Option<(usize, usize, &'static str)> {
    let rest = &lower.as_bytes()[place..];
    if rest.starts_with(b"bearer ") {
        let start = place + b"bearer ".len();
        let end = end_of_value(text, start);
        return is_like_a_token(&text[start..end]).then_some((start, end, "bearer_token"));
    }
    let name = NAMES.iter().copied().find(|name| rest.starts_with(name.as_bytes()))?;
    let mut start = place + name.len();
    let between = &text.as_bytes()[start..];
    let length = between.iter().take(12).take_while(|byte| b"\"'\\: =>".contains(byte)).count();
    let between = &between[..length];
    if !between.iter().any(|byte| b":=".contains(byte)) {
        return None;
    }
    start += length;
    let end = end_of_value(text, start);
    let value = &text[start..end];
    let is_quoted = between.last().is_some_and(|byte| b"\"'".contains(byte));
    let is_secret = if is_quoted { value.len() >= OWN_LENGTH_MIN } else { is_like_a_token(value) };
    is_secret.then_some((start, end, name))
}

fn end_of_value(text: &str, start: usize) -> usize {
    let is_of_value = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._~+/=-$!*%@#&".contains(byte);
    start + text.as_bytes()[start..].iter().take_while(is_of_value).count()
}

/// Returns whether an unquoted word may be a token, and is not a word of a sentence.
fn is_like_a_token(word: &str) -> bool {
    word.len() >= INSIDE_LENGTH_MIN && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Returns a text with each user name and password of a URL replaced.
#[must_use]
pub fn without_userinfo(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    for userinfo in userinfos(text) {
        masked = Cow::Owned(masked.replace(&format!("://{userinfo}@"), "://<userinfo>@"));
    }
    masked
}

/// Returns what stands before the host of each URL in a text.
fn userinfos(text: &str) -> Vec<&str> {
    let ends = |character: char| character.is_whitespace() || "/?#\"'<>\\".contains(character);
    let after = text.split("://").skip(1).map(|rest| rest.split(ends).next().unwrap_or_default());
    after.filter_map(|authority| authority.rsplit_once('@')).map(|(userinfo, _)| userinfo).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_the_user_is_masked_in_every_form() {
        learn_own("operator_token", "op-tok\"en/1 ü");
        for text in [
            "op-tok\"en/1 ü",
            r#"{"a":"op-tok\"en/1 ü"}"#,
            r#"{"a":"op-tok\"en\/1 ü"}"#,
            r#"{"a":"op-tok\"en/1 \u00fc"}"#,
            "?t=op-tok%22en%2F1%20%C3%BC&x",
            "?t=op-tok%22en%2f1%20%c3%bc&x",
            "?t=op-tok%22en%2F1+%C3%BC&x",
        ] {
            let masked = without_own(text);
            assert!(masked.contains("<operator_token>") && !masked.contains("tok\"en"), "{masked}");
            assert!(!masked.contains("-tok"), "{masked}");
        }
        assert_eq!(without_own("ein Übel für alle"), "ein Übel für alle");
    }

    #[test]
    fn a_secret_of_the_user_is_masked_in_markup_and_in_json_in_json() {
        learn_own("password", "pw\"one<&'2>\\x");
        for text in [
            "<p>pw&quot;one&lt;&amp;&#39;2&gt;\\x</p>",
            "<p>pw&#34;one&lt;&amp;&#39;2&gt;\\x</p>",
            "<p>pw&quot;one&lt;&amp;&#x27;2&gt;\\x</p>",
            "<p>pw\"one&lt;&amp;'2&gt;\\x</p>",
            "<p>pw&quot;one&lt;&amp;&apos;2&gt;\\x</p>",
            "<p>pw&quot;one&lt;&amp;&#039;2&gt;\\x</p>",
            r#"{"a":"{\"b\":\"pw\\\"one<&'2>\\\\x\"}"}"#,
            r#"{"a":"pw\"one\u003c\u0026'2\u003e\\x"}"#,
        ] {
            // As a line of the transcript has it, too.
            for text in [text.to_owned(), serde_json::to_string(text).expect("JSON")] {
                let masked = without_own(&text);
                assert!(masked.contains("<password>") && !masked.contains("pw"), "{masked}");
            }
        }
    }

    #[test]
    fn a_short_secret_is_masked_where_it_stands_alone() {
        learn_own("password", "qzxw");
        assert_eq!(without_own("qzxw, aqzxw qzxws (qzxw)"), "<password>, aqzxw qzxws (<password>)");
        learn_own("password", "abc");
        assert_eq!(without_own("abc"), "abc");
    }

    #[test]
    fn a_secret_of_the_wire_is_masked_where_no_verdict_is_made_of_the_text() {
        learn_seen("bearer_token", "fgs.wire.0123456789");
        learn_seen("bearer_token", "fgs.wire.0123456789.longer");
        assert_eq!(without_any("x fgs.wire.0123456789.longer y"), "x <bearer_token> y");
        assert_eq!(without_any("x fgs.wire.0123456789.lon y"), "x <bearer_token>.lon y");
        assert_eq!(without_own("fgs.wire.0123456789"), "fgs.wire.0123456789");
    }

    #[test]
    fn a_named_value_is_masked_and_a_sentence_is_not() {
        for (text, masked) in [
            (
                r#"{"acceptance_token": "abcd", "a": 1}"#,
                r#"{"acceptance_token": "<acceptance_token>", "a": 1}"#,
            ),
            (r#""{\"bearer_token\":\"xyz-1\"}""#, r#""{\"bearer_token\":\"<bearer_token>\"}""#),
            ("login failed: password=hunter2222 for x", "login failed: password=<password> for x"),
            ("Authorization: Bearer abc123def456", "Authorization: Bearer <bearer_token>"),
            ("token: expected a string", "token: expected a string"),
            ("the bearer certificate is unknown", "the bearer certificate is unknown"),
            ("Bearer <bearer_token:1>", "Bearer <bearer_token:1>"),
            (
                "https://user:pw@a.example/x, https://b.example/@c",
                "https://<userinfo>@a.example/x, https://b.example/@c",
            ),
            ("größer: ü token=ü", "größer: ü token=ü"),
        ] {
            assert_eq!(without_named(text), masked, "{text}");
        }
    }

    #[test]
    fn passwords_of_urls_are_learned() {
        learn_own_urls("--operator=http://me:pass-of-url@a.example/");
        assert_eq!(without_own("it answered pass-of-url"), "it answered <password>");
    }
}

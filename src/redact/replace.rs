//! Replaces values in texts, in every form that a text may have them in: as they are, in JSON, in URLs, in hexadecimal
//! and in base64.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use uuid::Uuid;

use super::placeholders::Placeholders;
use crate::wire::canonical::sha256_hex;

/// The shortest text that is read as base64, in characters: four bytes have six.
const BASE64_MIN: usize = 6;
/// Characters that a URL holds encoded, if it holds all others as they are.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Characters that some libraries encode in a path or a query.
const IN_QUERY: &AsciiSet = &IN_PATH.add(b'@');
/// Characters that others encode.
const IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'<').add(b'>').add(b'?');
const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

/// Values in each of their forms, with what replaces the form.
#[derive(Debug)]
pub(super) struct Replacer {
    forms: AhoCorasick,
    /// What replaces each form, in their order.
    replacements: Vec<String>,
    /// The decoders of base64, each with its alphabet.
    decoders: [(&'static Alphabet, GeneralPurpose); 2],
}

impl Replacer {
    pub(super) fn new(placeholders: &Placeholders) -> Result<Self, BuildError> {
        let mut by_form = BTreeMap::new();
        for (value, placeholder) in placeholders.all() {
            for (form, replacement) in forms_of(value, placeholder) {
                by_form.entry(form.to_ascii_lowercase()).or_insert(replacement);
            }
        }
        let (forms, replacements): (Vec<String>, Vec<String>) = by_form.into_iter().unzip();
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true);
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let decoders =
            [&STANDARD, &URL_SAFE].map(|alphabet| (alphabet, GeneralPurpose::new(alphabet, config)));
        Ok(Self { forms: builder.build(forms)?, replacements, decoders })
    }

    /// Returns the first value that is in a text, in any form.
    pub(super) fn left_in(&self, text: &str) -> Option<String> {
        if let Some(found) = self.forms.find(text) {
            return Some(text[found.range()].to_owned());
        }
        let decoders = self.decoders.iter();
        let mut runs = decoders
            .flat_map(|decoder| runs(text, decoder.0).map(move |(start, end)| (decoder, &text[start..end])));
        runs.find(|((_, decoder), run)| self.hides(run, decoder)).map(|(_, run)| run.to_owned())
    }

    /// Returns a text without any of the values.
    pub(super) fn text(&self, text: &str) -> String {
        let text = without_certificates(text);
        let replaced = self.forms.replace_all(&text, &self.replacements);
        self.decoders.iter().fold(replaced, |text, decoder| self.without_base64(text, decoder))
    }

    /// Replaces each text in base64 that holds a value.
    fn without_base64(&self, text: String, (alphabet, decoder): &(&Alphabet, GeneralPurpose)) -> String {
        let hidden: Vec<(usize, usize)> =
            runs(&text, alphabet).filter(|(start, end)| self.hides(&text[*start..*end], decoder)).collect();
        let mut text = text;
        for (start, end) in hidden.into_iter().rev() {
            let placeholder = base64_placeholder(&text[start..end]);
            text.replace_range(start..end, &placeholder);
        }
        text
    }

    /// Returns whether a text in base64 holds a value. It may begin anywhere: what stands before it may be of the same
    /// alphabet.
    fn hides(&self, run: &str, decoder: &GeneralPurpose) -> bool {
        (0..4).any(|skipped| {
            let Some(rest) = run.get(skipped..) else { return false };
            // A last digit that stands alone holds no byte.
            let length = if rest.len() % 4 == 1 { rest.len() - 1 } else { rest.len() };
            decoder.decode(&rest[..length]).is_ok_and(|bytes| self.forms.is_match(&bytes))
        })
    }

    /// Replaces the values in every text of a value, names of members included.
    pub(super) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, member)| (self.text(&name), self.value(member))).collect()
            }
            other => other,
        }
    }
}

/// Returns a value as texts hold it, each form with what replaces it.
fn forms_of(value: &str, placeholder: &str) -> Vec<(String, String)> {
    let json = |text: &str| {
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        inner.unwrap_or_default().to_owned()
    };
    let escaped = json(value);
    let mut forms = vec![
        (value.to_owned(), placeholder.to_owned()),
        (escaped.replace('/', "\\/"), placeholder.to_owned()),
        // JSON in JSON.
        (json(&escaped), placeholder.to_owned()),
        (escaped, placeholder.to_owned()),
        (hex::encode(value), hex::encode(placeholder)),
    ];
    for set in [IN_URL, IN_QUERY, IN_PATH] {
        let encoded = |text: &str| utf8_percent_encode(text, set).to_string();
        forms.push((encoded(value).replace("%20", "+"), encoded(placeholder)));
        forms.push((encoded(value), encoded(placeholder)));
    }
    if let Ok(id) = Uuid::try_parse(value) {
        let plain = Uuid::try_parse(placeholder).map(|id| id.simple().to_string());
        forms.push((id.simple().to_string(), plain.unwrap_or_else(|_| placeholder.to_owned())));
    }
    forms
}

/// Returns where the texts are that may be base64 of an alphabet.
fn runs(text: &str, alphabet: &Alphabet) -> impl Iterator<Item = (usize, usize)> {
    let digits = alphabet.as_str();
    let is_end = move |c: char| !(c.is_ascii_alphanumeric() || c.is_ascii() && digits.contains(c));
    let mut start = 0;
    let parts = text.split(is_end).map(move |part| {
        let begin = start;
        start = begin + part.len();
        start += text[start..].chars().next().map_or(0, char::len_utf8);
        (begin, begin + part.len())
    });
    parts.filter(|(start, end)| end - start >= BASE64_MIN)
}

/// Returns a text in base64 that stands for another, the same for the same text.
fn base64_placeholder(run: &str) -> String {
    let digest = sha256_hex(run);
    base64::engine::general_purpose::STANDARD.encode(format!("redacted-{}", &digest[..12]))
}

/// Replaces the content of each PEM block but that of a key: certificates name subjects, hosts and addresses.
fn without_certificates(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(PEM_BEGIN) {
        return text.into();
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(PEM_BEGIN) {
        let label = begin + PEM_BEGIN.len();
        let Some(inside) = rest[label..].find("-----").map(|end| label + end + "-----".len()) else { break };
        let end = rest[inside..].find(PEM_END).map_or(rest.len(), |end| inside + end);
        replaced.push_str(&rest[..inside]);
        let content = rest[inside..end].trim();
        if content.is_empty() || content.starts_with('<') {
            replaced.push_str(&rest[inside..end]);
        } else {
            // A block within JSON text has its line ends escaped.
            let line_end = if rest[inside..end].starts_with("\\n") { "\\n" } else { "\n" };
            replaced.extend([line_end, &base64_placeholder(content), line_end]);
        }
        rest = &rest[end..];
    }
    replaced.push_str(rest);
    replaced.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Class;

    fn replacer(values: &[(Class, &str)]) -> Replacer {
        let found = values.iter().map(|(class, value)| (*class, (*value).to_owned())).collect();
        Replacer::new(&Placeholders::of(found, |_| false)).expect("a few values")
    }

    #[test]
    fn a_value_is_replaced_in_every_form() {
        let replacer = replacer(&[(Class::Host, "fed.acme.net"), (Class::Email, "o\"ps@acme.net")]);
        let standard = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let url_safe = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        let texts = [
            "https://fed.acme.net:8443/x".to_owned(),
            "FED.Acme.NET".to_owned(),
            "a=o%22ps%40acme.net".to_owned(),
            "a=o%22ps@acme.net".to_owned(),
            r#"{"c": "o\"ps@acme.net"}"#.to_owned(),
            r#"{"c": "{\"d\": \"o\\\"ps@acme.net\"}"}"#.to_owned(),
            hex::encode("fed.acme.net"),
            standard("fed.acme.net"),
            standard("a fed.acme.net"),
            standard("ab fed.acme.net b"),
            standard("abc fed.acme.net???>>>"),
            url_safe("ab>>>??? fed.acme.net"),
            format!("/path/{}", standard("fed.acme.net")),
            format!("x/{}", url_safe("?? o\"ps@acme.net")),
            format!("/my-path/of_it/{}", standard("fed.acme.net")),
            format!("token={}&x", standard("fed.acme.net")),
        ];
        for text in &texts {
            assert!(replacer.left_in(text).is_some(), "{text}");
            let replaced = replacer.text(text);
            assert_eq!(replacer.left_in(&replaced), None, "{text}: {replaced}");
            assert!(!replaced.to_lowercase().contains("acme"), "{text}: {replaced}");
        }
        assert_eq!(replacer.text(&texts[0]), "https://host-1.redacted.invalid:8443/x");
        let other = "nothing of the sort, in Zm9vYmFyYmF6 neither";
        assert_eq!(replacer.text(other), other);
    }

    #[test]
    fn the_longest_value_goes_first() {
        let replacer = replacer(&[
            (Class::Host, "acme.net"),
            (Class::Host, "fed.acme.net"),
            (Class::Email, "ops@acme.net"),
        ]);
        let replaced = replacer.text("ops@acme.net fed.acme.net acme.net acme.new");
        assert_eq!(
            replaced,
            "email-1@redacted.invalid host-2.redacted.invalid host-1.redacted.invalid acme.new"
        );
    }

    #[test]
    fn a_certificate_keeps_its_frame_alone() {
        let replacer = replacer(&[]);
        let pem = "x\n-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\ny";
        let replaced = replacer.text(pem);
        assert!(
            !replaced.contains("MIIB") && replaced.contains("-----END CERTIFICATE-----\ny"),
            "{replaced}"
        );
        assert_eq!(replaced, replacer.text(pem));
        let key = "-----BEGIN PRIVATE KEY-----<private_key>-----END PRIVATE KEY-----";
        assert_eq!(replacer.text(key), key);
    }
}

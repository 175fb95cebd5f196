//! Replaces values in texts, in every form that a text may have them in: as they are, in JSON, in URLs, in hexadecimal
//! and in base64.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::forms::forms_of;
use super::pem::without_certificates;
use super::placeholders::{LENGTH_MIN, Placeholders};
use super::view::{View, without_case};
use crate::wire::canonical::sha256_hex;

/// The shortest text that is read as base64, in characters: four bytes have six.
const BASE64_MIN: usize = 6;
/// Values in each of their forms, with what replaces the form.
#[derive(Debug)]
pub(super) struct Replacer {
    forms: AhoCorasick,
    /// Replacement of each form, in their order.
    replacements: Vec<String>,
    /// The values without case, which a text without escapes and case may have.
    folded: AhoCorasick,
    /// Replacement of each of them, in their order.
    placeholders: Vec<String>,
    /// The ids of scenarios, which stay: checks are called by them.
    ids: BTreeSet<String>,
    /// The decoders of base64, each with its alphabet.
    decoders: [(&'static Alphabet, GeneralPurpose); 2],
}

impl Replacer {
    /// Prepares to replace values everywhere but in the ids of scenarios and of their checks.
    pub(super) fn new(placeholders: &Placeholders, ids: &BTreeSet<String>) -> Result<Self, BuildError> {
        let (mut by_form, mut by_fold) = (BTreeMap::new(), BTreeMap::new());
        for (value, placeholder) in placeholders.all() {
            by_fold.entry(without_case(value)).or_insert_with(|| placeholder.to_owned());
            for (form, replacement) in forms_of(value, placeholder) {
                by_form.entry(form.to_ascii_lowercase()).or_insert(replacement);
            }
        }
        let (forms, replacements): (Vec<String>, Vec<String>) = by_form.into_iter().unzip();
        let (folds, placeholders): (Vec<String>, Vec<String>) = by_fold.into_iter().unzip();
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest);
        let folded = builder.build(folds)?;
        let forms = builder.ascii_case_insensitive(true).build(forms)?;
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let decoders =
            [&STANDARD, &URL_SAFE].map(|alphabet| (alphabet, GeneralPurpose::new(alphabet, config)));
        // The other ids have nothing that would be replaced.
        let ids = ids.iter().filter(|id| forms.is_match(id.as_str())).cloned().collect();
        Ok(Self { forms, replacements, folded, placeholders, ids, decoders })
    }

    /// Returns the values that stay, since they stand in ids of scenarios.
    pub(super) fn in_ids(&self) -> BTreeSet<String> {
        let found = |id: &String| -> Vec<String> {
            self.forms.find_iter(id).map(|found| id[found.range()].to_owned()).collect()
        };
        self.ids.iter().flat_map(found).collect()
    }

    /// Returns the values that are in a text, in any form. The ids of scenarios may have one.
    pub(super) fn left_in(&self, text: &str) -> BTreeSet<String> {
        let ranges = self.found(text).into_iter().chain(self.encoded(text)).map(|(range, _)| range);
        ranges.filter(|range| !self.is_in_id(text, range, "")).map(|range| text[range].to_owned()).collect()
    }

    /// Returns a text without any of the values. One in the id of a check stays.
    pub(super) fn text(&self, text: &str) -> String {
        let text = without_certificates(text);
        let mut found = self.found(&text);
        found.retain(|(range, _)| !self.is_in_id(&text, range, "#"));
        let replaced = with_replaced(&text, found);
        // What was replaced may have been within something that is encoded.
        let encoded = self.encoded(&replaced);
        with_replaced(&replaced, encoded)
    }

    /// Returns where the values are in a text, with what replaces them, in their order.
    fn found(&self, text: &str) -> Vec<(Range<usize>, String)> {
        let forms = self.forms.find_iter(text);
        let forms = forms.map(|found| (found.range(), self.replacements[found.pattern().as_usize()].clone()));
        let mut all: Vec<_> = forms.collect();
        if let Some(view) = View::folded(text) {
            let folds = self.folded.find_iter(view.bytes());
            all.extend(folds.map(|found| {
                (view.range(found.range()), self.placeholders[found.pattern().as_usize()].clone())
            }));
        }
        apart(all)
    }

    /// Returns where a text has values in base64 or in hexadecimal, with what replaces them.
    fn encoded(&self, text: &str) -> Vec<(Range<usize>, String)> {
        let mut all = self.encoded_in(text.as_bytes());
        if let Some(view) = View::joined(text) {
            let hidden = self.encoded_in(view.bytes()).into_iter();
            all.extend(hidden.map(|(range, placeholder)| (view.range(range), placeholder)));
        }
        apart(all)
    }

    fn encoded_in(&self, text: &[u8]) -> Vec<(Range<usize>, String)> {
        let mut all = Vec::new();
        for (alphabet, decoder) in &self.decoders {
            let digits = alphabet.as_str().as_bytes();
            let hidden =
                runs(text, BASE64_MIN, |byte| byte.is_ascii_alphanumeric() || digits.contains(&byte));
            let hidden = hidden.filter(|run| self.hides_in_base64(&text[run.clone()], decoder));
            all.extend(hidden.map(|run| (run.clone(), base64_placeholder(&text[run]))));
        }
        let hidden = runs(text, 2 * LENGTH_MIN, |byte| byte.is_ascii_hexdigit());
        let hidden = hidden.filter(|run| self.hides_in_hex(&text[run.clone()]));
        all.extend(hidden.map(|run| (run.clone(), hex::encode(redacted(&text[run])))));
        all
    }

    /// Returns whether a text in base64 holds a value. It may begin anywhere: what stands before it may be of the same
    /// alphabet.
    fn hides_in_base64(&self, run: &[u8], decoder: &GeneralPurpose) -> bool {
        (0..4).any(|skipped| {
            let Some(rest) = run.get(skipped..) else { return false };
            // A last digit that stands alone holds no byte.
            let length = if rest.len() % 4 == 1 { rest.len() - 1 } else { rest.len() };
            decoder.decode(&rest[..length]).is_ok_and(|bytes| self.is_in(&bytes))
        })
    }

    fn hides_in_hex(&self, run: &[u8]) -> bool {
        (0..2).any(|skipped| {
            let rest = &run[skipped..];
            hex::decode(&rest[..rest.len() / 2 * 2]).is_ok_and(|bytes| self.is_in(&bytes))
        })
    }

    /// Returns whether decoded bytes have a value.
    fn is_in(&self, bytes: &[u8]) -> bool {
        if self.forms.is_match(bytes) {
            return true;
        }
        let longest = bytes.utf8_chunks().map(|chunk| chunk.valid()).max_by_key(|valid| valid.len());
        let view = longest.filter(|text| text.len() >= LENGTH_MIN).and_then(View::folded);
        view.is_some_and(|view| self.folded.is_match(view.bytes()))
    }

    /// Returns whether a range is within the id of a scenario, after which something stands.
    fn is_in_id(&self, text: &str, range: &Range<usize>, after: &str) -> bool {
        self.ids.iter().any(|id| {
            let from = (range.end.saturating_sub(id.len())).min(range.start);
            (from..=range.start).any(|start| {
                let end = start + id.len();
                end >= range.end
                    && text.get(start..end) == Some(id.as_str())
                    && text[end..].starts_with(after)
            })
        })
    }

    /// Replaces the values in every text of a value, names of members included. A number that has one becomes a text.
    pub(super) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.ids.contains(&text) => Value::String(text),
            Value::String(text) => Value::String(self.text(&text)),
            Value::Number(number) => {
                let text = number.to_string();
                if self.forms.is_match(&text) { Value::String(self.text(&text)) } else { number.into() }
            }
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, member)| (self.text(&name), self.value(member))).collect()
            }
            other => other,
        }
    }
}

/// Returns a text with other texts in place of ranges, which are in their order and apart.
fn with_replaced(text: &str, ranges: Vec<(Range<usize>, String)>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut end = 0;
    for (range, by) in ranges {
        replaced.push_str(&text[end..range.start]);
        replaced.push_str(&by);
        end = range.end;
    }
    replaced.push_str(&text[end..]);
    replaced
}

/// Returns where runs of some bytes are, each at least as long as the shortest that counts.
fn runs(text: &[u8], shortest: usize, is_of_run: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    let parts = text.split(move |byte| !is_of_run(*byte)).map(move |part| {
        let run = start..start + part.len();
        start = run.end + 1;
        run
    });
    parts.filter(move |run| run.len() >= shortest)
}

/// Returns a text in base64 that stands for another, the same for the same text.
pub(super) fn base64_placeholder(run: impl AsRef<[u8]>) -> String {
    base64::engine::general_purpose::STANDARD.encode(redacted(run.as_ref()))
}

/// Returns the text that stands for another one that is encoded.
fn redacted(run: &[u8]) -> String {
    format!("redacted-{}", &sha256_hex(run)[..12])
}

/// Returns ranges in their order. Those that overlap are replaced as one, by what replaces the longest of those that begin
/// first.
fn apart(mut all: Vec<(Range<usize>, String)>) -> Vec<(Range<usize>, String)> {
    all.sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
    let mut apart: Vec<(Range<usize>, String)> = Vec::new();
    for (range, placeholder) in all {
        match apart.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push((range, placeholder)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Class;

    fn replacer(values: &[(Class, &str)]) -> Replacer {
        let found = values.iter().map(|(class, value)| (*class, (*value).to_owned())).collect();
        let placeholders = Placeholders::of(found, |_| false).expect("a few values");
        Replacer::new(&placeholders, &BTreeSet::new()).expect("a few values")
    }

    /// Returns a text in lines of seven characters, so that none holds a value.
    fn in_lines(text: &str, line_end: &str) -> String {
        let lines: Vec<&str> =
            text.as_bytes().chunks(7).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        lines.join(line_end)
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
            // Escapes of JSON and of URLs, of any character and more than once.
            r"https:\/\/fed.acme.net\/x".to_owned(),
            r"o\u0022ps\u0040acme.net and f\u0065d\u002eacme.net".to_owned(),
            r"\\u0066ed.acme.net".to_owned(),
            "a=f%65d%2Eacme.net&b=o%2522ps%2540acme.net".to_owned(),
            // Another case, within an encoding.
            hex::encode("Fed.ACME.net").to_uppercase(),
            format!("0{}", hex::encode("see Fed.ACME.net")),
            standard(r"https:\/\/f\u0065d.acme.net"),
            // Base64 with line ends, and with escapes.
            in_lines(&standard("a fed.acme.net b fed.acme.net c"), "\n"),
            in_lines(&standard("a fed.acme.net b fed.acme.net c"), "\r\n  "),
            in_lines(&standard("a fed.acme.net b fed.acme.net c"), r"\n"),
            in_lines(&standard("a fed.acme.net b fed.acme.net c"), r"\\r\\n"),
            standard("???fed.acme.net???").replace('/', r"\/"),
            standard("???fed.acme.net???").replace('/', "%2F"),
        ];
        for text in &texts {
            assert!(!replacer.left_in(text).is_empty(), "{text}");
            let replaced = replacer.text(text);
            assert_eq!(replacer.left_in(&replaced), BTreeSet::new(), "{text}: {replaced}");
            assert!(!replaced.to_lowercase().contains("acme"), "{text}: {replaced}");
        }
        assert_eq!(replacer.text(&texts[0]), "https://host-1.redacted.invalid:8443/x");
        let other = "nothing of the sort, in Zm9vYmFyYmF6 neither";
        assert_eq!(replacer.text(other), other);
    }

    #[test]
    fn letters_beyond_ascii_have_a_case_too() {
        let replacer = replacer(&[(Class::Party, "Müller-Klinik"), (Class::Contact, "Große Straße 1")]);
        let standard = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        for text in [
            "MÜLLER-KLINIK",
            "m\u{fc}ller-klinik",
            r"M\u00dcLLER-KLINIK",
            "M%C3%9CLLER-KLINIK",
            "GROSSE STRASSE 1",
            &standard("MÜLLER-KLINIK"),
            &hex::encode("at GROẞE STRASSE 1"),
        ] {
            assert!(!replacer.left_in(text).is_empty(), "{text}");
            let replaced = replacer.text(text);
            assert_eq!(replacer.left_in(&replaced), BTreeSet::new(), "{text}: {replaced}");
            assert_ne!(replaced, text);
        }
        let other = "Müll und Straßen, 100% \\o/";
        assert_eq!(replacer.text(other), other);
    }

    #[test]
    fn the_id_of_a_check_stays_and_nothing_around_it() {
        let found = BTreeSet::from([(Class::Party, "acme".to_owned())]);
        let ids = BTreeSet::from(["own/acme".to_owned(), "acme".to_owned(), "own/other".to_owned()]);
        let placeholders = Placeholders::of(found, |_| false).expect("a value");
        let replacer = Replacer::new(&placeholders, &ids).expect("a value");
        assert_eq!(replacer.in_ids(), BTreeSet::from(["acme".to_owned()]));
        for text in ["own/acme", "acme"] {
            assert_eq!(replacer.value(text.into()), text);
        }
        assert_eq!(replacer.text("own/acme#1 and acme#2"), "own/acme#1 and acme#2");
        let replaced = replacer.text("own/acme: acme.net, ask acme");
        assert_eq!(replaced, "own/redacted-party-1: redacted-party-1.net, ask redacted-party-1");
        assert!(replacer.left_in("scenario own/acme, check own/acme#1").is_empty());
        assert!(!replacer.left_in("acme2 of own/Acme").is_empty());
    }

    #[test]
    fn a_number_that_is_a_value_becomes_a_placeholder() {
        let replacer = replacer(&[(Class::Contact, "4930123456")]);
        let replaced = replacer.value(serde_json::json!({"phone": 4_930_123_456_u64, "n": 17}));
        assert_eq!(replaced, serde_json::json!({"phone": "redacted-contact-1", "n": 17}));
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
}

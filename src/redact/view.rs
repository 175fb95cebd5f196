//! A text as its reader understands it: without the escapes of JSON and URLs, without the case of letters, without the line
//! ends within base64. Each byte knows where in the text it comes from.

use std::borrow::Cow;
use std::ops::Range;

/// The digits of `\u00e9`.
const HEX_DIGITS: usize = 4;
/// The most backslashes that are read as one escape: six levels of JSON in JSON.
const BACKSLASHES_MAX: usize = 64;

/// A text with the place of each of its bytes in the original.
#[derive(Debug)]
pub(super) struct View {
    bytes: Vec<u8>,
    /// The original bytes that each byte stands for.
    spans: Vec<(usize, usize)>,
}

impl View {
    /// Returns a text without escapes; `None` if it has none.
    pub(super) fn without_escapes(text: &str) -> Option<Self> {
        text.contains(['\\', '%']).then(|| {
            let mut view =
                Self { bytes: Vec::with_capacity(text.len()), spans: Vec::with_capacity(text.len()) };
            let bytes = text.as_bytes();
            let mut at = 0;
            while at < bytes.len() {
                let (decoded, length) = escape(&bytes[at..]).unwrap_or((Cow::Borrowed(&bytes[at..=at]), 1));
                view.add(&decoded, (at, at + length));
                at += length;
            }
            view
        })
    }

    /// Returns a text as it is.
    fn of(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), spans: (0..text.len()).map(|at| (at, at + 1)).collect() }
    }

    /// Returns a text without escapes and without case; `None` if the bytes show all of it.
    pub(super) fn folded(text: &str) -> Option<Self> {
        let plain = Self::without_escapes(text);
        if plain.is_none() && text.is_ascii() {
            return None;
        }
        let plain = plain.unwrap_or_else(|| Self::of(text));
        let mut folded = Self { bytes: vec![], spans: vec![] };
        let mut at = 0;
        for chunk in plain.bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                let end = at + c.len_utf8();
                let folds = fold(c).collect::<String>();
                folded.add(folds.as_bytes(), plain.span(at..end));
                at = end;
            }
            let end = at + chunk.invalid().len();
            if end > at {
                folded.add(chunk.invalid(), plain.span(at..end));
            }
            at = end;
        }
        Some(folded)
    }

    /// Returns a text without escapes, line ends and the indentation after them; `None` if it has none of them.
    pub(super) fn joined(text: &str) -> Option<Self> {
        let plain = Self::without_escapes(text);
        if plain.is_none() && !text.contains('\n') {
            return None;
        }
        let plain = plain.unwrap_or_else(|| Self::of(text));
        let mut joined = Self { bytes: vec![], spans: vec![] };
        let mut is_indentation = false;
        for (byte, span) in plain.bytes.into_iter().zip(plain.spans) {
            is_indentation = matches!(byte, b'\r' | b'\n') || is_indentation && matches!(byte, b' ' | b'\t');
            if !is_indentation {
                joined.add(&[byte], span);
            }
        }
        Some(joined)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the text, with a sign for each byte that is none.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Returns what bytes of the view are in the original.
    pub(super) fn range(&self, range: Range<usize>) -> Range<usize> {
        let (start, end) = self.span(range);
        start..end
    }

    fn span(&self, range: Range<usize>) -> (usize, usize) {
        let spans = self.spans.get(range).unwrap_or_default();
        (spans.first().map_or(0, |span| span.0), spans.last().map_or(0, |span| span.1))
    }

    fn add(&mut self, bytes: &[u8], span: (usize, usize)) {
        self.bytes.extend_from_slice(bytes);
        self.spans.extend(bytes.iter().map(|_| span));
    }
}

/// Returns a text without case.
pub(super) fn without_case(text: &str) -> String {
    text.chars().flat_map(fold).collect()
}

/// Returns a letter without case. The upper case of `ß` is `SS`, and that of `ẞ` only by way of its lower case.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Returns what the escape at the beginning of bytes stands for, and its length.
fn escape(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, usize)> {
    match bytes.first()? {
        b'%' => percent(bytes),
        b'\\' => backslash(bytes),
        _ => None,
    }
}

/// Decodes `%40`, and `%2540`, which was encoded twice.
fn percent(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, usize)> {
    let mut at = 1;
    while bytes[at..].starts_with(b"25") {
        at += 2;
    }
    if at > 1 && hex_value(bytes.get(at..at + 2)).is_none() {
        at -= 2;
    }
    let value = u8::try_from(hex_value(bytes.get(at..at + 2))?).ok()?;
    Some((vec![value].into(), at + 2))
}

/// Decodes an escape of JSON, in JSON in JSON too: any number of backslashes before it.
fn backslash(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, usize)> {
    let at = bytes.iter().take(BACKSLASHES_MAX).position(|byte| *byte != b'\\')?;
    let plain: &[u8] = match bytes[at] {
        b'/' => b"/",
        b'"' => b"\"",
        b'n' => b"\n",
        b'r' => b"\r",
        b't' => b"\t",
        b'u' => return unicode(bytes, at + 1),
        _ => return None,
    };
    Some((plain.into(), at + 1))
}

/// Decodes the digits after `\u`, and the second half of a pair.
fn unicode(bytes: &[u8], at: usize) -> Option<(Cow<'_, [u8]>, usize)> {
    let unit = |at: usize| hex_value(bytes.get(at..at + HEX_DIGITS));
    let first = unit(at)?;
    let mut end = at + HEX_DIGITS;
    let mut units = vec![u16::try_from(first).ok()?];
    if (0xd800..0xdc00).contains(&first) {
        let slashes = bytes[end..].iter().take_while(|byte| **byte == b'\\').count();
        let digits = end + slashes + 1;
        let is_escape = slashes > 0 && bytes.get(digits - 1) == Some(&b'u');
        if let Some(second) = unit(digits).filter(|_| is_escape) {
            units.push(u16::try_from(second).ok()?);
            end = digits + HEX_DIGITS;
        }
    }
    Some((String::from_utf16_lossy(&units).into_bytes().into(), end))
}

fn hex_value(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_json_and_urls_are_read() {
        for (text, plain) in [
            (r"https:\/\/a", "https://a"),
            (r"https:\\\/\\\/a", "https://a"),
            (r"o\u0040a", "o@a"),
            (r"o\\u0040a", "o@a"),
            (r"m\u00FCll", "müll"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83dx", "\u{fffd}x"),
            ("a%40b%C3%BC%2540%25%", "a@bü@%%"),
            (r"a\n\tb\x\", "a\n\tb\\x\\"),
            ("100%", "100%"),
            (r"\u12", r"\u12"),
        ] {
            let view = View::without_escapes(text).expect(text);
            assert_eq!(view.text(), plain, "{text}");
            assert_eq!(view.range(0..view.bytes().len()), 0..text.len(), "{text}");
        }
    }

    #[test]
    fn a_place_in_a_view_is_one_in_the_text() {
        let text = r"x STRA\u00dfE y";
        let folded = View::folded(text).expect("it has an escape");
        assert_eq!(folded.text(), "x strasse y");
        assert_eq!(&text[folded.range(2..9)], r"STRA\u00dfE");
        let text = "ab\r\n  cd\\nef";
        let joined = View::joined(text).expect("it has line ends");
        assert_eq!(joined.text(), "abcdef");
        assert_eq!(&text[joined.range(1..5)], "b\r\n  cd\\ne");
        assert!(View::folded("plain").is_none() && View::joined("plain").is_none());
    }
}

//! Canonical forms of JSON: no white space, sorted keys, and one of the common ways to write texts and numbers.

use std::fmt::Write;

use serde_json::{Number, Value};

use super::number::{NOTATIONS, Notation};

/// Canonical form of JSON.
#[derive(Debug)]
pub(super) struct Form {
    order: Order,
    non_ascii: NonAscii,
    set: &'static EscapedSet,
    is_slash_escaped: bool,
    /// Control characters with an escape of one letter.
    short_controls: &'static str,
    /// Notation of a number that is no integer of 64 bits.
    notation: &'static Notation,
}

/// Order of the keys of an object.
#[derive(Clone, Copy, Debug)]
enum Order {
    CodePoint,
    Utf16,
}

/// Way to write a character outside ASCII, and the case of all escapes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum NonAscii {
    Raw,
    RawWithUpperCaseEscapes,
    LowerCase,
    UpperCase,
    /// Raw up to U+FFFF, and escaped in two halves beyond.
    RawInOneUnit,
    RawInOneUnitWithUpperCaseEscapes,
}

/// Characters that are escaped so that a page or a script can hold the JSON.
#[derive(Debug)]
struct EscapedSet {
    ascii: &'static str,
    has_separators: bool,
}

static SETS: &[EscapedSet] = &[
    EscapedSet { ascii: "", has_separators: false },
    EscapedSet { ascii: "", has_separators: true },
    EscapedSet { ascii: "<>&", has_separators: false },
    EscapedSet { ascii: "<>&", has_separators: true },
    EscapedSet { ascii: "<>&'", has_separators: true },
    EscapedSet { ascii: "<>&'\"+`\u{7f}", has_separators: true },
];

/// Line separators, which scripts once took for the end of a line.
const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];
const ORDERS: &[Order] = &[Order::CodePoint, Order::Utf16];
const WAYS: &[NonAscii] =
    &[NonAscii::Raw, NonAscii::LowerCase, NonAscii::UpperCase, NonAscii::RawWithUpperCaseEscapes];
/// These, and those that write characters beyond U+FFFF otherwise than the rest.
const WAYS_BEYOND: &[NonAscii] = &[
    NonAscii::Raw,
    NonAscii::LowerCase,
    NonAscii::UpperCase,
    NonAscii::RawWithUpperCaseEscapes,
    NonAscii::RawInOneUnit,
    NonAscii::RawInOneUnitWithUpperCaseEscapes,
];
/// The last character that is one unit of UTF-16.
const LAST_OF_ONE_UNIT: char = '\u{ffff}';
const SHORT_CONTROLS: &[&str] = &["\u{8}\u{c}\n\r\t", "\n\r\t", ""];

/// Returns the forms in which a value may be written differently.
pub(super) fn forms_of(value: &Value) -> impl Iterator<Item = Form> {
    let text = value.to_string();
    let is_ascii = text.is_ascii();
    let has_special = !is_ascii || text.contains(|c| "<>&'+`\u{7f}".contains(c) || c == '\\');
    let (has_slash, has_controls) = (text.contains('/'), text.contains('\\'));
    let orders = some_of(ORDERS, !is_ascii);
    let is_beyond = text.chars().any(|character| character > LAST_OF_ONE_UNIT);
    let ways = if is_beyond { WAYS_BEYOND } else { some_of(WAYS, has_special) };
    let sets = some_of(SETS, has_special);
    let controls = some_of(SHORT_CONTROLS, has_controls);
    let slashes = some_of(&[false, true], has_slash);
    let notations = some_of(NOTATIONS, super::has_float(value));
    orders.iter().flat_map(move |order| {
        ways.iter().flat_map(move |non_ascii| {
            sets.iter().flat_map(move |set| {
                slashes.iter().flat_map(move |slash| {
                    controls.iter().flat_map(move |short_controls| {
                        notations.iter().map(move |notation| Form {
                            order: *order,
                            non_ascii: *non_ascii,
                            set,
                            is_slash_escaped: *slash,
                            short_controls,
                            notation,
                        })
                    })
                })
            })
        })
    })
}

/// Returns all choices, or the first one if the value is the same under each.
fn some_of<T>(choices: &'static [T], matters: bool) -> &'static [T] {
    if matters { choices } else { &choices[..1] }
}

impl Form {
    /// Writes a value.
    pub(super) fn write(&self, value: &Value) -> String {
        let mut text = String::new();
        self.value(value, &mut text);
        text
    }

    fn value(&self, value: &Value, out: &mut String) {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(is_true) => out.push_str(if *is_true { "true" } else { "false" }),
            Value::Number(number) => self.number(number, out),
            Value::String(text) => self.text(text, out),
            Value::Array(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { "," });
                    self.value(item, out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
                match self.order {
                    Order::CodePoint => sorted.sort_by_key(|(name, _)| *name),
                    Order::Utf16 => {
                        sorted.sort_by_cached_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
                    }
                }
                out.push('{');
                for (place, (name, member)) in sorted.into_iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { "," });
                    self.text(name, out);
                    out.push(':');
                    self.value(member, out);
                }
                out.push('}');
            }
        }
    }

    fn number(&self, number: &Number, out: &mut String) {
        match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => out.push_str(&self.notation.write(float)),
            None => write!(out, "{number}").expect("a text takes any text"),
        }
    }

    fn text(&self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            self.character(character, out);
        }
        out.push('"');
    }

    fn character(&self, character: char, out: &mut String) {
        let is_separator = self.set.has_separators && SEPARATORS.contains(&character);
        let is_spelt_out = match self.non_ascii {
            NonAscii::LowerCase | NonAscii::UpperCase => !character.is_ascii(),
            NonAscii::RawInOneUnit | NonAscii::RawInOneUnitWithUpperCaseEscapes => {
                character > LAST_OF_ONE_UNIT
            }
            NonAscii::Raw | NonAscii::RawWithUpperCaseEscapes => false,
        };
        if self.set.ascii.contains(character) || is_separator || is_spelt_out {
            return self.escape(character, out);
        }
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if self.is_slash_escaped => out.push_str("\\/"),
            '\u{0}'..='\u{1f}' => {
                match short_escape(character).filter(|_| self.short_controls.contains(character)) {
                    Some(escape) => out.push_str(escape),
                    None => self.escape(character, out),
                }
            }
            _ => out.push(character),
        }
    }

    fn escape(&self, character: char, out: &mut String) {
        let is_upper = matches!(
            self.non_ascii,
            NonAscii::UpperCase
                | NonAscii::RawWithUpperCaseEscapes
                | NonAscii::RawInOneUnitWithUpperCaseEscapes
        );
        for unit in character.encode_utf16(&mut [0; 2]) {
            let written = if is_upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
            written.expect("a text takes any text");
        }
    }
}

fn short_escape(character: char) -> Option<&'static str> {
    match character {
        '\u{8}' => Some("\\b"),
        '\u{c}' => Some("\\f"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        _ => None,
    }
}

//! Characters that affect a terminal or a reader, and text without them.

use std::fmt::Write;
use std::ops::RangeInclusive;

/// Characters beside the control characters that change the direction of writing, break a line, or are invisible, so
/// that a text looks like another: those of the categories Cf, Zl and Zp, and those that Unicode calls ignorable.
const HIDDEN: [RangeInclusive<char>; 28] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{16fe4}'..='\u{16fe4}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
    '\u{10ffff}'..='\u{10ffff}',
];

/// Returns whether a character controls a terminal, changes the direction of writing, or is invisible.
#[must_use]
pub fn does_something(character: char) -> bool {
    // Nearly every text is ASCII.
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    character.is_control() || HIDDEN.iter().any(|range| range.contains(&character))
}

/// Returns a text of lines in which such characters are shown as code points. Line ends and tabs stay.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if does_something(character) && !matches!(character, '\n' | '\t') {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Returns the same JSON with such characters as escapes. They can occur inside JSON strings only; line ends
/// and tabs between tokens stay.
#[must_use]
pub fn harmless_json(json: &str) -> String {
    if !json.chars().any(|character| does_something(character) && !matches!(character, '\n' | '\t')) {
        return json.to_owned();
    }
    let mut safe = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if does_something(character) && !matches!(character, '\n' | '\t') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters that hide text, each of another kind.
    const HIDING: &str = "\u{9b}\u{7f}\u{202e}\u{2028}\u{61c}\u{200b}\u{ad}\u{e0041}\u{e0100}\u{fe0f}\u{3164}\u{180e}\u{1d173}";

    #[test]
    fn harmless_json_has_the_same_value_and_no_control_characters() {
        let value = serde_json::json!({"a\u{9b}": format!("\u{1b}[2J{HIDING}é\n")});
        let safe = harmless_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!safe.chars().any(|c| does_something(c) && c != '\n'), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("JSON"), value);
    }

    #[test]
    fn what_hides_text_is_shown_and_other_text_stays() {
        for hidden in HIDING.chars() {
            let expected = format!("a\\u{{{:x}}}b\n\tc", u32::from(hidden));
            assert_eq!(visible(&format!("a{hidden}b\n\tc")), expected);
        }
        let plain = "Größe, 東京, עברית, 😀, e\u{301}";
        assert_eq!(visible(plain), plain);
    }
}

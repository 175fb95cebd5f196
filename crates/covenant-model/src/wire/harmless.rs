//! Characters that affect a terminal or a reader, and JSON without them.

use std::fmt::Write;

/// Returns whether a character controls a terminal, changes the direction of writing, or is invisible.
#[must_use]
pub fn does_something(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
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
            // All of these characters are below U+10000, so each needs one escape.
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_json_has_the_same_value_and_no_control_characters() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}[2J\u{7f}\u{202e}é\n"});
        let safe = harmless_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!safe.chars().any(|c| does_something(c) && c != '\n'), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("JSON"), value);
    }
}

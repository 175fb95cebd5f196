//! Escaping of text that came from a target.

use std::fmt::Write;

use covenant_model::wire::harmless::does_something;

/// Returns a text for a terminal: one line without control characters, escape sequences or changes of the
/// writing direction.
#[must_use]
pub fn terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => safe.push(' '),
            hidden if does_something(hidden) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(hidden));
            }
            plain => safe.push(plain),
        }
    }
    safe
}

/// Returns a text for XML, without the characters that XML 1.0 forbids and without those that affect whoever
/// displays it. The writer escapes the rest.
pub(super) fn xml(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' | '\n' => character,
            hidden if does_something(hidden) => '\u{fffd}',
            '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => character,
            _ => '\u{fffd}',
        })
        .collect()
}

/// Returns a text in which no character has a meaning for Markdown, HTML or the site that shows it.
pub(super) fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in terminal(text).chars() {
        if character.is_ascii_punctuation() && !"., -:;()/?!'\"=%".contains(character) {
            let _ = write!(safe, "&#{};", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    // A site makes a link of a bare address.
    safe.replace("://", "&#58;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_escape_sequence_and_no_turned_text() {
        let hostile = "a\u{1b}[31mred\u{7}\u{202e}txt\nnext\u{9b}1m";
        let safe = terminal(hostile);
        assert!(safe.chars().all(|c| !does_something(c)), "{safe}");
        assert!(safe.contains("red") && safe.contains(" next"));
    }

    #[test]
    fn xml_gets_no_forbidden_character() {
        assert_eq!(xml("a\u{0}\u{1b}\u{fffe}b\n"), "a\u{fffd}\u{fffd}\u{fffd}b\n");
    }

    #[test]
    fn text_of_a_target_has_no_meaning() {
        let hostile =
            "x | <script>a</script> [b](https://evil.example) @all #1 `c` *d* www.evil.example\n# e";
        let safe = markdown(hostile);
        for part in ["|", "<", "[", "`", "*", "@", "://", "www.", "\n"] {
            assert!(!safe.contains(part), "{part}: {safe}");
        }
        assert!(safe.contains("script") && safe.contains("evil.example"), "{safe}");
    }
}

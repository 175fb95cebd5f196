//! Forms of short texts in a disclosure: blank text, a semantic version, an email address.

use covenant_model::wire::harmless::does_something;

/// Returns whether a text shows nothing: no character, or only white space, control and invisible characters.
pub(in crate::check) fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || does_something(character))
}

/// Returns whether a text stands in the place of a value that there is not: a word such as `none`, or marks alone.
pub(in crate::check) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["none", "null", "nil", "n/a", "na", "unknown", "anonymous", "undefined", "not applicable"];
    let text = text.trim().to_lowercase();
    WORDS.contains(&text.as_str()) || text.chars().all(|character| "-–—_?*.<>()".contains(character))
}

/// Returns whether a text is a version by the grammar of Semantic Versioning 2.0.0. Its numbers may be of any length.
pub(in crate::check) fn is_semantic_version(text: &str) -> bool {
    let (text, build) = split_off(text, '+');
    let (core, pre_release) = split_off(text, '-');
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3
        && numbers.into_iter().all(is_number)
        && pre_release.is_none_or(|part| part.split('.').all(is_pre_release_identifier))
        && build.is_none_or(|part| part.split('.').all(is_identifier))
}

fn split_off(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Digits without a leading zero.
fn is_number(text: &str) -> bool {
    is_all_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_pre_release_identifier(text: &str) -> bool {
    if is_all_digits(text) { is_number(text) } else { is_identifier(text) }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a text contains an email address of RFC 5322: alone, as `mailto:`, in brackets, after a label that
/// ends with a colon, before a comment, or in a list. White space in an address counts as a part of it, so that
/// `ops team@example.org` has none.
pub(in crate::check) fn has_email_address(text: &str) -> bool {
    let in_brackets = BRACKETS.iter().flat_map(|(open, close)| {
        text.split(*open).skip(1).filter_map(|rest| rest.split_once(*close)).map(|(inside, _)| inside)
    });
    let in_list = outside_quotes(text, &[',', ';', '\n', '|']).into_iter().flat_map(|item| item.split(" / "));
    in_brackets.chain(in_list).any(is_contact)
}

const BRACKETS: [(char, char); 2] = [('<', '>'), ('(', ')')];

/// Returns whether an item of a list is an address, but for a label or a scheme before it, and a comment or a query
/// behind it.
fn is_contact(item: &str) -> bool {
    let item = item.split_once(" (").map_or(item, |(before, _)| before).trim();
    let after_label = item.rsplit_once(':').map_or(item, |(_, after)| after.trim());
    let without_query = after_label.split_once('?').map_or(after_label, |(before, _)| before);
    [item, after_label, without_query].into_iter().any(is_email_address)
}

/// Splits a text at marks outside double quotes.
fn outside_quotes<'a>(text: &'a str, marks: &[char]) -> Vec<&'a str> {
    let (mut items, mut start, mut is_quoted, mut is_escaped) = (vec![], 0, false, false);
    for (place, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if !is_quoted && marks.contains(&character) => {
                items.push(&text[start..place]);
                start = place + character.len_utf8();
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items
}

/// Returns whether a text is an address of RFC 5322, or of RFC 6531 with letters outside ASCII.
fn is_email_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    (is_dot_atom(local, is_atom_character) || is_quoted(local))
        && (is_domain(domain) || is_address_literal(domain))
}

fn is_dot_atom(text: &str, is_allowed: fn(char) -> bool) -> bool {
    text.split('.').all(|atom| !is_blank(atom) && atom.chars().all(is_allowed))
}

fn is_atom_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || is_visible_beyond_ascii(character)
}

/// Returns whether a character outside ASCII may be a part of an address. Some scripts join letters by invisible ones.
fn is_visible_beyond_ascii(character: char) -> bool {
    const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];
    !character.is_ascii()
        && (JOINERS.contains(&character) || !(character.is_whitespace() || does_something(character)))
}

/// Returns whether a local part is a text in double quotes, in which a quote or a backslash is escaped.
fn is_quoted(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut is_escaped = false;
    for character in inside.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return false,
            _ if character.is_control() => return false,
            _ => {}
        }
    }
    !is_escaped
}

fn is_domain(text: &str) -> bool {
    let is_allowed =
        |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || is_visible_beyond_ascii(c);
    is_dot_atom(text, is_allowed)
        && text.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'))
}

fn is_address_literal(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    inside.strip_prefix("IPv6:").unwrap_or(inside).parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_visible_character_is_blank() {
        for text in
            ["", " \t\n", "\u{a0}", "\u{200b}", "\u{feff} \u{2060}", "\u{e0041}\u{e007f}", "\u{3164}", "\0"]
        {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["DE", "\u{200b}eu", ".", "日本"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn a_version_follows_the_published_grammar() {
        for text in [
            "0.0.4",
            "1.0.0-0A.is.legal",
            "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay",
            "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
            "1.0.0+0.build.001",
            "99999999999999999999999.999999999999999999.99999999999999999",
        ] {
            assert!(is_semantic_version(text), "{text}");
        }
        for text in [
            "1.2",
            "1",
            "v1.2.3",
            "01.1.1",
            "1.2.3.4",
            "1.2.3-0123",
            "1.2.3-",
            "1.2.3+",
            "1.2.3+a+b",
            "1.2.3 ",
            " 1.2.3",
            "1.2.3-a..b",
            "1.2.x",
            "1.2.3-é",
            "",
            "١.٢.٣",
        ] {
            assert!(!is_semantic_version(text), "{text:?}");
        }
    }

    #[test]
    fn an_address_follows_rfc_5322() {
        for text in [
            "ops@example.org",
            "The operators <ops@example.org>",
            "mailto:ops+federation@example.org",
            "Security: ops@example.org",
            "ops@example.org, +49 30 1234",
            "\"two @ and  a..b\"@example.org",
            "o.p.s@[192.0.2.1]",
            "ops@[IPv6:2001:db8::1]",
            "betrieb@münchen.example",
            "ops@localhost",
            "ops@example.org (Operations)",
            "Operations (ops@example.org)",
            "MAILTO:ops@example.org?subject=federation",
            "E-Mail:ops@example.org",
            "ops@example.org / +49 30 1234",
            "ops@نامه\u{200c}ای.example",
        ] {
            assert!(has_email_address(text), "{text}");
        }
        for text in [
            "ops@@example.org",
            "ops@example@org",
            "ops @example.org",
            "ops@ example.org",
            "ops team@example.org",
            "ops..team@example.org",
            ".ops@example.org",
            "ops.@example.org",
            "ops@example..org",
            "ops@.org",
            "ops@example.org.",
            "@example.org",
            "ops@",
            "call us @ noon",
            "ops@example..org (Operations)",
            "<ops @example.org>",
            "\u{200b}@example.org",
        ] {
            assert!(!has_email_address(text), "{text:?}");
        }
    }
}

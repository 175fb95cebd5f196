//! Finds IP addresses in a text, whatever stands beside them.

use std::net::IpAddr;

/// Returns the addresses in a text, as it has them. An address may have a port after it, and anything with a colon before it.
pub(super) fn addresses_in(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.'));
    words.flat_map(|word| in_word(word.trim_matches('.'))).collect()
}

fn in_word(word: &str) -> Vec<&str> {
    let parts = word.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|part| part.trim_matches('.'));
    let mut found: Vec<&str> = parts.filter(|part| part.contains('.') && is_address(part)).collect();
    if word.matches(':').count() < 2 {
        return found;
    }
    if is_address(word) {
        found.push(word);
        return found;
    }
    let without_first = word.split_once(':').map(|(_, rest)| rest);
    let without_last = |word: &'_ str| word.rsplit_once(':').map_or(0, |(rest, _)| rest.len());
    let front = Some(&word[..without_last(word)]);
    let inner = without_first.map(|rest| &rest[..without_last(rest)]);
    found.extend([without_first, front, inner].into_iter().flatten().filter(|part| is_address(part)));
    found
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok_and(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_whatever_stands_beside_it() {
        for (text, address) in [
            ("from:10.1.2.3", "10.1.2.3"),
            ("10.1.2.3:", "10.1.2.3"),
            ("ip:10.1.2.3:443: refused", "10.1.2.3"),
            ("cafe:10.1.2.3", "10.1.2.3"),
            ("at 10.1.2.3.", "10.1.2.3"),
            ("fd00::17: refused", "fd00::17"),
            ("peer:fd00::17", "fd00::17"),
            ("peer:fd00::17:", "fd00::17"),
            ("1:2:3:4:5:6:7:8:443", "1:2:3:4:5:6:7:8"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("https://10.1.2.3/x", "10.1.2.3"),
        ] {
            assert!(addresses_in(text).contains(&address), "{text}: {:?}", addresses_in(text));
        }
        let long = "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99";
        for text in ["10:20:30", "1.4.2", "AA:BB:CC:DD:EE:FF", long, "0.0.0.0", ":::", "x"] {
            let found = addresses_in(text);
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }
}

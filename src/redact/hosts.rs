//! Host names in a text that stand outside of a URL: before a port, or with a suffix that only host names have.

/// Suffixes of host names that hardly any other text has.
const SUFFIXES: [&str; 24] = [
    "arpa",
    "cloud",
    "com",
    "corp",
    "de",
    "edu",
    "eu",
    "fr",
    "gov",
    "health",
    "home",
    "hospital",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "mil",
    "net",
    "nl",
    "org",
    "ch",
    "uk",
];
/// Suffixes of files, which a line number follows: `adapter.py:12`.
const FILES: [&str; 16] =
    ["c", "cpp", "go", "h", "java", "js", "json", "kt", "md", "mjs", "php", "py", "rb", "rs", "toml", "ts"];

/// Returns the host names in a text, as it has them.
pub(super) fn hosts_in(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || "-.:_".contains(c)));
    words.filter_map(in_word).collect()
}

fn in_word(word: &str) -> Option<&str> {
    let mut parts = word.split(':');
    let host = parts.next()?.trim_matches('.');
    let (above, suffix) = host.rsplit_once('.')?;
    let lower = suffix.to_lowercase();
    let is_name = !above.split('.').any(str::is_empty)
        && above.contains(char::is_alphabetic)
        && suffix.len() > 1
        && suffix.chars().all(char::is_alphabetic);
    let mut has_port = || {
        let port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 9));
        port && !FILES.contains(&lower.as_str())
    };
    (is_name && (SUFFIXES.contains(&lower.as_str()) || has_port())).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_by_its_port_or_its_suffix() {
        for (text, host) in [
            ("connect ECONNREFUSED db.acme.example:5432", "db.acme.example"),
            ("getaddrinfo ENOTFOUND fed.acme.net", "fed.acme.net"),
            ("a=b; Domain=.acme.net; Path=/", "acme.net"),
            ("h3=\"alt.acme.io:443\"", "alt.acme.io"),
            ("at ip-10-98-7-3.ec2.internal.", "ip-10-98-7-3.ec2.internal"),
            ("xn--klinik--8wa.acme.de", "xn--klinik--8wa.acme.de"),
        ] {
            assert_eq!(hosts_in(text), [host], "{text}");
        }
        for text in [
            "adapter.py:120",
            "1.4.0:80",
            "peer.list",
            "a..net",
            ".net",
            "10.1.2.3:443",
            "e.g. 7.3",
            "Node.js",
        ] {
            assert!(hosts_in(text).is_empty(), "{text}: {:?}", hosts_in(text));
        }
    }
}

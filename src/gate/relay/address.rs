//! Addresses in messages: each platform finds that of what stands for the other.

use url::Url;

/// Returns a text in which one address is in place of another. A longer port is another address.
pub(super) fn with_address(text: &str, from: &Url, to: &Url) -> String {
    let (from, to) = (from.as_str().trim_end_matches('/'), to.as_str().trim_end_matches('/'));
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(from) {
        let (before, after) = (&rest[..place], &rest[place + from.len()..]);
        let is_whole = !after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == ':');
        written.push_str(before);
        written.push_str(if is_whole { to } else { from });
        rest = after;
    }
    written.push_str(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_replaced_and_a_longer_one_is_not() {
        let url = |text: &str| text.parse::<Url>().expect("a URL");
        let (from, to) = (url("https://127.0.0.1:4001"), url("https://127.0.0.1:9"));
        for (text, expected) in [
            (r#"{"url":"https://127.0.0.1:4001"}"#, r#"{"url":"https://127.0.0.1:9"}"#),
            (r#"["https://127.0.0.1:4001/api/v1", 1]"#, r#"["https://127.0.0.1:9/api/v1", 1]"#),
            (r#"["https://127.0.0.1:40012"]"#, r#"["https://127.0.0.1:40012"]"#),
            ("nothing", "nothing"),
        ] {
            assert_eq!(with_address(text, &from, &to), expected);
        }
    }
}

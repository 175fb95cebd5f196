//! The forms that texts hold a value in: as it is, in JSON, in URLs, in hexadecimal.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use super::view::without_case;

/// Characters that a URL holds encoded, if it holds all others as they are.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Characters that some libraries encode in a path or a query.
const IN_QUERY: &AsciiSet = &IN_PATH.add(b'@');
/// Characters that others encode.
const IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'<').add(b'>').add(b'?');

/// Returns a value as texts hold it, each form with what replaces it.
pub(super) fn forms_of(value: &str, placeholder: &str) -> Vec<(String, String)> {
    let json = |text: &str| {
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        inner.unwrap_or_default().to_owned()
    };
    let escaped = json(value);
    let mut forms = vec![
        (value.to_owned(), placeholder.to_owned()),
        // `STRASSE` is `straße` in upper case.
        (without_case(value), placeholder.to_owned()),
        (escaped.replace('/', "\\/"), placeholder.to_owned()),
        // JSON in JSON.
        (json(&escaped), placeholder.to_owned()),
        (escaped, placeholder.to_owned()),
        (hex::encode(value), hex::encode(placeholder)),
    ];
    for set in [IN_URL, IN_QUERY, IN_PATH] {
        let encoded = |text: &str| utf8_percent_encode(text, set).to_string();
        forms.push((encoded(value).replace("%20", "+"), encoded(placeholder)));
        forms.push((encoded(value), encoded(placeholder)));
    }
    if let Ok(id) = Uuid::try_parse(value) {
        let plain = Uuid::try_parse(placeholder).map(|id| id.simple().to_string());
        forms.push((id.simple().to_string(), plain.unwrap_or_else(|_| placeholder.to_owned())));
    }
    forms
}

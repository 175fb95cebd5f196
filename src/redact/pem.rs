//! PEM blocks in a text: certificates name subjects, hosts and addresses, so none of their content is left.

use std::borrow::Cow;

use super::replace::base64_placeholder;

const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

/// Replaces the content of each PEM block but that of a key: certificates name subjects, hosts and addresses.
pub(super) fn without_certificates(text: &str) -> Cow<'_, str> {
    if !text.contains(PEM_BEGIN) {
        return text.into();
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(PEM_BEGIN) {
        let label = begin + PEM_BEGIN.len();
        let Some(inside) = rest[label..].find("-----").map(|end| label + end + "-----".len()) else { break };
        let end = rest[inside..].find(PEM_END).map_or(rest.len(), |end| inside + end);
        replaced.push_str(&rest[..inside]);
        let content = rest[inside..end].trim();
        if content.is_empty() || content.starts_with('<') {
            replaced.push_str(&rest[inside..end]);
        } else {
            // A block within JSON text has its line ends escaped.
            let line_end = if rest[inside..end].starts_with("\\n") { "\\n" } else { "\n" };
            replaced.extend([line_end, &base64_placeholder(content), line_end]);
        }
        rest = &rest[end..];
    }
    replaced.push_str(rest);
    replaced.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_keeps_its_frame_alone() {
        let pem = "x\n-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\ny";
        let replaced = without_certificates(pem);
        assert!(
            !replaced.contains("MIIB") && replaced.contains("-----END CERTIFICATE-----\ny"),
            "{replaced}"
        );
        assert_eq!(replaced, without_certificates(pem));
        let key = "-----BEGIN PRIVATE KEY-----<private_key>-----END PRIVATE KEY-----";
        assert_eq!(without_certificates(key), key);
    }
}

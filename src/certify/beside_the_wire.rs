//! On what an attestation rests beside the wire: who answered for the operator, and which certificates named the target.

use url::Url;

use crate::operator::is_plain_elsewhere;
use crate::report::Report;

/// Results that rest on the word of whoever answers the methods.
const RESTS: &str = "What no peer sees (findings, events, the audit log, the acts of an operator) rests on its word alone: nothing shows \
     that it speaks for the operator of the target";

/// Says who answered the methods, so on whose word rests what no peer sees.
pub(super) fn operator_plane(report: &Report) -> String {
    if report.reference.is_some() {
        return "the embedded reference answered the methods itself".to_owned();
    }
    let named = |flag: &str| {
        let words = &report.target_arguments;
        words.iter().position(|word| word == flag).and_then(|place| words.get(place + 1))
    };
    let who = match (named("--operator").map(String::as_str), named("--adapter")) {
        (Some("person"), _) => "a person at the terminal of the run answered the methods".to_owned(),
        (Some(operator), _) => match operator.strip_prefix("powernode:") {
            Some(url) => format!("the REST surface at {url} answered the methods{}", in_plain_http(url)),
            None => format!("the adapter at {operator} answered the methods{}", in_plain_http(operator)),
        },
        (None, Some(line)) => {
            format!("the adapter {line:?}, a program of whoever made the run, answered the methods")
        }
        (None, None) => "the transcript does not say who answered the methods".to_owned(),
    };
    format!("{who}. {RESTS}")
}

/// Says what a URL without TLS leaves open.
fn in_plain_http(url: &str) -> String {
    match url.parse::<Url>() {
        Ok(url) if is_plain_elsewhere(&url) => {
            " over plain http, so that anyone on the way could have answered".to_owned()
        }
        Ok(url) if url.scheme() == "http" => " over plain http on the machine of the run".to_owned(),
        _ => String::new(),
    }
}

/// Says what several certificates mean; `None` if the target showed one.
pub(super) fn certificates(report: &Report) -> Option<String> {
    let facts = &report.platform;
    if facts.other_certificates.is_empty() {
        return None;
    }
    let all = facts.certificates;
    if report.reference.is_some() {
        return Some(format!(
            "the embedded reference has another certificate in each scenario: {all} in all"
        ));
    }
    Some(format!(
        "the target showed {all} certificates in this run: it changed its certificate, it was started again, or several servers \
         answered. Each is a subject, with its address and an entry that shows it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ShownCertificate;
    use crate::sample;

    fn stated_for(reference: Option<&str>, words: &[&str]) -> String {
        let mut report = sample::report(&[]);
        report.reference = reference.map(|_| vec![]);
        report.target_arguments = words.iter().map(ToString::to_string).collect();
        operator_plane(&report)
    }

    #[test]
    fn an_attestation_says_on_whose_word_it_rests() {
        for (words, expected) in [
            (
                &["--operator", "http://ops.example/"][..],
                "the adapter at http://ops.example/ answered the methods over plain http, so",
            ),
            (&["--operator", "http://127.0.0.1:1/"], "over plain http on the machine of the run"),
            (
                &["--target", "https://x/", "--operator", "https://ops.example/"],
                "the adapter at https://ops.example/ answered",
            ),
            (
                &["--operator", "powernode:https://p.example/"],
                "the REST surface at https://p.example/ answered",
            ),
            (&["--operator", "person"], "a person at the terminal"),
            (&["--adapter", "python3 a.py"], "the adapter \"python3 a.py\", a program"),
            (&[], "does not say who answered"),
        ] {
            let text = stated_for(None, words);
            assert!(text.contains(expected) && text.ends_with(RESTS), "{text}");
        }
        assert!(!stated_for(Some(""), &[]).contains(RESTS));
        assert!(!stated_for(None, &["--operator", "https://ops.example/"]).contains("plain http"));
    }

    #[test]
    fn more_than_one_certificate_is_named() {
        let mut report = sample::report(&[]);
        report.reference = None;
        assert_eq!(certificates(&report), None);
        report.platform.certificates = 2;
        report.platform.other_certificates =
            vec![ShownCertificate { sha256: "ab".repeat(32), entry: "07-x/y#12".to_owned(), address: None }];
        let text = certificates(&report).expect("a text");
        assert!(text.contains("showed 2 certificates") && text.contains("changed its certificate"), "{text}");
    }
}

//! Why a handshake or a heartbeat did not succeed, and what to do about it.

use crate::peer::CallOutcome;
use crate::transcript::FailureKind;

/// Describes a call that did not succeed: what happened, and what to do.
pub(crate) fn no_success(outcome: &CallOutcome) -> String {
    match unusable(outcome) {
        Some(unusable) => format!("{unusable}; it answered {}", outcome.in_words),
        None => format!("{}; {}", outcome.in_words, advice(outcome)),
    }
}

/// Describes a member of the answer to an accept that the peer can't use; `None` if it can use each one.
pub(crate) fn unusable(accepted: &CallOutcome) -> Option<String> {
    let member = accepted.unusable.as_ref()?;
    Some(format!("in the data of the answer to accept, {member}; see docs/wire.md, §5"))
}

fn advice(outcome: &CallOutcome) -> &'static str {
    match (outcome.failure, outcome.status) {
        (Some(kind), _) => of_failure(kind, &outcome.in_words),
        (None, _) if outcome.encoding.is_some() => {
            "answer without compression, as Accept-Encoding asks (identity); a proxy in front may add it"
        }
        (None, Some(status)) => of_status(status, outcome.body.is_null()),
        (None, None) => "see the transcript",
    }
}

fn of_failure(kind: FailureKind, reason: &str) -> &'static str {
    match kind {
        FailureKind::Refused if reason.contains("lookup") || reason.contains("resolve") => {
            "the host name of its URL is not known here: check its spelling and the DNS of this machine"
        }
        FailureKind::Refused => "check that it runs, and the host and port of its URL",
        FailureKind::Certificate => {
            "it refuses the certificate of the peer: see its own log; behind a proxy that ends TLS, name the form with \
             --identity"
        }
        FailureKind::Untrusted if reason.contains("expired") || reason.contains("not yet valid") => {
            "renew its certificate, or compare the clock of its machine with that of this one"
        }
        FailureKind::Untrusted if reason.contains("cannot be used") => {
            "give it another certificate: `openssl x509 -noout -text` shows what this one has"
        }
        FailureKind::Untrusted => {
            "name its authorities with --ca FILE or --system-roots, and call it by the host that its certificate is for"
        }
        FailureKind::Handshake if reason.contains("HandshakeFailure") => {
            "it shares no way to encrypt or to sign (there are ECDHE with X25519, P-256 or P-384, AES-GCM or ChaCha20, and \
             keys of RSA, ECDSA on P-256, P-384 or P-521, or Ed25519), or it demands a certificate of a caller that has \
             none yet"
        }
        FailureKind::Handshake => {
            "check that this is its TLS port, and that it speaks TLS 1.2 or 1.3; plain http needs an http: URL"
        }
        FailureKind::Timeout => "check for a firewall in between, or raise --request-timeout",
        FailureKind::TooLarge => {
            "it answers with more than the limits allow (docs/binding.md, Limits of size)"
        }
        FailureKind::Closed if reason.contains("close_notify") => {
            "an answer that ends with its connection may be cut: give it a Content-Length or send it in chunks, or close \
             TLS with close_notify"
        }
        FailureKind::Closed | FailureKind::Malformed => {
            "check that this is its HTTP service, and see its own log"
        }
        FailureKind::Request => "see the transcript",
    }
}

fn of_status(status: u16, has_no_json: bool) -> &'static str {
    match status {
        200..=299 if has_no_json => {
            "JSON with the data of the answer was expected: check that the URL is that of the federation plane, with no \
             login page or proxy in front"
        }
        200..=299 => "the data of the answer lacks what the wire has there (docs/wire.md)",
        300..=399 => "redirects are not followed: name the URL that it redirects to",
        401 | 403 => {
            "it refuses the token or the certificate of the call: see its own log; if it was an accept, check that the \
             operator client returns the token of this proposal"
        }
        404 | 405 => {
            "check the URL of the federation plane: what stands before /api/v1/system/federation_api"
        }
        429 => "it limits the rate of calls: wait, or raise its limit for the test",
        500..=599 => "it failed itself: see its own log",
        _ => {
            "see why it refuses a valid call in its own log; if it refuses peers of another release than its own, name its \
             release with --release"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_reason_is_named_with_what_to_do() {
        let failed = |failure, in_words: &str| {
            no_success(&CallOutcome {
                failure: Some(failure),
                in_words: in_words.to_owned(),
                ..CallOutcome::default()
            })
        };
        let dns = failed(FailureKind::Refused, "cannot connect: failed to lookup address information");
        assert!(dns.starts_with("cannot connect: failed to lookup") && dns.contains("DNS"), "{dns}");
        assert!(failed(FailureKind::Refused, "cannot connect: refused").contains("check that it runs"));
        assert!(failed(FailureKind::Timeout, "no answer within 10s").contains("--request-timeout"));
        assert!(failed(FailureKind::Untrusted, "UnknownIssuer").contains("--ca"));
        for (reason, part) in [
            ("the certificate has expired", "renew"),
            ("is not yet valid", "clock"),
            ("cannot be used: x", "openssl"),
        ] {
            let untrusted =
                failed(FailureKind::Untrusted, &format!("their certificate is not trusted: {reason}"));
            assert!(untrusted.contains(part) && !untrusted.contains("--ca"), "{untrusted}");
        }
        let algorithms =
            failed(FailureKind::Handshake, "TLS handshake failed: received fatal alert: HandshakeFailure");
        assert!(algorithms.contains("P-384") && !algorithms.contains("plain http"), "{algorithms}");
        let cut = failed(
            FailureKind::Closed,
            "connection closed: peer closed connection without sending TLS close_notify",
        );
        assert!(cut.contains("Content-Length"), "{cut}");
        assert!(failed(FailureKind::Certificate, "alert UnknownCA").contains("--identity"));

        let answered = |status, body| {
            no_success(&CallOutcome {
                status: Some(status),
                body,
                in_words: status.to_string(),
                ..CallOutcome::default()
            })
        };
        assert!(answered(200, json!(null)).contains("JSON"));
        assert!(answered(200, json!({"data": {}})).contains("lacks"));
        for (status, part) in
            [(301, "redirects"), (403, "token"), (404, "URL"), (503, "own log"), (422, "refuses")]
        {
            assert!(answered(status, json!({})).contains(part), "{status}");
        }
        let unusable = Some("peer_id: a text was expected, found 42".to_owned());
        let numeric = CallOutcome {
            status: Some(200),
            in_words: "200 {}".to_owned(),
            unusable,
            ..CallOutcome::default()
        };
        assert_eq!(
            no_success(&numeric),
            "in the data of the answer to accept, peer_id: a text was expected, found 42; see docs/wire.md, §5; it answered 200 {}"
        );
        let gzip =
            CallOutcome { status: Some(200), encoding: Some("gzip".to_owned()), ..CallOutcome::default() };
        assert!(no_success(&gzip).contains("compression"));
    }
}

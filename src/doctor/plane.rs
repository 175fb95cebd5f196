//! The diagnosis of a federation plane, as an anonymous client.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::anonymous_client::{AnonymousClient, NOT_FOUND, generations};
use super::{Points, Subject};
use crate::Blame;
use crate::clock::Clock;
use crate::net::{NetError, Response};
use crate::wire::envelope::Answer;
use crate::wire::generation::{CallerForm, Generation, names_of};
use crate::wire::path::Route;
use crate::wire::weight;

/// The remaining days of a certificate below which there is a note.
const SHORT_LIFE_DAYS: i64 = 14;

/// The statuses that say whether there is a trust bundle: it is given, refused to an anonymous client, or not there.
const CLEAR: [u16; 4] = [200, 401, 403, NOT_FOUND];

/// Examines the federation plane at `url`. Creates nothing there.
pub async fn examine_plane(
    points: &mut Points<'_>,
    subject: &Subject,
    url: &Url,
    ca_bundle_pem: Option<&str>,
) {
    let client =
        match AnonymousClient::new(url, ca_bundle_pem, subject.ca_bundle_pem.is_some(), subject.limits) {
            Ok(client) => client.recorded(subject.recorder.clone()),
            Err(error) => {
                return points.failed("trust", error.to_string(), "name a PEM bundle with --ca", None);
            }
        };
    let answered = match client.accept().await {
        Ok(answered) => answered,
        Err(error) => {
            let (what, hint) = hint(&error);
            return points.failed(what, format!("{url}: {error}"), hint, Blame::Target);
        }
    };
    examine_connection(points, url, &answered, ca_bundle_pem.is_some());
    let accepts = examine_accept(points, &answered);
    let bundle = client.trust_bundle().await;
    let nowhere = client.nowhere().await;
    match (bundle, nowhere) {
        (Ok(bundle), Ok(nowhere)) => match shows_nothing(accepts, &bundle, &nowhere) {
            None => examine_generation(points, url, subject.caller, &bundle),
            // What was found before is the fault, if there is one.
            Some(why) => points
                .note("generation", format!("cannot be found out, nor the identity that it asks for: {why}")),
        },
        (Err(error), _) | (_, Err(error)) => {
            points.failed("generation", error.to_string(), "see the platform's own log", Blame::Target);
        }
    }
}

/// Returns the point that a network error belongs to, and a hint.
fn hint(error: &NetError) -> (&'static str, &'static str) {
    match error {
        NetError::Refused(_) => ("connection", "is it running? name another address with --target"),
        NetError::Untrusted(_) => ("trust", "name its authorities with --ca FILE, or --system-roots"),
        NetError::Handshake(_) => {
            ("trust", "is this its TLS port? plain http needs --plain-http and an http: URL")
        }
        NetError::Timeout { .. } => ("connection", "is a firewall in between? raise --request-timeout"),
        _ => ("connection", "is this an HTTP service?"),
    }
}

/// Describes how long a certificate is good. The last second of the year 9999 says that it has no end (RFC 5280, 4.1.2.5); it is
/// beyond what a timestamp holds.
fn good_until(not_after: Timestamp, days_left: i64) -> String {
    if not_after == Timestamp::MAX {
        return "good without an end (until 9999-12-31T23:59:59Z)".to_owned();
    }
    format!("good until {not_after}, {days_left} days more")
}

fn examine_connection(points: &mut Points<'_>, url: &Url, answered: &Response, is_anchored: bool) {
    let Some(tls) = &answered.tls else {
        return points.note("connection", format!("{url} answers in {}, without TLS", answered.protocol));
    };
    points.fine("connection", format!("{url} answers in {} over {}", answered.protocol, tls.version));
    if let Some(not_after) = tls.peer_not_after {
        let left = not_after.duration_since(Clock::system().now()).as_hours() / 24;
        let found = format!("its certificate is {}", good_until(not_after, left));
        if left < SHORT_LIFE_DAYS {
            points.note("certificate", format!("{found}: a run may outlive it; have it renewed"));
        } else {
            points.fine("certificate", found);
        }
    }
    if is_anchored {
        points.fine("trust", "its certificate leads to an authority that is trusted");
    } else {
        points.note("trust", "no authority is named (--ca): the first certificate that is seen is pinned");
    }
}

/// Returns why the answer to the request for the trust bundle does not show the generation; `None` if it does.
fn shows_nothing(accepts: bool, bundle: &Response, nowhere: &Response) -> Option<String> {
    let status = bundle.status;
    if !accepts {
        return Some("accept did not answer as a federation plane does".to_owned());
    }
    if !CLEAR.contains(&status) {
        return Some(format!("the request for the trust bundle was answered with {status}"));
    }
    (status != NOT_FOUND && nowhere.status == status)
        .then(|| format!("a path that does not exist is answered with {status} too"))
}

/// Examines the answer to accept. Returns true if it is that of a federation plane.
fn examine_accept(points: &mut Points<'_>, answered: &Response) -> bool {
    let body: Value = weight::parse(&answered.body).unwrap_or(Value::Null);
    let refusal = Answer::read(&body).is_some_and(|answer| !matches!(answer, Answer::Data(_)));
    let is_good = refusal && matches!(answered.status, 401 | 422);
    match answered.status {
        status if is_good => {
            points.fine("accept", format!("rejects a token that was never issued ({status})"));
        }
        404 => {
            let hint = "is it under a path? give it with --target https://host/path";
            points.failed("accept", "there is no federation plane here (404)", hint, Blame::Target);
        }
        status => {
            let found = format!(
                "a token that was never issued was answered with {status}, expected 401 and an error"
            );
            let hint = "see `wire.md` §5, or the platform's own log";
            points.failed("accept", found, hint, Blame::Target);
        }
    }
    is_good
}

fn examine_generation(points: &mut Points<'_>, url: &Url, caller: Option<CallerForm>, answered: &Response) {
    let generations = generations(answered);
    let generation = generations.first().copied().unwrap_or(Generation::newest());
    let (names, has) = (names_of(&generations), generation.has(&Route::TrustBundle));
    let bundle = if has { "it has a trust bundle" } else { "there is no trust bundle" };
    points.fine("generation", format!("{names}: {bundle}"));
    let forwarded = CallerForm::Forwarded(generation.forwarded).name();
    match (url.scheme(), caller) {
        ("http", Some(CallerForm::Tls)) => {
            let hint = format!("choose --identity {forwarded}, or an https: URL");
            points.failed("identity", "plain http carries no certificate", &hint, None);
        }
        ("http", None) => {
            points.fine("identity", format!("forwarded in headers ({forwarded}), as its proxy would"));
        }
        (_, Some(form @ CallerForm::Forwarded(_))) if form.name() != forwarded => {
            let found = format!("{} was chosen, but the platform is {names}", form.name());
            points.failed("identity", found, &format!("choose --identity {forwarded}"), None);
        }
        (_, Some(form)) => points.fine("identity", form.name()),
        (_, None) if generation.credentials.is_empty() => points.note(
            "identity",
            format!(
                "a {names} platform issues no certificate in accept: to call its backend directly, use \
                 --identity {forwarded}"
            ),
        ),
        (_, None) => points.fine("identity", "the certificate of mutual TLS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_without_an_end_shows_no_moment_that_nobody_wrote() {
        let until = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        // 9999-12-31T23:59:59Z, as `pki` reads it.
        let never = good_until(until(253_402_300_799), 2_912_000);
        assert_eq!(never, "good without an end (until 9999-12-31T23:59:59Z)");
        assert_eq!(good_until(until(1_800_000_000), 47), "good until 2027-01-15T08:00:00Z, 47 days more");
    }
}

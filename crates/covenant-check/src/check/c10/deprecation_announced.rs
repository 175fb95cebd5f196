//! `deprecation-announced`.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::announcement::{
    announced_otherwise, announcements, before_operation, day_of_end, end_of_release, names_moment,
};
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, silence, succeeded_operation};
use covenant_model::transcript::Trace;
use covenant_model::wire::notice::kind;

/// The end of a release is announced to a partner, with its date.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct DeprecationAnnounced {
    /// The partner.
    pub peer: PeerName,
    /// The operator's `release.deprecate`.
    pub deprecate: Label,
}

impl Check for DeprecationAnnounced {
    const ID: &'static str = "deprecation-announced";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] =
        &["platform.release.deprecated or metadata.deprecations, with breaks_at"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (declared, operation) = succeeded_operation(trace, &self.deprecate, "no release was deprecated")?;
        let begun = before_operation(trace, declared);
        let breaks_at = day_of_end(operation).unwrap_or_default();
        let announced: Vec<_> =
            announcements(trace, &self.peer).filter(|(call, _)| call.n() > begun).collect();
        let end = end_of_release(operation);
        let names_end = |body: &Value| {
            body.to_string().contains(breaks_at) || end.is_some_and(|end| names_moment(body, end))
        };
        if let Some((call, _)) = announced.iter().find(|(_, body)| names_end(body)) {
            return Ok(Pass::new(format!("announced for {breaks_at}"), [declared, call.n()]));
        }
        // A repeated announcement is no new one: the notice began with the first.
        let earliest = announced.first().and_then(|(first, _)| first.at().checked_add(NOTICE).ok());
        let rounded = end.and_then(|end| end.checked_sub(DAY).ok());
        let version = &operation.parameters["version"];
        let too_early = |(call, body): &(Call<'_>, Value)| {
            let named = end_of(body, version)?;
            (named < earliest? && named < rounded?).then(|| (call.n(), named))
        };
        if let Some((n, end)) = announced.iter().find_map(too_early) {
            let actual =
                format!("announced for {end}, which is less than 30 days away, and not for {breaks_at}");
            return Err(Stop::broken(actual, [declared, n]));
        }
        if let Some((call, _)) = announced.first() {
            return Err(Stop::unproven("announced, and its date can't be found", [declared, call.n()]));
        }
        Err(match announced_otherwise(trace, &self.peer) {
            Some(call) => {
                let actual = "the partner was sent something like it, in another form";
                Stop::unproven(actual, [declared, call.n()])
            }
            None => silence(trace, &self.peer, "nothing was announced to the partner", [declared]),
        })
    }
}

/// The time by which a date of another time zone may be off, or a rounded time.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The notice that a break needs, less a day.
const NOTICE: SignedDuration = SignedDuration::from_hours(29 * 24);

/// Returns the end that an announcement names for a version, in one of the two forms of the binding.
fn end_of(body: &Value, version: &Value) -> Option<Timestamp> {
    let notices = body["events"].as_array().into_iter().flatten();
    let notices =
        notices.filter(|event| event["kind"] == kind::RELEASE_DEPRECATED).map(|event| &event["payload"]);
    let listed = body["metadata"]["deprecations"].as_array().into_iter().flatten();
    let mut rows = notices.chain(listed).filter(|row| row["version"] == *version);
    rows.find_map(|row| row["breaks_at"].as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::{DAY, VersionSteps, notice, routed};
    use crate::check::c10::major_break_follows_30_day_notice::tests::broke_in_time;
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, Message, What};
    use serde_json::json;

    fn announced(builder: &TraceBuilder) -> Verdict {
        builder.verdict::<DeprecationAnnounced>(json!({"peer": "alice", "deprecate": "declared"}))
    }

    #[test]
    fn an_end_that_is_announced_in_no_form_is_broken() {
        let answered = json!({"data": {"metadata": {"deprecations": [{"breaks_at": "2026-07-01"}]}}});
        let answered = Exchange::to_target("alice").sending(json!({})).answered_with(200, answered);
        let declared = || TraceBuilder::new().deprecates();
        assert_eq!(announced(&declared().sends(&notice())), Kept);
        assert_eq!(announced(&declared().unlabelled(What::Exchange(answered))), Kept);
        assert_eq!(announced(&declared().sends(&json!({"deprecated": ["1.x"]}))), Unproven);
        assert_eq!(announced(&declared().sends(&json!({"metadata": {"deprecations": []}}))), Broken);
        assert_eq!(announced(&declared().sends(&json!({"notes": "until the deprecation is due"}))), Broken);
        let before = || TraceBuilder::new().sends(&notice());
        assert_eq!(announced(&before().served("served", 200).deprecates()), Broken);
        assert_eq!(announced(&before().deprecates()), Kept, "it was sent during the operation");
        assert_eq!(announced(&TraceBuilder::new().sends(&notice())), Unproven);
    }

    #[test]
    fn an_end_that_is_announced_for_a_day_too_early_is_broken() {
        let verdict = |version: &str, end: &str| {
            let payload = json!({"version": version, "breaks_at": end});
            let events = json!({"events": [{"kind": "platform.release.deprecated", "payload": payload}]});
            let listed = json!({"metadata": {"deprecations": [payload]}});
            [events, listed].map(|sent| announced(&TraceBuilder::new().deprecates().sends(&sent)))
        };
        let own = "1.4.0";
        assert_eq!(verdict(own, "2026-06-21T00:00:00Z"), [Broken; 2]);
        assert_eq!(verdict("1.2.0", "2026-06-21T00:00:00Z"), [Unproven; 2], "another release");
        assert_eq!(verdict(own, "2026-08-01T00:00:00Z"), [Unproven; 2], "a later day");
        assert_eq!(verdict(own, "2026-06-30T23:00:00Z"), [Unproven; 2], "it may be rounded");
        assert_eq!(verdict(own, "in twenty days"), [Unproven; 2]);
        assert_eq!(verdict(own, "2026-06-30T19:00:01-05:00"), [Kept; 2], "the same moment");
        let repeated = |end: &str| {
            let payload = json!({"version": own, "breaks_at": end});
            let events = json!({"events": [{"kind": "platform.release.deprecated", "payload": payload}]});
            let twice = TraceBuilder::new().deprecates().sends(&events).advance(10 * DAY).sends(&events);
            announced(&twice)
        };
        assert_eq!(repeated("2026-06-30T19:00:01-05:00"), Kept);
        assert_eq!(repeated("2026-06-30T02:00:00Z"), Unproven, "a day of another time zone");
        assert_eq!(repeated("2026-06-21T00:00:00Z"), Broken);
        let epoch = json!({"deprecations": [{"until": 1_782_864_001}]});
        assert_eq!(announced(&TraceBuilder::new().deprecates().sends(&epoch)), Kept);
    }

    #[test]
    fn an_end_that_is_announced_in_headers_is_announced() {
        let sunset = ("Sunset".to_owned(), "Wed, 01 Jul 2026 00:00:01 GMT".to_owned());
        let response = Message { status: Some(200), headers: vec![sunset], ..Message::default() };
        let call = routed("alice", ("GET", "trust_bundle"), &json!({}), response);
        let builder = TraceBuilder::new().deprecates().unlabelled(What::Exchange(call));
        assert_eq!(announced(&builder), Unproven);
    }

    #[test]
    fn an_end_that_is_announced_in_words_of_its_own_is_no_silence() {
        let begun = || TraceBuilder::new().runs("1.4.0").served("served", 200);
        for payload in [
            json!({"see": "https://it.example/1"}),
            json!({"ends": "on 2026-07-01"}),
            json!(["HTTPS://IT.example/1"]),
            json!({"ends": "2026-06-30T19:00:01-05:00"}),
            json!({"ends": "30 June 2026 (2026-06-30)"}),
        ] {
            let sent = json!({"events": [{"kind": "platform.release.retiring", "payload": payload}]});
            assert_eq!(announced(&begun().deprecates().sends(&sent)), Unproven, "{sent}");
            let before = begun().sends(&sent).served("served", 200);
            assert_eq!(announced(&before.deprecates()), Broken, "{sent}");
            let broke =
                |days: i64| begun().deprecates().sends(&sent).advance(days * DAY).served("later", 422);
            assert_eq!(broke_in_time(&broke(30)), Unproven, "{sent}");
            assert_eq!(broke_in_time(&broke(29)), Broken, "{sent}");
        }
        let silent = begun().deprecates().advance(30 * DAY).served("later", 422);
        assert_eq!(broke_in_time(&silent), Broken);
        let dated = json!({"sent_at": "2026-07-01T00:00:01Z"});
        let on_the_day = begun().deprecates().advance(30 * DAY).sends(&dated).served("later", 422);
        assert_eq!(broke_in_time(&on_the_day), Broken);
    }
}

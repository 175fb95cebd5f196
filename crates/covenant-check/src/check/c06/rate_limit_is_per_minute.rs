//! `rate-limit-is-per-minute`.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::flood::{
    FEW_CALLS, FLOOD_CALLS, SLACK, WINDOW, are_side_by_side, count_of_others, end_of_limit, is_counted,
    is_limited, require_served, stands_for_others,
};
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;

/// The target never limits up to six calls in any minute, always limits three hundred, and always serves a
/// quiet peer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RateLimitIsPerMinute {
    /// The peer that calls often.
    pub peer: PeerName,
    /// A quiet peer's calls in between.
    pub probe: Label,
}

impl Check for RateLimitIsPerMinute {
    const ID: &'static str = "rate-limit-is-per-minute";
    const EXPECTED: &'static [&'static str] = &["429 never up to 6 calls in 60 s, and some among 300"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut open = None;
        for call in calls(trace).labelled(&self.probe) {
            match require_served(trace, call) {
                Err(broken @ Stop::Broken(_)) => return Err(broken),
                Err(stop) => open = open.or(Some(stop)),
                Ok(()) => {}
            }
        }
        let mut counted: Vec<Call<'_>> =
            calls(trace).of(&self.peer).made_by_peer().filter(is_counted).collect();
        counted.sort_by_key(Call::at);
        let (mut limited_until, mut is_shown) = (None, false);
        let mut start = 0;
        for burst in counted.chunk_by(are_side_by_side) {
            let before = &counted[..start];
            start += burst.len();
            if let Some((first, actual)) = too_few_served(before, burst, limited_until, 0) {
                // A limit by address serves a few calls of all the peers there.
                let others = count_of_others(trace, burst);
                let is_of_address = too_few_served(before, burst, limited_until, others).is_none();
                if !is_of_address && !stands_for_others(trace, first) {
                    return Err(Stop::broken(actual, [first.n()]));
                }
                let actual = format!("{actual}, and it may share its address");
                open.get_or_insert_with(|| Stop::unproven(actual, [first.n()]));
            }
            is_shown |= many_are_limited(before, burst)?;
            if recent(before, burst[0], WINDOW + SLACK).len() + burst.len() > FEW_CALLS {
                limited_until = limited_until.max(burst.iter().filter_map(end_of_limit).max());
            }
        }
        let last = counted.last().or_unproven("there were no calls")?;
        if let Some(open) = open {
            return Err(open);
        }
        if !is_shown {
            return Err(Stop::unproven("no call was limited, and no flood was sent", [last.n()]));
        }
        Ok(Pass::new(format!("{} calls, limited as they should be", counted.len()), [last.n()]))
    }
}

/// Returns the calls of a sequence that were made within a span before another call.
fn recent<'c, 'a>(before: &'c [Call<'a>], call: Call<'_>, span: SignedDuration) -> &'c [Call<'a>] {
    let is_before = |other: &Call<'_>| call.at().duration_since(other.at()) >= span;
    &before[before.partition_point(is_before)..]
}

/// Returns the first limited call of a burst, and the fault in words, if more calls of the burst were limited than may
/// be: the first six within a minute have to be served. The calls of a burst ran side by side, so only their number
/// shows which were the first. `others` is the number of calls of other peers that count too.
fn too_few_served<'c, 'a>(
    before: &[Call<'a>],
    burst: &'c [Call<'a>],
    limited_until: Option<Timestamp>,
    others: usize,
) -> Option<(&'c Call<'a>, String)> {
    let is_due = |call: &&Call<'_>| is_limited(call) && limited_until.is_none_or(|end| call.at() > end);
    let limited: Vec<&Call<'_>> = burst.iter().filter(is_due).collect();
    let sent = recent(before, burst[0], WINDOW + SLACK).len() + burst.len() + others;
    let first = limited.first().filter(|_| limited.len() > sent.saturating_sub(FEW_CALLS))?;
    let actual = if sent <= FEW_CALLS {
        format!("limited at {sent} calls within 60 s")
    } else {
        format!("{} of {sent} calls within 60 s were limited: fewer than {FEW_CALLS} served", limited.len())
    };
    Some((first, actual))
}

/// Returns whether a burst shows a limit: a call of it was limited, or one of a flood that ends in it was refused. Ends
/// the check if a flood ends in it and none of its calls was limited.
fn many_are_limited(before: &[Call<'_>], burst: &[Call<'_>]) -> Result<bool, Stop> {
    if burst.iter().any(is_limited) {
        return Ok(true);
    }
    let mut is_shown = false;
    for call in burst {
        let end = burst.partition_point(|other| other.at() <= call.at());
        let of_burst = recent(&burst[..end], *call, WINDOW - SLACK);
        let many = || recent(before, *call, WINDOW - SLACK).iter().chain(of_burst);
        let count = many().count();
        if count >= FLOOD_CALLS && many().all(|call| call.exchange.succeeded()) {
            let actual = format!("all of {count} calls within 60 s were served");
            return Err(Stop::broken(actual, [call.n()]));
        }
        is_shown |=
            count >= FLOOD_CALLS && many().any(|call| is_limited(call) || call.exchange.was_refused());
    }
    Ok(is_shown)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange};
    use serde_json::json;

    fn heartbeat(status: u16, headers: &[(&str, &str)]) -> Exchange {
        let answer = if status < 400 { json!({}) } else { json!({"error": "no"}) };
        let call = Exchange::to_target("busy").on("POST", "heartbeat").sending(json!({}));
        let source = Some(Ipv4Addr::LOCALHOST);
        Exchange { source, ..call.answered_with(status, answer).heading(headers) }
    }

    fn verdict(builder: &TraceBuilder) -> Verdict {
        builder.verdict::<RateLimitIsPerMinute>(json!({"peer": "busy", "probe": "quiet"}))
    }

    /// Returns the verdict on bursts of heartbeats: seconds without calls, then these statuses.
    fn by_the_minute(bursts: &[(i64, &[u16], Option<u32>)]) -> Verdict {
        let mut builder = TraceBuilder::new();
        for (calm, statuses, wait) in bursts {
            builder = builder.advance(*calm);
            for status in *statuses {
                let wait = wait.filter(|_| *status == 429).map(|seconds| seconds.to_string());
                let headers: Vec<(&str, &str)> = wait.iter().map(|wait| ("Retry-After", &**wait)).collect();
                builder = builder.call("busy", heartbeat(*status, &headers));
            }
        }
        verdict(&builder)
    }

    #[test]
    fn a_limit_is_right_or_wrong_by_the_calls_of_a_minute_give_or_take_two_seconds() {
        assert_eq!(by_the_minute(&[(0, &[200; 5], None), (0, &[429], None)]), Broken);
        assert_eq!(by_the_minute(&[(0, &[200; 6], None), (0, &[429], None)]), Kept);
        assert_eq!(by_the_minute(&[(0, &[200; 6], None), (61, &[429], None)]), Kept);
        assert_eq!(by_the_minute(&[(0, &[200; 6], None), (62, &[429], None)]), Broken);
        assert_eq!(by_the_minute(&[(0, &[200; 150], None), (57, &[200; 150], None)]), Broken);
        assert_eq!(by_the_minute(&[(0, &[200; 150], None), (59, &[200; 150], None)]), Unproven, "no flood");
        assert_eq!(by_the_minute(&[(0, &[200; 6], None), (62, &[200; 6], None)]), Unproven, "no flood");
    }

    #[test]
    fn a_limit_by_address_is_none_of_a_peer() {
        let verdict = |others: Option<Ipv4Addr>, quiet: usize, statuses: &[u16]| {
            let heard = || Exchange::to_target("quiet").on("POST", "heartbeat").answered(200);
            let builder = (0..quiet).fold(TraceBuilder::new(), |builder, _| {
                builder.call("quiet", Exchange { source: others, ..heard() })
            });
            let busy = statuses.iter().map(|status| heartbeat(*status, &[]));
            verdict(&busy.fold(builder, |builder, call| builder.call("busy", call)))
        };
        let (own, other) = (Some(Ipv4Addr::LOCALHOST), Some(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(verdict(other, 5, &[200, 429]), Broken);
        assert_eq!(verdict(own, 5, &[200, 429]), Unproven);
        assert_eq!(verdict(own, 4, &[200, 429]), Broken, "six calls of all of them");
        assert_eq!(verdict(own, 1, &[200; 300]), Broken);
    }

    #[test]
    fn a_quiet_peer_that_a_limit_by_address_answers_503_proves_nothing() {
        let verdict = |quiet: Option<Ipv4Addr>, answer: u16| {
            let call = Exchange::to_target("quiet").on("POST", "heartbeat").answered(answer);
            let busy = (0..300).map(|number| heartbeat(if number < 60 { 200 } else { 429 }, &[]));
            let builder = TraceBuilder::new().side_by_side("busy", 0, busy);
            verdict(&builder.call("quiet", Exchange { source: quiet, ..call }))
        };
        let (own, other) = (Some(Ipv4Addr::LOCALHOST), Some(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(
            [200, 429, 503, 500].map(|status| verdict(own, status)),
            [Kept, Unproven, Unproven, Broken]
        );
        assert_eq!([200, 429, 503].map(|status| verdict(other, status)), [Kept, Broken, Broken]);
    }

    #[test]
    fn a_limit_of_an_address_stands_until_its_end() {
        let verdict = |calm: i64, flood: usize| {
            let source = Some(Ipv4Addr::LOCALHOST);
            let quiet = Exchange::to_target("quiet").on("POST", "heartbeat").answered(429);
            let busy = (0..flood).map(|number| {
                if number < 6 { heartbeat(200, &[]) } else { heartbeat(429, &[("retry-after", "200")]) }
            });
            let builder = TraceBuilder::new().side_by_side("busy", 0, busy).advance(calm);
            verdict(&builder.call("quiet", Exchange { source, ..quiet }))
        };
        assert_eq!([30, 190, 210].map(|calm| verdict(calm, 300)), [Unproven, Unproven, Broken]);
        assert_eq!(verdict(30, 4), Broken, "there was no flood");
    }

    #[test]
    fn a_quiet_peer_that_was_put_off_after_more_than_a_few_calls_proves_nothing() {
        let verdict = |answer: u16, quiet: usize| {
            let source = Some(Ipv4Addr::new(127, 0, 0, 2));
            let call = |status| Exchange::to_target("quiet").on("POST", "heartbeat").answered(status);
            let busy = (0..300).map(|number| heartbeat(if number < 60 { 200 } else { 429 }, &[]));
            let builder = TraceBuilder::new().side_by_side("busy", 0, busy);
            let heard =
                (0..quiet).fold(builder, |builder, _| builder.call("", Exchange { source, ..call(200) }));
            verdict(&heard.call("quiet", Exchange { source, ..call(answer) }))
        };
        assert_eq!([200, 429, 503].map(|status| verdict(status, 6)), [Kept, Unproven, Unproven]);
        assert_eq!([429, 503].map(|status| verdict(status, 5)), [Broken; 2]);
    }

    /// Returns the verdict on a flood whose calls are answered in this order, a second apart.
    fn side_by_side(statuses: &[u16]) -> Verdict {
        let calls = statuses.iter().map(|status| heartbeat(*status, &[]));
        verdict(&TraceBuilder::new().side_by_side("busy", 1, calls))
    }

    #[test]
    fn the_order_of_the_answers_says_nothing_about_the_order_of_the_calls() {
        let (served, limited) = ([200; 8], [429; 8]);
        for place in 0..=served.len() {
            let (first, rest) = served.split_at(place);
            assert_eq!(side_by_side(&[first, &limited, rest].concat()), Kept, "{place}");
            let few = |first: &[u16], rest: &[u16]| side_by_side(&[first, &limited, rest].concat());
            let (first, rest) = served[..5].split_at(place.min(5));
            assert_eq!(few(first, rest), Broken, "{place}");
        }
        assert_eq!(side_by_side(&[200, 200, 200, 429, 200, 200, 200, 200, 200]), Kept);
        assert_eq!(side_by_side(&[200, 200, 200, 429, 200, 200]), Broken);
    }

    #[test]
    fn a_flood_is_limited_wherever_its_limit_is_recorded() {
        for place in [0, 150, 300] {
            let mut statuses = vec![200; 300];
            statuses.insert(place, 429);
            let calls = statuses.iter().map(|status| heartbeat(*status, &[]));
            assert_eq!(verdict(&TraceBuilder::new().side_by_side("busy", 0, calls)), Kept, "{place}");
        }
        let calls = (0..300).map(|_| heartbeat(200, &[]));
        assert_eq!(verdict(&TraceBuilder::new().side_by_side("busy", 0, calls)), Broken);
    }

    #[test]
    fn a_limit_lasts_as_long_as_its_response_states() {
        let flood = [[200; 60].as_slice(), &[429; 60]].concat();
        let then = |wait, calm| by_the_minute(&[(0, &flood, wait), (calm, &[429; 3], wait)]);
        assert_eq!(then(Some(300), 200), Kept);
        assert_eq!(then(Some(300), 303), Broken);
        assert_eq!(then(None, 200), Broken);
        assert_eq!(then(Some(u32::MAX), 303), Broken, "no longer than until it is stale");
        let flood_and: Vec<(i64, &[u16], _)> = vec![(0, &flood, Some(60))];
        let renewed = [flood_and, vec![(59, &[429], Some(60)); 3]].concat();
        assert_eq!(by_the_minute(&renewed), Broken, "a call that was refused for the limit renews none");
    }

    #[test]
    fn a_limit_may_give_its_end_as_a_date() {
        let flood = [[200; 60].as_slice(), &[429; 60]].concat();
        let limited = |headers: &[(&str, &str)], calm| {
            let mut builder = TraceBuilder::new();
            for status in &flood {
                builder = builder.call("busy", heartbeat(*status, headers));
            }
            verdict(&builder.advance(calm).call("busy", heartbeat(429, headers)))
        };
        let until = ("retry-after", "Mon, 01 Jun 2026 00:03:00 GMT");
        assert_eq!(limited(&[until], 170), Kept);
        assert_eq!(limited(&[until], 183), Broken);
        let behind = ("date", "Mon, 01 Jun 2026 00:01:00 GMT");
        assert_eq!([limited(&[until, behind], 110), limited(&[until, behind], 123)], [Kept, Broken]);
        let too_late = ("retry-after", "Sat, 01 Jan 2028 00:00:00 GMT");
        assert_eq!(limited(&[too_late], 303), Broken, "no longer than that");
        assert_eq!(limited(&[("retry-after", "soon")], 170), Broken);
    }

    #[test]
    fn the_windows_at_both_ends_of_time_are_windows_too() {
        for time in [Timestamp::MIN, Timestamp::MAX] {
            let mut builder = TraceBuilder::starting_at(time);
            for direction in [Direction::FromTarget, Direction::ToTarget] {
                let call = Exchange::made("busy", direction).on("POST", "heartbeat").sending(json!({}));
                builder = builder.call("", call.answered_with(200, json!({})));
            }
            assert_eq!(verdict(&builder), Unproven, "{time}");
        }
    }
}

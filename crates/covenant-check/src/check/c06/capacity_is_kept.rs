//! `capacity-is-kept`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::offering::{subscriptions, tried_offering};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, events};
use covenant_model::transcript::Trace;
use covenant_model::wire::catalog::capacity;
use covenant_model::wire::notice::kind;

/// The target issues no more grants for an offering than the offering states room for. A target that offers
/// nothing issues none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CapacityIsKept {
    /// The read of the catalogue.
    pub catalog: Label,
    /// The subscriptions of one peer, all to one offering of the catalogue.
    pub call: Label,
    /// The operator's list of grants afterwards. A subscription that it shows as ended does not count.
    pub grants: Option<Label>,
}

impl Check for CapacityIsKept {
    const ID: &'static str = "capacity-is-kept";
    const EXPECTED: &'static [&'static str] = &["no more subscriptions than the offering has room for"];
    const CONTROL: Option<&'static str> =
        Some("a subscription was accepted, and one beyond the capacity was refused for good");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let made: Vec<Call<'_>> = calls(trace).labelled(&self.call).collect();
        let (n, offering) = tried_offering(trace, &self.catalog, &made)?;
        let accepted = subscriptions(&made);
        let evidence = || [n].into_iter().chain(accepted.last().map(Call::n)).chain(made.last().map(Call::n));
        let offering = offering.or_unproven_at("the catalogue has no offering", &[n])?;
        let capacity = capacity(&offering).or_unproven_at("the offering states no capacity", &[n])?;
        let ends: Vec<End> = accepted.iter().map(|call| self.end(trace, call, capacity)).collect();
        let live = ends.iter().filter(|end| **end != End::Shown).count();
        let open = ends.iter().filter(|end| **end == End::Open).count();
        let actual = format!(
            "{live} of {} subscriptions were accepted and go on, with room for {capacity}",
            made.len()
        );
        if live as u64 > capacity && (live - open) as u64 <= capacity {
            let actual = format!("{actual}; {open} of them may have ended");
            return Err(Stop::unproven(actual, evidence()));
        }
        if live as u64 > capacity {
            return Err(Stop::broken(actual, evidence()));
        }
        let has_refusal = made.iter().any(|call| call.exchange.was_refused());
        if live == 0 || made.len() as u64 <= capacity || !has_refusal {
            return Err(Stop::unproven(actual, evidence()));
        }
        Ok(Pass::new(actual, evidence()))
    }
}

/// The end of a subscription, as far as it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The target announced it, or its operator's list shows it.
    Shown,
    /// Nothing shows whether it has.
    Open,
    /// Nothing says so.
    None,
}

impl CapacityIsKept {
    /// Returns whether a subscription has ended. A list that lacks one and has a later one shows that it has, if those that the list
    /// has reach the capacity; one that has earlier ones alone, or fewer, may be a page of a longer list.
    fn end(&self, trace: &Trace, subscription: &Call<'_>, capacity: u64) -> End {
        let Some(data) = subscription.exchange.data() else { return End::None };
        let grant = &data["grant_id"];
        let peer = &subscription.exchange.peer;
        let notices = calls(trace).of(peer).made_by_target().flat_map(|call| events(&call.exchange.request));
        let mut ended = notices.filter(|event| event["kind"] == kind::GRANT_REVOKED);
        let list = self.grants.as_deref().and_then(|label| trace.operation(label));
        let rows: Vec<&Value> =
            list.and_then(|(_, list)| list.list("grants")).into_iter().flatten().collect();
        if grant.is_null() {
            let has_end = ended.next().is_some() || rows.iter().any(|row| is_over(row));
            return if has_end { End::Open } else { End::None };
        }
        let id = |row: &Value| [&row["grant_id"], &row["id"]].into_iter().find(|id| !id.is_null()).cloned();
        if ended.any(|event| event["payload"]["grant_id"] == *grant) {
            return End::Shown;
        }
        if let Some(row) = rows.iter().find(|row| id(row).as_ref() == Some(grant)) {
            return if is_over(row) { End::Shown } else { End::None };
        }
        let listed: Vec<Value> = rows.iter().filter_map(|row| id(row)).collect();
        let is_listed =
            |call: &Call<'_>| call.exchange.data().is_some_and(|data| listed.contains(&data["grant_id"]));
        let of_list = calls(trace).labelled(&self.call).filter(is_listed).map(|call| call.n());
        let going_on = rows.iter().filter(|row| !is_over(row)).count() as u64;
        match of_list.max() {
            Some(last) if last > subscription.n() && going_on >= capacity => End::Shown,
            Some(_) => End::Open,
            None => End::None,
        }
    }
}

/// Returns whether a row of a list is that of a grant that has ended.
fn is_over(row: &Value) -> bool {
    const OVER: [&str; 9] = [
        "revoked",
        "ended",
        "expired",
        "replaced",
        "superseded",
        "archived",
        "cancelled",
        "terminated",
        "inactive",
    ];
    let state = row["status"].as_str().or(row["state"].as_str()).unwrap_or_default().trim().to_lowercase();
    let times = ["revoked_at", "ended_at", "archived_at", "replaced_at"];
    OVER.contains(&state.as_str())
        || times.iter().any(|name| row[*name].is_string() || row[*name].is_number())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on ten subscriptions, of which the first `accepted` are accepted.
    fn subscribed(offerings: &Value, accepted: usize) -> Verdict {
        let catalog = Exchange::to_target("alice").on("GET", "service_catalog");
        let catalog = catalog.answered_with(200, json!({"data": {"offerings": offerings}}));
        let subscribe = |place: usize| {
            let call = Exchange::to_target("alice").on("POST", "subscriptions");
            let status = if place < accepted { 201 } else { 409 };
            call.answered_with(status, json!({"data": {"grant_id": place}}))
        };
        let begun = TraceBuilder::new().call("catalog", catalog);
        (0..10)
            .fold(begun, |builder, place| builder.call("subscribed", subscribe(place)))
            .verdict::<CapacityIsKept>(json!({"catalog": "catalog", "call": "subscribed"}))
    }

    #[test]
    fn the_capacity_is_that_of_the_offering_that_was_subscribed_to() {
        let verdict = |slug: &str| {
            let catalog = Exchange::to_target("alice").on("GET", "service_catalog");
            let offerings =
                json!([{"slug": "open"}, {"slug": "small", "capacity_metadata": {"max_subscribers": 2}}]);
            let catalog = catalog.answered_with(200, json!({"data": {"offerings": offerings}}));
            let subscribe = |place: usize| {
                let call = Exchange::to_target("alice").on("POST", "subscriptions");
                call.sending(json!({ "slug": slug })).answered_with(201, json!({"data": {"grant_id": place}}))
            };
            (0..5)
                .fold(TraceBuilder::new().call("catalog", catalog), |builder, place| {
                    builder.call("subscribed", subscribe(place))
                })
                .verdict::<CapacityIsKept>(json!({"catalog": "catalog", "call": "subscribed"}))
        };
        assert_eq!([verdict("small"), verdict("open"), verdict("none")], [Broken, Unproven, Unproven]);
    }

    #[test]
    fn more_subscriptions_than_there_is_room_for_are_broken() {
        let room = |metadata: Value| json!([{"slug": "git", "capacity_metadata": metadata}]);
        assert_eq!(subscribed(&room(json!({"max_subscribers": 3})), 3), Kept);
        assert_eq!(
            subscribed(&room(json!({"max_subscribers": 3, "burst_limit": 5})), 4),
            Broken,
            "of another thing"
        );
        assert_eq!(subscribed(&room(json!({"max_subscribers": 0})), 10), Unproven, "no limit is meant");
        assert_eq!(subscribed(&room(json!({"active_subscriptions": 2})), 10), Unproven, "it is a count");
        assert_eq!(subscribed(&room(json!({"max_subscribers": 3})), 10), Broken);
        assert_eq!(subscribed(&room(json!({"max_subscribers": 3})), 0), Unproven, "nothing was accepted");
        assert_eq!(subscribed(&room(json!({"max_subscribers": 30})), 10), Unproven, "there is room for more");
        assert_eq!(subscribed(&room(json!({"region": 1})), 10), Unproven, "no capacity is stated");
        assert_eq!(subscribed(&json!([]), 0), Unproven, "nothing could be issued");
        assert_eq!(subscribed(&json!([]), 1), Unproven);
        assert_eq!(subscribed(&Value::Null, 0), Unproven, "there is no catalogue");
    }

    #[test]
    fn a_subscription_that_another_one_replaces_does_not_count() {
        let catalog = Exchange::to_target("alice").on("GET", "service_catalog");
        let offering = json!({"slug": "git", "capacity_metadata": {"max_subscribers": 2}});
        let catalog = catalog.answered_with(200, json!({"data": {"offerings": [offering]}}));
        let verdict = |rows: Value, announced: &[&str]| {
            let begun = TraceBuilder::new().call("catalog", catalog.clone());
            let made = ["a", "b", "c", "d"].iter().fold(begun, |builder, id| {
                let call = Exchange::to_target("alice").on("POST", "subscriptions");
                let status = if *id == "d" { 409 } else { 201 };
                builder.call("subscribed", call.answered_with(status, json!({"data": {"grant_id": id}})))
            });
            let events: Vec<Value> = announced
                .iter()
                .map(|id| json!({"kind": kind::GRANT_REVOKED, "payload": {"grant_id": id}}))
                .collect();
            let notice =
                Exchange::from_target("alice").on("POST", "heartbeat").sending(json!({ "events": events }));
            made.call_from_target(notice.answered(200))
                .operation("grants", "grant.list", json!({ "grants": rows }))
                .verdict::<CapacityIsKept>(
                    json!({"catalog": "catalog", "call": "subscribed", "grants": "grants"}),
                )
        };
        assert_eq!(verdict(json!([]), &[]), Broken);
        assert_eq!(verdict(json!([]), &["a"]), Kept);
        assert_eq!(verdict(json!([]), &["x"]), Broken, "it is another one");
        assert_eq!(verdict(json!([{"grant_id": "b"}, {"id": "c", "revoked_at": null}]), &[]), Kept);
        assert_eq!(verdict(json!([{"id": "a", "status": "Revoked"}, {"id": "b"}, {"id": "c"}]), &[]), Kept);
        assert_eq!(verdict(json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]), &[]), Broken);
        assert_eq!(verdict(json!([{"id": "a"}, {"id": "b"}]), &[]), Unproven, "it may be a page");
        assert_eq!(verdict(json!([{"id": "c"}]), &[]), Unproven, "a page that begins with the last one");
    }

    #[test]
    fn a_subscription_without_an_id_is_not_the_one_of_a_notice_without_an_id() {
        let catalog = Exchange::to_target("alice").on("GET", "service_catalog");
        let offering = json!({"slug": "git", "capacity_metadata": {"max_subscribers": 1}});
        let catalog = catalog.answered_with(200, json!({"data": {"offerings": [offering]}}));
        let verdict = |events: Value| {
            let call = || Exchange::to_target("alice").on("POST", "subscriptions");
            let begun = || TraceBuilder::new().call("catalog", catalog.clone());
            let answers = [(201, json!({"id": 1})), (201, json!({"grant_id": "a"})), (409, json!({}))];
            let made = answers.into_iter().fold(begun(), |builder, (status, data)| {
                builder.call("subscribed", call().answered_with(status, json!({ "data": data })))
            });
            let notice =
                Exchange::from_target("alice").on("POST", "heartbeat").sending(json!({ "events": events }));
            made.call_from_target(notice.answered(200))
                .verdict::<CapacityIsKept>(json!({"catalog": "catalog", "call": "subscribed"}))
        };
        assert_eq!(verdict(json!([])), Broken);
        assert_eq!(verdict(json!([{"kind": kind::GRANT_REVOKED, "payload": {}}])), Unproven);
    }
}

//! Every behaviour of a peer, each in a file of its own.

mod agrees_to_other_contract_version;
mod answers_errors;
mod answers_too_many_requests;
mod bogus_filter;
mod bogus_kind;
mod bogus_schema;
mod broken_grant;
mod capability_churn;
mod contract_mismatch;
mod dangling_references;
mod demands_deletion;
mod dropped_scope;
mod extensions_alone;
mod extensions_with_empty_capabilities;
mod extensions_without_capabilities;
mod foreign_entries_in_excerpt;
mod grants_in_each_heartbeat;
mod handshake_flood;
mod hidden_conflict;
mod invalid_version;
mod invented_conflict;
mod is_busy_once;
mod late_excerpt;
mod many_narrow_grants;
mod many_wide_grants;
mod next_major_version;
mod partial_apply;
mod rejects_excerpt_requests;
mod rejects_open_migrations;
mod remapped_ids;
mod remapped_reference;
mod repeatedly_postponed_excerpt;
mod sends_almost_the_contract_digest;
mod sends_other_contract_digest;
mod silent_grant_revocation;
mod silent_revocation;
mod states_nulls;
mod steps_out_of_order;
mod sync_after_migration;
mod ten_grants;
mod version_change_after_handshake;
mod version_two_minors_away;
mod version_with_leading_v;
mod withholds_contact;
mod withholds_jurisdiction;
mod withholds_last_good_release;
mod withholds_residency;
mod withholds_version;

use serde_json::{Value, json};

use super::Behaviour;
use covenant_model::wire::path::Route;

/// Every behaviour, by name.
pub const BEHAVIOURS: &[&Behaviour] = &[
    &Behaviour::CONFORMING,
    &answers_errors::BEHAVIOUR,
    &bogus_filter::BEHAVIOUR,
    &bogus_kind::BEHAVIOUR,
    &bogus_schema::BEHAVIOUR,
    &broken_grant::BEHAVIOUR,
    &capability_churn::BEHAVIOUR,
    &agrees_to_other_contract_version::BEHAVIOUR,
    &contract_mismatch::BEHAVIOUR,
    &sends_other_contract_digest::BEHAVIOUR,
    &rejects_open_migrations::BEHAVIOUR,
    &dangling_references::BEHAVIOUR,
    &demands_deletion::BEHAVIOUR,
    &dropped_scope::BEHAVIOUR,
    &extensions_alone::BEHAVIOUR,
    &extensions_with_empty_capabilities::BEHAVIOUR,
    &extensions_without_capabilities::BEHAVIOUR,
    &ten_grants::BEHAVIOUR,
    &grants_in_each_heartbeat::BEHAVIOUR,
    &answers_too_many_requests::BEHAVIOUR,
    &is_busy_once::BEHAVIOUR,
    &sends_almost_the_contract_digest::BEHAVIOUR,
    &handshake_flood::BEHAVIOUR,
    &hidden_conflict::BEHAVIOUR,
    &invented_conflict::BEHAVIOUR,
    &late_excerpt::BEHAVIOUR,
    &many_narrow_grants::BEHAVIOUR,
    &many_wide_grants::BEHAVIOUR,
    &repeatedly_postponed_excerpt::BEHAVIOUR,
    &foreign_entries_in_excerpt::BEHAVIOUR,
    &partial_apply::BEHAVIOUR,
    &remapped_ids::BEHAVIOUR,
    &remapped_reference::BEHAVIOUR,
    &withholds_residency::BEHAVIOUR,
    &silent_grant_revocation::BEHAVIOUR,
    &silent_revocation::BEHAVIOUR,
    &states_nulls::BEHAVIOUR,
    &steps_out_of_order::BEHAVIOUR,
    &sync_after_migration::BEHAVIOUR,
    &invalid_version::BEHAVIOUR,
    &next_major_version::BEHAVIOUR,
    &version_change_after_handshake::BEHAVIOUR,
    &version_two_minors_away::BEHAVIOUR,
    &version_with_leading_v::BEHAVIOUR,
    &rejects_excerpt_requests::BEHAVIOUR,
    &withholds_contact::BEHAVIOUR,
    &withholds_jurisdiction::BEHAVIOUR,
    &withholds_last_good_release::BEHAVIOUR,
    &withholds_version::BEHAVIOUR,
];

/// Returns the behaviour with this name.
#[must_use]
pub fn behaviour(name: &str) -> Option<&'static Behaviour> {
    BEHAVIOURS.iter().copied().find(|behaviour| behaviour.name == name)
}

/// Removes a member from a disclosure: from `metadata`, and from beside it.
fn withhold(body: &mut Value, member: &str) {
    let Some(body) = body.as_object_mut() else { return };
    body.remove(member);
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove(member);
    }
}

fn withhold_in_answer(body: &mut Value, member: &str) {
    if let Some(data) = body.get_mut("data") {
        withhold(data, member);
    }
}

/// Declares another release in a heartbeat. In accept, a text that is not a version would be no disclosure
/// (1.3).
fn replace_version_in_heartbeat(route: &Route, sent: &mut Value, other: fn(&str) -> String) {
    if *route == Route::Heartbeat && sent.is_object() {
        let other = json!(other(sent["platform_version"].as_str().unwrap_or_default()));
        sent["platform_version"] = other.clone();
        sent["metadata"]["platform_version"] = other;
    }
}

fn replace_version_in_answer(route: &Route, body: &mut Value, other: fn(&str) -> String) {
    if let Some(data) = body.get_mut("data") {
        replace_version_in_heartbeat(route, data, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_clauses_exist() {
        for (place, behaviour) in BEHAVIOURS.iter().enumerate() {
            assert!(BEHAVIOURS[..place].iter().all(|other| other.name != behaviour.name));
            for clause in behaviour.clauses {
                let id = clause.parse().expect("a clause's id");
                assert!(covenant_model::contract::V1_2026_05.clause(id).is_some(), "{clause}");
            }
        }
    }
}

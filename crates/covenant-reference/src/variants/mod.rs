//! The ways in which the embedded target can differ and still keep every clause.

mod accepts_integral_float_versions;
mod adds_unknown_members;
mod applies_loose_rate_limit;
mod applies_strict_rate_limit;
mod blocks_inbound_during_outbound_calls;
mod checks_excerpts_every_six_minutes;
mod closes_connection_after_each_response;
pub(crate) mod contract_text_2026_06;
mod declares_capabilities_at_heartbeat;
mod delays_responses;
mod derives_crossing_from_jurisdiction;
mod discloses_in_responses_only;
mod discloses_pgp_fingerprint_as_contact;
mod enrols_at_first_heartbeat;
mod exchanges_ca_certificates;
mod http1_only;
mod http2_only;
mod ignores_payload_id_on_sync;
mod ignores_replayed_batches;
mod ipv6;
mod issues_plain_grant_tokens;
mod keeps_anonymous_peer_accepted;
mod lists_contract_versions_as_strings;
mod lists_unmounted_addresses;
mod merges_repeated_findings;
mod offers_extra_contract_versions;
mod omits_residency_from_heartbeat_responses;
mod omits_success_member;
mod prefixes_contract_versions_with_v;
mod pretty_prints_json;
mod promises_excerpts_in_71_hours;
mod promises_excerpts_in_72_hours;
mod renames_findings;
mod reports_eleven_grants;
mod reports_enumeration_after_20_rejections;
mod reports_enumeration_at_first_rejection;
mod reports_residency_change_of_recipients;
mod requires_credentials_at_accept;
mod returns_200_for_failed_plans;
mod returns_400_for_422;
mod returns_403_for_401;
mod reverses_json_members;
mod runs_behind_tls_proxy;
mod runs_clock_a_minute_ahead;
mod runs_next_major_release;
mod sends_chunked_bodies;
mod sends_errors_without_code;
mod sends_frequent_heartbeats;
mod sends_full_envelopes;
mod sends_null_members;
mod suspends_at_the_fourth_breach;
mod suspends_at_the_second_breach;
mod suspends_on_timer;
mod syncs_integers_as_floats;
mod tls12_only;
mod treats_admin_as_every_scope;
mod writes_extra_audit_entries;
mod writes_uppercase_digests;

use super::Patch;

/// Every variant.
pub const VARIANTS: &[&Patch] = &[
    &declares_capabilities_at_heartbeat::PATCH,
    &adds_unknown_members::PATCH,
    &sends_null_members::PATCH,
    &omits_success_member::PATCH,
    &sends_full_envelopes::PATCH,
    &sends_errors_without_code::PATCH,
    &promises_excerpts_in_71_hours::PATCH,
    &promises_excerpts_in_72_hours::PATCH,
    &checks_excerpts_every_six_minutes::PATCH,
    &writes_extra_audit_entries::PATCH,
    &http1_only::PATCH,
    &http2_only::PATCH,
    &ipv6::PATCH,
    &tls12_only::PATCH,
    &sends_chunked_bodies::PATCH,
    &pretty_prints_json::PATCH,
    &accepts_integral_float_versions::PATCH,
    &syncs_integers_as_floats::PATCH,
    &reverses_json_members::PATCH,
    &closes_connection_after_each_response::PATCH,
    &delays_responses::PATCH,
    &blocks_inbound_during_outbound_calls::PATCH,
    &returns_403_for_401::PATCH,
    &returns_400_for_422::PATCH,
    &returns_200_for_failed_plans::PATCH,
    &applies_strict_rate_limit::PATCH,
    &applies_loose_rate_limit::PATCH,
    &sends_frequent_heartbeats::PATCH,
    &runs_behind_tls_proxy::PATCH,
    &renames_findings::PATCH,
    &discloses_pgp_fingerprint_as_contact::PATCH,
    &discloses_in_responses_only::PATCH,
    &writes_uppercase_digests::PATCH,
    &lists_contract_versions_as_strings::PATCH,
    &prefixes_contract_versions_with_v::PATCH,
    &lists_unmounted_addresses::PATCH,
    &merges_repeated_findings::PATCH,
    &derives_crossing_from_jurisdiction::PATCH,
    &omits_residency_from_heartbeat_responses::PATCH,
    &reports_residency_change_of_recipients::PATCH,
    &offers_extra_contract_versions::PATCH,
    &keeps_anonymous_peer_accepted::PATCH,
    &enrols_at_first_heartbeat::PATCH,
    &requires_credentials_at_accept::PATCH,
    &exchanges_ca_certificates::PATCH,
    &suspends_at_the_second_breach::PATCH,
    &suspends_at_the_fourth_breach::PATCH,
    &suspends_on_timer::PATCH,
    &reports_enumeration_at_first_rejection::PATCH,
    &reports_enumeration_after_20_rejections::PATCH,
    &reports_eleven_grants::PATCH,
    &treats_admin_as_every_scope::PATCH,
    &runs_clock_a_minute_ahead::PATCH,
    &issues_plain_grant_tokens::PATCH,
    &runs_next_major_release::PATCH,
    &ignores_replayed_batches::PATCH,
    &ignores_payload_id_on_sync::PATCH,
    &contract_text_2026_06::KEEPS,
    &contract_text_2026_06::SUSPENDS,
];

/// Returns the variant of that name.
#[must_use]
pub fn variant(name: &str) -> Option<&'static Patch> {
    VARIANTS.iter().copied().find(|patch| patch.name == name)
}

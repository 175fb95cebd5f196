//! Ways in which the embedded target can validly be different: everything is still kept.

mod admin_implies_all;
mod ahead_of_time;
mod attested_contact;
mod audits_more;
mod bare_envelopes;
mod bare_refusals;
mod beats_often;
mod behind_a_proxy;
mod capital_digests;
mod chunked_bodies;
mod closes_connections;
mod crosses_by_jurisdiction;
mod declares_at_the_heartbeat;
mod discloses_at_the_handshake_only;
mod enrols_at_the_heartbeat;
mod excerpts_at_the_last_second;
mod exchanges_authorities;
mod extra_members;
mod fails_plans_with_200;
mod forbids_with_403;
mod http1_only;
mod http2_only;
mod ipv6;
mod knows_a_later_contract;
mod leaves_the_anonymous_accepted;
mod lists_unmounted_addresses;
mod loose_limits;
mod merges_repeats;
mod minds_moves_of_what_it_sent;
mod names_versions_freely;
mod null_members;
mod older_grant_tokens;
mod one_thing_at_a_time;
mod other_finding_names;
mod passes_over_replays;
mod patient_about_walks;
mod pretty_bodies;
mod promises_excerpts;
mod reads_whole_fractions;
mod reports_overdue_excerpts_by_the_sweep;
mod reversed_members;
mod runs_another_major;
mod says_400_for_422;
mod slow_answers;
mod strict_about_grants;
mod strict_about_walks;
mod strict_limits;
mod suspends_at_the_fourth_breach;
mod suspends_at_the_second_breach;
mod suspends_by_the_timer;
mod takes_records_of_two_ids;
mod tells_its_place_unasked;
mod tls12_only;
mod wants_credentials;
mod whole_envelopes;
mod writes_versions_as_text;
mod writes_whole_fractions;

use super::Patch;

/// Every variant.
pub const VARIANTS: &[&Patch] = &[
    &declares_at_the_heartbeat::PATCH,
    &extra_members::PATCH,
    &null_members::PATCH,
    &bare_envelopes::PATCH,
    &whole_envelopes::PATCH,
    &bare_refusals::PATCH,
    &promises_excerpts::PATCH,
    &excerpts_at_the_last_second::PATCH,
    &reports_overdue_excerpts_by_the_sweep::PATCH,
    &audits_more::PATCH,
    &http1_only::PATCH,
    &http2_only::PATCH,
    &ipv6::PATCH,
    &tls12_only::PATCH,
    &chunked_bodies::PATCH,
    &pretty_bodies::PATCH,
    &reads_whole_fractions::PATCH,
    &writes_whole_fractions::PATCH,
    &reversed_members::PATCH,
    &closes_connections::PATCH,
    &slow_answers::PATCH,
    &one_thing_at_a_time::PATCH,
    &forbids_with_403::PATCH,
    &says_400_for_422::PATCH,
    &fails_plans_with_200::PATCH,
    &strict_limits::PATCH,
    &loose_limits::PATCH,
    &beats_often::PATCH,
    &behind_a_proxy::PATCH,
    &other_finding_names::PATCH,
    &attested_contact::PATCH,
    &discloses_at_the_handshake_only::PATCH,
    &capital_digests::PATCH,
    &writes_versions_as_text::PATCH,
    &names_versions_freely::PATCH,
    &lists_unmounted_addresses::PATCH,
    &merges_repeats::PATCH,
    &crosses_by_jurisdiction::PATCH,
    &tells_its_place_unasked::PATCH,
    &minds_moves_of_what_it_sent::PATCH,
    &knows_a_later_contract::PATCH,
    &leaves_the_anonymous_accepted::PATCH,
    &enrols_at_the_heartbeat::PATCH,
    &wants_credentials::PATCH,
    &exchanges_authorities::PATCH,
    &suspends_at_the_second_breach::PATCH,
    &suspends_at_the_fourth_breach::PATCH,
    &suspends_by_the_timer::PATCH,
    &strict_about_walks::PATCH,
    &patient_about_walks::PATCH,
    &strict_about_grants::PATCH,
    &admin_implies_all::PATCH,
    &ahead_of_time::PATCH,
    &older_grant_tokens::PATCH,
    &runs_another_major::PATCH,
    &passes_over_replays::PATCH,
    &takes_records_of_two_ids::PATCH,
];

/// The variant of that name.
#[must_use]
pub fn variant(name: &str) -> Option<&'static Patch> {
    VARIANTS.iter().copied().find(|patch| patch.name == name)
}

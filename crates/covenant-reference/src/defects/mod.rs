//! Ways in which the embedded target can break the contract: one file each, each mutates the fewest
//! decisions that break its clauses. In the order of the clauses.

mod adds_allowlists_up;
mod agrees_to_another_version;
mod allows_a_minute_more;
mod alters_what_it_syncs;
mod announces_grant_ends_once;
mod announces_revocations_once;
mod announces_the_end_a_day_late;
mod announces_too_late;
mod applies_part_and_claims_all;
mod asks_for_the_contact_only;
mod audits_an_anonymous_peer;
mod audits_no_calls_of_its_own;
mod audits_no_refusals;
mod audits_no_refusals_but_more;
mod audits_nobody;
mod audits_twice;
mod audits_under_its_own_name;
mod beats_without_rest;
mod blames_a_bystander;
mod breaks_a_day_early;
mod breaks_migrations_without_notice;
mod breaks_without_notice;
mod calls_leavers_suspended;
mod calls_overwritten_skipped;
mod checks_the_order_as_it_goes;
mod checks_versions_at_the_handshake;
mod claims_skipped_as_applied;
mod cleans_up_what_it_sent;
mod commits_by_fours;
mod commits_step_by_step;
mod commits_the_opened_step_by_step;
mod compares_versions_as_text;
mod copies_every_grant;
mod counts_a_mismatch_once;
mod counts_a_mismatch_twice;
mod counts_breaches_by_the_hour;
mod counts_by_the_hour;
mod counts_no_handshakes;
mod counts_the_patch;
mod cries_at_ten_grants;
mod crosses_without_telling;
mod cuts_off_leavers;
mod cuts_off_the_deprecated;
mod cuts_open_migrations;
mod cuts_the_last_minute;
mod declares_a_blank_residency;
mod declares_a_filter_it_ignores;
mod declares_a_kind_it_refuses;
mod deletes_for_leavers;
mod deletes_originals_at_once;
mod deletes_what_was_migrated;
mod deletes_with_the_archive;
mod deprecates_without_a_word;
mod discloses_a_blank_jurisdiction;
mod discloses_a_blank_release;
mod discloses_a_day_late;
mod discloses_half_a_version;
mod discloses_half_an_hour_late;
mod discloses_no_address;
mod discloses_no_jurisdiction;
mod discloses_no_last_known_good_release;
mod discloses_no_operator_contact;
mod discloses_no_residency;
mod discloses_to_no_one;
mod discloses_to_one_partner;
mod discloses_to_the_active_only;
mod discloses_to_the_invited_only;
mod discloses_vague_version;
mod drops_a_scope;
mod drops_findings_of_low_severity;
mod drops_what_neighbours_bring;
mod drops_what_older_majors_bring;
mod echoes_its_callers;
mod ends_grants_in_rounds;
mod ends_grants_without_a_word;
mod enrols_the_anonymous;
mod enrols_whoever_beats;
mod enrols_whom_it_refuses;
mod expires_grants_a_day_early;
mod explains_too_much;
mod files_by_the_payload;
mod files_foreign_entries;
mod files_steps_by_the_payload;
mod filters_by_any_key;
mod filters_reads_and_not_streams;
mod finds_a_grant_by_itself;
mod follows_up_on_what_it_sent;
mod forgets_calls_after_a_sync;
mod forgets_its_conflict_log;
mod forgets_the_audit;
mod forgets_the_audit_of_leavers;
mod forgets_what_it_commits;
mod gives_empty_excerpts;
mod goes_on_past_a_conflict;
mod grants_at_enrolment;
mod grants_the_grace_once;
mod hides_a_conflict;
mod hides_its_agents;
mod holds_on_to_the_suspended;
mod honours_archived_grants;
mod honours_dismissed_invitations;
mod honours_revoked_grants;
mod ignores_a_leave;
mod ignores_instance_lists;
mod ignores_the_digest;
mod invents_a_conflict;
mod joins_any_contract;
mod joins_any_text;
mod joins_its_like_only;
mod joins_on_a_deprecated_version;
mod joins_the_anonymous;
mod joins_without_a_word;
mod keeps_no_digest;
mod keeps_soft_findings_to_itself;
mod keeps_the_active;
mod keeps_the_digest_of_nothing;
mod keeps_the_grace_open;
mod keeps_the_overlay_of_leavers;
mod keeps_what_came_before_a_failure;
mod knocks_without_rest;
mod leaves_refusals_out_of_excerpts;
mod leaves_the_overlay_mounted;
mod leaves_the_suspended_untold;
mod lets_a_deprecated_version_in;
mod lets_anyone_delete;
mod lets_in_its_like_only;
mod lets_leavers_in;
mod lets_the_dismissed_in;
mod lets_the_revoked_in;
mod limits_all_together;
mod limits_nobody;
mod limits_without_a_word;
mod loses_its_place_in_a_stream;
mod loses_late_conflicts;
mod makes_fresh_ids_for_duplicates;
mod marks_as_deleted;
mod measures_grace_from_the_opening;
mod migrates_beyond_the_grant;
mod migrates_the_undeclared;
mod minds_expired_grants;
mod minds_refusals_after_the_grace;
mod narrows_a_grant;
mod never_suspends;
mod obeys_who_demands_deletion;
mod offers_sign_in;
mod overlooks_a_cut_grace;
mod overlooks_a_mismatch;
mod overlooks_absence;
mod overlooks_bogus_claims;
mod overlooks_bogus_kinds;
mod overlooks_bogus_schemas;
mod overlooks_broken_grants;
mod overlooks_changed_records;
mod overlooks_dropped_scopes;
mod overlooks_invented_conflicts;
mod overlooks_many_grants;
mod overlooks_mass_grants;
mod overlooks_missing_records;
mod overlooks_missing_residency;
mod overlooks_moved_residency;
mod overlooks_overdue_excerpts;
mod overlooks_silence;
mod overlooks_sync_after_migration;
mod overlooks_undisclosed_heartbeats;
mod overlooks_version_drift;
mod overlooks_walks;
mod overlooks_wide_grants;
mod passes_migrations_on;
mod probes_what_no_one_declared;
mod promises_a_second_too_late;
mod promises_excerpts_too_late;
mod pushes_sync_to_anonymous_clients;
mod reads_a_leading_v;
mod reads_over_a_leading_v;
mod records_crossings_backwards;
mod records_crossings_from_where_it_began;
mod records_no_crossing;
mod records_the_peers_place_twice;
mod records_what_it_refuses;
mod refuses_pre_releases;
mod refuses_the_minor_before;
mod rejects_the_schema_it_declares;
mod remaps_ids;
mod remaps_nested_references;
mod renames_ids;
mod renames_ids_with_slugs;
mod replicates_its_audit;
mod reports_idle_moves_only;
mod reports_no_corrupt_stream;
mod reports_nothing;
mod revokes_by_event_only;
mod revokes_by_status_only;
mod revokes_without_a_word;
mod runs_the_first_schema_only;
mod sends_across_without_telling;
mod serves_another_kind;
mod serves_beyond_the_id;
mod serves_expired_grants;
mod serves_half_the_alphabet;
mod serves_on_through_the_grace;
mod serves_on_whom_it_had_degraded;
mod serves_the_newest_contract_only;
mod serves_the_oldest_contract_only;
mod serves_the_undeclared;
mod shows_all_to_those_who_return;
mod shows_everyones_audit;
mod shows_everyones_migrations;
mod shows_its_inside;
mod shows_migrations_to_anyone;
mod signs_in_by_redirect;
mod sorts_before_it_digests;
mod sorts_versions_as_text;
mod storms_when_refused;
mod suspects_every_newcomer;
mod suspects_every_stream;
mod suspects_the_new;
mod suspends_at_once;
mod suspends_in_name_only;
mod sweeps_by_the_quarter_hour;
mod syncs_across_versions;
mod syncs_by_policy_alone;
mod syncs_by_the_period;
mod syncs_everything;
mod syncs_in_what_is_for_migration_only;
mod syncs_other_content;
mod syncs_undeclared_kinds;
mod syncs_what_matches;
mod syncs_what_was_migrated;
mod takes_401_for_a_mistake;
mod takes_a_blank_for_a_place;
mod takes_a_blank_for_a_version;
mod takes_a_refusal_for_an_excerpt;
mod takes_a_short_notice;
mod takes_a_word_for_a_version;
mod takes_any_contract_version;
mod takes_any_cursor;
mod takes_any_digest;
mod takes_any_major;
mod takes_any_notice_for_enough;
mod takes_any_step_order;
mod takes_any_text_as_disclosed;
mod takes_anyones_grant;
mod takes_back_what_it_migrated;
mod takes_deletions_from_readers;
mod takes_earlier_batches;
mod takes_forged_tokens;
mod takes_four_minutes_for_the_grace;
mod takes_garbage_for_a_version;
mod takes_late_disclosure_for_timely;
mod takes_payloads_of_other_ids;
mod takes_readers_for_migrants;
mod takes_repeated_records;
mod takes_silence_for_an_acknowledgement;
mod takes_silence_from_the_certified;
mod takes_text_for_an_acknowledgement;
mod takes_two_minors_apart;
mod tears_down_first;
mod tells_another_digest;
mod tells_that_it_migrated_only;
mod thinks_the_grace_is_over;
mod thins_the_audit;
mod trusts_destinations;
mod trusts_open_connections;
mod trusts_the_compromised;
mod unlearns_the_acknowledgement;
mod unlearns_whom_it_dismissed;
mod unmounts_the_first_address;
mod waits_a_day_for_silence;
mod waits_a_week_for_excerpts;
mod writes_for_readers;
mod writes_grants_off_a_day_early;

use super::Patch;

/// Every defect, in the order of the clauses.
pub const DEFECTS: &[&Patch] = &[
    &discloses_no_operator_contact::PATCH,
    &discloses_no_address::PATCH,
    &discloses_no_jurisdiction::PATCH,
    &discloses_a_blank_jurisdiction::PATCH,
    &discloses_no_last_known_good_release::PATCH,
    &discloses_a_blank_release::PATCH,
    &discloses_vague_version::PATCH,
    &discloses_half_a_version::PATCH,
    &echoes_its_callers::PATCH,
    &discloses_no_residency::PATCH,
    &declares_a_blank_residency::PATCH,
    &enrols_the_anonymous::PATCH,
    &asks_for_the_contact_only::PATCH,
    &takes_any_text_as_disclosed::PATCH,
    &enrols_whoever_beats::PATCH,
    &reads_over_a_leading_v::PATCH,
    &overlooks_undisclosed_heartbeats::PATCH,
    &takes_a_blank_for_a_version::PATCH,
    &takes_a_word_for_a_version::PATCH,
    &expires_grants_a_day_early::PATCH,
    &cuts_the_last_minute::PATCH,
    &serves_expired_grants::PATCH,
    &ends_grants_in_rounds::PATCH,
    &honours_revoked_grants::PATCH,
    &honours_archived_grants::PATCH,
    &drops_a_scope::PATCH,
    &narrows_a_grant::PATCH,
    &declares_a_kind_it_refuses::PATCH,
    &serves_half_the_alphabet::PATCH,
    &hides_its_agents::PATCH,
    &rejects_the_schema_it_declares::PATCH,
    &runs_the_first_schema_only::PATCH,
    &declares_a_filter_it_ignores::PATCH,
    &filters_reads_and_not_streams::PATCH,
    &filters_by_any_key::PATCH,
    &overlooks_bogus_claims::PATCH,
    &suspects_every_newcomer::PATCH,
    &suspects_every_stream::PATCH,
    &suspects_the_new::PATCH,
    &cuts_open_migrations::PATCH,
    &cuts_off_leavers::PATCH,
    &keeps_the_grace_open::PATCH,
    &measures_grace_from_the_opening::PATCH,
    &grants_the_grace_once::PATCH,
    &forgets_what_it_commits::PATCH,
    &overlooks_a_cut_grace::PATCH,
    &thinks_the_grace_is_over::PATCH,
    &minds_refusals_after_the_grace::PATCH,
    &takes_four_minutes_for_the_grace::PATCH,
    &lets_the_revoked_in::PATCH,
    &lets_leavers_in::PATCH,
    &trusts_open_connections::PATCH,
    &lets_the_dismissed_in::PATCH,
    &serves_on_whom_it_had_degraded::PATCH,
    &serves_on_through_the_grace::PATCH,
    &audits_no_refusals::PATCH,
    &files_foreign_entries::PATCH,
    &audits_no_refusals_but_more::PATCH,
    &audits_twice::PATCH,
    &audits_no_calls_of_its_own::PATCH,
    &audits_under_its_own_name::PATCH,
    &audits_nobody::PATCH,
    &audits_an_anonymous_peer::PATCH,
    &shows_everyones_audit::PATCH,
    &shows_all_to_those_who_return::PATCH,
    &shows_everyones_migrations::PATCH,
    &gives_empty_excerpts::PATCH,
    &leaves_refusals_out_of_excerpts::PATCH,
    &promises_excerpts_too_late::PATCH,
    &promises_a_second_too_late::PATCH,
    &limits_nobody::PATCH,
    &counts_no_handshakes::PATCH,
    &limits_without_a_word::PATCH,
    &limits_all_together::PATCH,
    &counts_by_the_hour::PATCH,
    &forgets_calls_after_a_sync::PATCH,
    &grants_at_enrolment::PATCH,
    &copies_every_grant::PATCH,
    &overlooks_mass_grants::PATCH,
    &overlooks_wide_grants::PATCH,
    &overlooks_many_grants::PATCH,
    &cries_at_ten_grants::PATCH,
    &alters_what_it_syncs::PATCH,
    &syncs_other_content::PATCH,
    &loses_its_place_in_a_stream::PATCH,
    &blames_a_bystander::PATCH,
    &takes_any_digest::PATCH,
    &sorts_before_it_digests::PATCH,
    &takes_any_cursor::PATCH,
    &takes_earlier_batches::PATCH,
    &takes_repeated_records::PATCH,
    &files_by_the_payload::PATCH,
    &reports_no_corrupt_stream::PATCH,
    &overlooks_walks::PATCH,
    &probes_what_no_one_declared::PATCH,
    &syncs_undeclared_kinds::PATCH,
    &migrates_beyond_the_grant::PATCH,
    &migrates_the_undeclared::PATCH,
    &takes_anyones_grant::PATCH,
    &serves_beyond_the_id::PATCH,
    &serves_another_kind::PATCH,
    &takes_readers_for_migrants::PATCH,
    &takes_forged_tokens::PATCH,
    &ignores_instance_lists::PATCH,
    &shows_migrations_to_anyone::PATCH,
    &adds_allowlists_up::PATCH,
    &explains_too_much::PATCH,
    &serves_the_undeclared::PATCH,
    &finds_a_grant_by_itself::PATCH,
    &shows_its_inside::PATCH,
    &takes_deletions_from_readers::PATCH,
    &writes_for_readers::PATCH,
    &commits_step_by_step::PATCH,
    &commits_by_fours::PATCH,
    &checks_the_order_as_it_goes::PATCH,
    &commits_the_opened_step_by_step::PATCH,
    &keeps_what_came_before_a_failure::PATCH,
    &takes_any_step_order::PATCH,
    &applies_part_and_claims_all::PATCH,
    &goes_on_past_a_conflict::PATCH,
    &claims_skipped_as_applied::PATCH,
    &hides_a_conflict::PATCH,
    &loses_late_conflicts::PATCH,
    &forgets_its_conflict_log::PATCH,
    &invents_a_conflict::PATCH,
    &calls_overwritten_skipped::PATCH,
    &remaps_ids::PATCH,
    &makes_fresh_ids_for_duplicates::PATCH,
    &renames_ids::PATCH,
    &renames_ids_with_slugs::PATCH,
    &remaps_nested_references::PATCH,
    &takes_payloads_of_other_ids::PATCH,
    &files_steps_by_the_payload::PATCH,
    &syncs_in_what_is_for_migration_only::PATCH,
    &syncs_by_policy_alone::PATCH,
    &syncs_by_the_period::PATCH,
    &syncs_what_matches::PATCH,
    &sweeps_by_the_quarter_hour::PATCH,
    &follows_up_on_what_it_sent::PATCH,
    &overlooks_sync_after_migration::PATCH,
    &crosses_without_telling::PATCH,
    &sends_across_without_telling::PATCH,
    &tells_that_it_migrated_only::PATCH,
    &records_no_crossing::PATCH,
    &records_crossings_backwards::PATCH,
    &records_crossings_from_where_it_began::PATCH,
    &records_the_peers_place_twice::PATCH,
    &overlooks_missing_residency::PATCH,
    &takes_a_blank_for_a_place::PATCH,
    &overlooks_moved_residency::PATCH,
    &reports_idle_moves_only::PATCH,
    &trusts_the_compromised::PATCH,
    &suspends_in_name_only::PATCH,
    &takes_late_disclosure_for_timely::PATCH,
    &allows_a_minute_more::PATCH,
    &refuses_the_minor_before::PATCH,
    &counts_the_patch::PATCH,
    &refuses_pre_releases::PATCH,
    &lets_in_its_like_only::PATCH,
    &joins_its_like_only::PATCH,
    &drops_what_neighbours_bring::PATCH,
    &sorts_versions_as_text::PATCH,
    &takes_two_minors_apart::PATCH,
    &compares_versions_as_text::PATCH,
    &takes_garbage_for_a_version::PATCH,
    &reads_a_leading_v::PATCH,
    &syncs_across_versions::PATCH,
    &pushes_sync_to_anonymous_clients::PATCH,
    &overlooks_version_drift::PATCH,
    &checks_versions_at_the_handshake::PATCH,
    &takes_any_major::PATCH,
    &takes_any_notice_for_enough::PATCH,
    &breaks_without_notice::PATCH,
    &breaks_migrations_without_notice::PATCH,
    &drops_what_older_majors_bring::PATCH,
    &breaks_a_day_early::PATCH,
    &takes_a_short_notice::PATCH,
    &holds_on_to_the_suspended::PATCH,
    &honours_dismissed_invitations::PATCH,
    &keeps_the_active::PATCH,
    &ignores_a_leave::PATCH,
    &calls_leavers_suspended::PATCH,
    &deletes_what_was_migrated::PATCH,
    &marks_as_deleted::PATCH,
    &deletes_for_leavers::PATCH,
    &obeys_who_demands_deletion::PATCH,
    &takes_back_what_it_migrated::PATCH,
    &deletes_with_the_archive::PATCH,
    &lets_anyone_delete::PATCH,
    &forgets_the_audit::PATCH,
    &forgets_the_audit_of_leavers::PATCH,
    &thins_the_audit::PATCH,
    &leaves_the_overlay_mounted::PATCH,
    &unmounts_the_first_address::PATCH,
    &keeps_the_overlay_of_leavers::PATCH,
    &agrees_to_another_version::PATCH,
    &tells_another_digest::PATCH,
    &takes_any_contract_version::PATCH,
    &takes_text_for_an_acknowledgement::PATCH,
    &takes_silence_for_an_acknowledgement::PATCH,
    &takes_silence_from_the_certified::PATCH,
    &joins_without_a_word::PATCH,
    &ignores_the_digest::PATCH,
    &records_what_it_refuses::PATCH,
    &keeps_no_digest::PATCH,
    &keeps_the_digest_of_nothing::PATCH,
    &serves_the_newest_contract_only::PATCH,
    &serves_the_oldest_contract_only::PATCH,
    &lets_a_deprecated_version_in::PATCH,
    &cuts_off_the_deprecated::PATCH,
    &joins_on_a_deprecated_version::PATCH,
    &overlooks_a_mismatch::PATCH,
    &counts_a_mismatch_once::PATCH,
    &counts_a_mismatch_twice::PATCH,
    &unlearns_the_acknowledgement::PATCH,
    &unlearns_whom_it_dismissed::PATCH,
    &reports_nothing::PATCH,
    &never_suspends::PATCH,
    &counts_breaches_by_the_hour::PATCH,
    &suspends_at_once::PATCH,
    &keeps_soft_findings_to_itself::PATCH,
    &drops_findings_of_low_severity::PATCH,
    &passes_migrations_on::PATCH,
    &offers_sign_in::PATCH,
    &signs_in_by_redirect::PATCH,
    &replicates_its_audit::PATCH,
    &revokes_without_a_word::PATCH,
    &announces_too_late::PATCH,
    &tears_down_first::PATCH,
    &leaves_the_suspended_untold::PATCH,
    &announces_revocations_once::PATCH,
    &revokes_by_status_only::PATCH,
    &revokes_by_event_only::PATCH,
    &overlooks_silence::PATCH,
    &overlooks_absence::PATCH,
    &waits_a_day_for_silence::PATCH,
    &storms_when_refused::PATCH,
    &beats_without_rest::PATCH,
    &knocks_without_rest::PATCH,
    &overlooks_bogus_kinds::PATCH,
    &overlooks_bogus_schemas::PATCH,
    &trusts_destinations::PATCH,
    &overlooks_missing_records::PATCH,
    &overlooks_changed_records::PATCH,
    &overlooks_invented_conflicts::PATCH,
    &deletes_originals_at_once::PATCH,
    &cleans_up_what_it_sent::PATCH,
    &syncs_what_was_migrated::PATCH,
    &syncs_everything::PATCH,
    &joins_any_contract::PATCH,
    &joins_any_text::PATCH,
    &joins_the_anonymous::PATCH,
    &enrols_whom_it_refuses::PATCH,
    &overlooks_broken_grants::PATCH,
    &overlooks_dropped_scopes::PATCH,
    &takes_401_for_a_mistake::PATCH,
    &minds_expired_grants::PATCH,
    &writes_grants_off_a_day_early::PATCH,
    &overlooks_overdue_excerpts::PATCH,
    &takes_a_refusal_for_an_excerpt::PATCH,
    &waits_a_week_for_excerpts::PATCH,
    &discloses_to_one_partner::PATCH,
    &discloses_to_the_active_only::PATCH,
    &discloses_to_the_invited_only::PATCH,
    &discloses_a_day_late::PATCH,
    &discloses_half_an_hour_late::PATCH,
    &discloses_to_no_one::PATCH,
    &ends_grants_without_a_word::PATCH,
    &announces_grant_ends_once::PATCH,
    &deprecates_without_a_word::PATCH,
    &announces_the_end_a_day_late::PATCH,
];

/// The defect of that name.
#[must_use]
pub fn defect(name: &str) -> Option<&'static Patch> {
    DEFECTS.iter().copied().find(|patch| patch.name == name)
}

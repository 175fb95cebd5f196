//! The ways in which the embedded target can break the contract: one file each, in the order of the clauses.
//! Each defect mutates the fewest decisions that break its clauses.

mod aborts_join_of_adjacent_minor;
mod accepts_any_batch_digest;
mod accepts_any_contract_version;
mod accepts_any_major_version;
mod accepts_any_step_order;
mod accepts_any_sync_cursor;
mod accepts_any_text_as_version;
mod accepts_any_value_as_disclosure;
mod accepts_audit_replication;
mod accepts_blank_residency;
mod accepts_blank_version;
mod accepts_call_without_grant_token;
mod accepts_delete_request_on_resource;
mod accepts_deletion_from_any_peer;
mod accepts_deprecated_contract_version;
mod accepts_duplicate_records;
mod accepts_federated_sign_in;
mod accepts_first_schema_version_only;
mod accepts_forged_tokens;
mod accepts_grant_of_another_peer;
mod accepts_handshake_on_revoked_proposal;
mod accepts_leading_v_in_disclosure;
mod accepts_leading_v_in_running_version;
mod accepts_malformed_contract_version;
mod accepts_migration_beyond_grant;
mod accepts_migration_of_undeclared_kind;
mod accepts_mismatched_contract_digest;
mod accepts_mismatched_payload_ids;
mod accepts_missing_contract_version;
mod accepts_newest_contract_version_only;
mod accepts_oldest_contract_version_only;
mod accepts_rejection_as_excerpt;
mod accepts_reordered_records;
mod accepts_rewound_batches;
mod accepts_sync_from_incompatible_peer;
mod accepts_sync_of_migration_only_kind;
mod accepts_version_two_minors_away;
mod accepts_write_request_on_resource;
mod agrees_to_other_contract_version;
mod alters_records_after_digest;
mod alters_records_before_digest;
mod announces_deprecation_a_day_late;
mod applies_minute_limit_per_hour;
mod applies_no_rate_limit;
mod attributes_mass_grants_to_oldest_peer;
mod audits_successes_twice_rejections_never;
mod claims_unapplied_last_step;
mod commits_every_four_steps;
mod commits_opened_migration_step_by_step;
mod commits_step_by_step;
mod compares_first_digit_of_minor_version;
mod confirms_commit_without_storing;
mod contract_text_2026_06;
mod counts_24_hours_from_declaration;
mod counts_mismatch_against_12_only;
mod counts_mismatch_against_3_and_12_only;
mod counts_skipped_steps_as_applied;
mod declares_a_blank_residency;
mod declares_a_filter_it_ignores;
mod deletes_audit_of_revoking_peer;
mod deletes_audit_on_revocation;
mod deletes_migrated_records_on_archival;
mod deletes_migrated_records_on_revocation;
mod deletes_originals_without_verification;
mod deletes_records_of_revoking_peer;
mod deletes_records_on_revoking_peer_demand;
mod deletes_remote_copies_on_revocation;
mod deletes_sent_records_after_a_day;
mod denies_grace_to_revoking_peer;
mod denies_migration_grace;
mod discards_adjacent_minor_migrations;
mod discards_previous_major_data;
mod discloses_a_blank_jurisdiction;
mod discloses_a_blank_last_good_release;
mod discloses_compromise_after_25_hours;
mod discloses_compromise_to_active_only;
mod discloses_compromise_to_invited_only;
mod discloses_compromise_to_one_partner;
mod discloses_contact_without_address;
mod discloses_no_jurisdiction;
mod discloses_no_last_known_good_release;
mod discloses_no_operator_contact;
mod discloses_no_residency;
mod discloses_non_semver_version;
mod discloses_two_part_version;
mod drops_conflict_log_from_record;
mod drops_migrate_scope_after_a_day;
mod drops_previous_major_without_notice;
mod duplicates_audit_entries;
mod echoes_peer_disclosure_as_own;
mod ends_major_support_after_29_days;
mod ends_major_support_on_short_notice;
mod enrols_anonymous_peer;
mod enrols_blank_disclosure_at_heartbeat;
mod enrols_peer_after_rejecting_join;
mod expects_four_minutes_of_grace;
mod expires_grants_a_day_early;
mod expires_grants_a_minute_early;
mod expires_grants_once_a_minute;
mod exposes_internal_config;
mod exposes_migration_to_any_peer;
mod extends_grace_to_an_hour;
mod forgets_acknowledgement_at_peering_end;
mod forgets_acknowledgement_on_revoke;
mod forgets_breaches_after_an_hour;
mod forwards_multi_hop_migration;
mod honours_expired_grants;
mod honours_revoked_grants;
mod honours_revoked_grants_once_archived;
mod ignores_age_of_deprecation_notice;
mod ignores_destination_read_back;
mod ignores_instance_allowlists;
mod ignores_kind_of_grant;
mod ignores_rejection_on_grants_last_day;
mod ignores_residency_change_after_migration;
mod ignores_resource_id_of_grant;
mod ignores_revocation_by_peer;
mod ignores_version_change_after_handshake;
mod interchanges_read_and_migrate_scopes;
mod invents_a_conflict;
mod issues_extra_grants_per_operator_grant;
mod issues_grants_at_enrolment;
mod joins_anonymous_peer;
mod joins_despite_contract_mismatch;
mod joins_despite_digest_mismatch;
mod joins_with_deprecated_contract_version;
mod joins_without_contract_version;
mod keeps_compromised_peer_active;
mod keeps_overlay_of_revoking_peer;
mod keeps_steps_before_failure;
mod leaks_record_in_error_details;
mod leaves_the_overlay_mounted;
mod limits_flood_without_finding;
mod limits_grace_to_one_migration;
mod logs_every_conflict_as_skipped;
mod marks_records_deleted_on_revocation;
mod marks_revoking_peer_suspended;
mod matches_filter_on_any_key;
mod measures_grace_from_migration_opening;
mod narrows_grant_after_a_day;
mod never_discloses_compromise;
mod never_limits_handshakes;
mod never_retries_grant_revocation_notice;
mod never_retries_peer_revocation_notice;
mod never_suspends;
mod omits_corrupt_stream_finding;
mod omits_crossing_from_record;
mod omits_deprecation_notice;
mod omits_enumeration_finding;
mod omits_first_conflict_from_log;
mod omits_grant_revocation_notice;
mod omits_grant_subject_from_audit;
mod omits_inbound_crossing_event;
mod omits_late_conflicts_from_log;
mod omits_low_severity_findings;
mod omits_outbound_calls_from_audit;
mod omits_outbound_crossing_event;
mod omits_peer_id_from_audit;
mod omits_peer_revocation_notice;
mod omits_rejected_calls_from_audit;
mod omits_rejected_calls_from_excerpts;
mod omits_revocation_notice_to_suspended;
mod omits_soft_findings;
mod omits_sync_after_migration_finding;
mod opens_session_by_redirect;
mod orders_minor_versions_as_text;
mod overlooks_bogus_kinds;
mod overlooks_bogus_schemas;
mod overlooks_broken_grants;
mod overlooks_capability_drift;
mod overlooks_changed_records;
mod overlooks_changed_residency;
mod overlooks_contract_mismatch;
mod overlooks_denied_grace;
mod overlooks_dropped_scopes;
mod overlooks_grant_rejected_with_401;
mod overlooks_heartbeat_without_disclosure;
mod overlooks_invented_conflicts;
mod overlooks_late_disclosure;
mod overlooks_many_narrow_grants;
mod overlooks_mass_grants;
mod overlooks_missing_records;
mod overlooks_missing_residency;
mod overlooks_overdue_excerpts;
mod overlooks_silent_revocation;
mod overlooks_unreachable_peer;
mod overlooks_version_drift;
mod overlooks_wide_grants;
mod probes_undeclared_kinds;
mod promises_excerpt_a_second_late;
mod promises_excerpt_in_four_days;
mod raises_no_findings;
mod records_crossing_from_initial_residency;
mod records_peer_residency_at_both_ends;
mod records_platform_as_remote_subject;
mod records_version_of_rejected_accept;
mod rejects_accept_of_other_release;
mod rejects_declared_agents_as_not_found;
mod rejects_declared_kind;
mod rejects_declared_schema_version;
mod rejects_other_minor_versions;
mod rejects_pre_release_versions;
mod rejects_previous_major_migrations;
mod rejects_revocation_of_proposed_peer;
mod rejects_revocation_of_suspended_peer;
mod remaps_id_on_id_conflict;
mod remaps_id_on_slug_conflict;
mod remaps_ids_of_duplicates;
mod remaps_ids_of_non_root_records;
mod remaps_nested_references;
mod repeats_every_heartbeat;
mod reports_cut_only_after_grace;
mod reports_drift_of_every_enrolled_peer;
mod reports_drift_of_every_filtered_sync;
mod reports_migration_without_crossing;
mod reports_new_peer_not_missing_residency;
mod reports_overdue_excerpt_after_a_week;
mod reports_rejection_just_after_grace;
mod reports_rejection_of_expired_grant;
mod reports_silent_revocation_after_a_day;
mod reports_ten_grants;
mod requires_credentials_not_contract_version;
mod requires_equal_patch_version;
mod requires_operator_contact_only;
mod resends_duplicated_records;
mod resets_rate_limit_after_sync;
mod retries_heartbeat_without_backoff;
mod retries_join_without_backoff;
mod returns_wrong_contract_digest;
mod rewinds_sync_cursor_by_one_record;
mod sends_empty_excerpts;
mod sends_revocation_notice_a_minute_late;
mod sends_revoked_event_without_status;
mod sends_revoked_status_without_event;
mod sends_sync_to_incompatible_peer;
mod serves_half_of_declared_kinds;
mod serves_operator_revoked_peer;
mod serves_revoked_peer;
mod serves_revoked_peer_during_grace;
mod serves_revoked_peer_on_open_connection;
mod serves_revoked_peer_once_degraded;
mod serves_self_revoked_peer;
mod serves_suspended_peer;
mod serves_undeclared_kinds;
mod shares_rate_limit_across_peers;
mod shows_audit_of_all_peers;
mod shows_full_audit_to_readmitted_peer;
mod shows_migrations_of_all_peers_in_excerpt;
mod skips_conflict_with_fail_policy;
mod skips_filter_on_sync;
mod stores_digest_of_empty_text;
mod stores_excerpt_entries_in_own_audit;
mod stores_no_contract_digest;
mod stores_step_by_payload_id;
mod stores_synced_record_by_payload_id;
mod suspends_at_first_breach;
mod suspends_peers_on_deprecated_contract;
mod swaps_ends_of_recorded_crossing;
mod syncs_every_kind;
mod syncs_kinds_undeclared_by_peer;
mod syncs_migration_only_after_15_minutes;
mod syncs_migration_only_kinds;
mod syncs_migration_only_on_auto_policy;
mod syncs_migration_only_on_filter_match;
mod syncs_migration_only_periodically;
mod tears_down_before_notice;
mod tolerates_disclosure_a_minute_late;
mod treats_allowlists_as_alternatives;
mod treats_invalid_version_as_compatible;
mod truncates_audit_on_revocation;
mod unmounts_first_address_only;
mod validates_step_order_while_applying;

use super::Patch;

/// Every defect, in the order of the clauses.
pub const DEFECTS: &[&Patch] = &[
    &discloses_no_operator_contact::PATCH,
    &discloses_contact_without_address::PATCH,
    &discloses_no_jurisdiction::PATCH,
    &discloses_a_blank_jurisdiction::PATCH,
    &discloses_no_last_known_good_release::PATCH,
    &discloses_a_blank_last_good_release::PATCH,
    &discloses_non_semver_version::PATCH,
    &discloses_two_part_version::PATCH,
    &echoes_peer_disclosure_as_own::PATCH,
    &discloses_no_residency::PATCH,
    &declares_a_blank_residency::PATCH,
    &enrols_anonymous_peer::PATCH,
    &requires_operator_contact_only::PATCH,
    &accepts_any_value_as_disclosure::PATCH,
    &enrols_blank_disclosure_at_heartbeat::PATCH,
    &accepts_leading_v_in_disclosure::PATCH,
    &overlooks_heartbeat_without_disclosure::PATCH,
    &accepts_blank_version::PATCH,
    &accepts_any_text_as_version::PATCH,
    &expires_grants_a_day_early::PATCH,
    &expires_grants_a_minute_early::PATCH,
    &honours_expired_grants::PATCH,
    &expires_grants_once_a_minute::PATCH,
    &honours_revoked_grants::PATCH,
    &honours_revoked_grants_once_archived::PATCH,
    &drops_migrate_scope_after_a_day::PATCH,
    &narrows_grant_after_a_day::PATCH,
    &rejects_declared_kind::PATCH,
    &serves_half_of_declared_kinds::PATCH,
    &rejects_declared_agents_as_not_found::PATCH,
    &rejects_declared_schema_version::PATCH,
    &accepts_first_schema_version_only::PATCH,
    &declares_a_filter_it_ignores::PATCH,
    &skips_filter_on_sync::PATCH,
    &matches_filter_on_any_key::PATCH,
    &overlooks_capability_drift::PATCH,
    &reports_drift_of_every_enrolled_peer::PATCH,
    &reports_drift_of_every_filtered_sync::PATCH,
    &reports_new_peer_not_missing_residency::PATCH,
    &denies_migration_grace::PATCH,
    &denies_grace_to_revoking_peer::PATCH,
    &extends_grace_to_an_hour::PATCH,
    &measures_grace_from_migration_opening::PATCH,
    &limits_grace_to_one_migration::PATCH,
    &confirms_commit_without_storing::PATCH,
    &overlooks_denied_grace::PATCH,
    &reports_cut_only_after_grace::PATCH,
    &reports_rejection_just_after_grace::PATCH,
    &expects_four_minutes_of_grace::PATCH,
    &serves_revoked_peer::PATCH,
    &serves_self_revoked_peer::PATCH,
    &serves_revoked_peer_on_open_connection::PATCH,
    &serves_operator_revoked_peer::PATCH,
    &serves_revoked_peer_once_degraded::PATCH,
    &serves_revoked_peer_during_grace::PATCH,
    &omits_rejected_calls_from_audit::PATCH,
    &stores_excerpt_entries_in_own_audit::PATCH,
    &audits_successes_twice_rejections_never::PATCH,
    &duplicates_audit_entries::PATCH,
    &omits_outbound_calls_from_audit::PATCH,
    &records_platform_as_remote_subject::PATCH,
    &omits_grant_subject_from_audit::PATCH,
    &omits_peer_id_from_audit::PATCH,
    &shows_audit_of_all_peers::PATCH,
    &shows_full_audit_to_readmitted_peer::PATCH,
    &shows_migrations_of_all_peers_in_excerpt::PATCH,
    &sends_empty_excerpts::PATCH,
    &omits_rejected_calls_from_excerpts::PATCH,
    &promises_excerpt_in_four_days::PATCH,
    &promises_excerpt_a_second_late::PATCH,
    &applies_no_rate_limit::PATCH,
    &never_limits_handshakes::PATCH,
    &limits_flood_without_finding::PATCH,
    &shares_rate_limit_across_peers::PATCH,
    &applies_minute_limit_per_hour::PATCH,
    &resets_rate_limit_after_sync::PATCH,
    &issues_grants_at_enrolment::PATCH,
    &issues_extra_grants_per_operator_grant::PATCH,
    &overlooks_mass_grants::PATCH,
    &overlooks_wide_grants::PATCH,
    &overlooks_many_narrow_grants::PATCH,
    &reports_ten_grants::PATCH,
    &alters_records_after_digest::PATCH,
    &alters_records_before_digest::PATCH,
    &rewinds_sync_cursor_by_one_record::PATCH,
    &attributes_mass_grants_to_oldest_peer::PATCH,
    &accepts_any_batch_digest::PATCH,
    &accepts_reordered_records::PATCH,
    &accepts_any_sync_cursor::PATCH,
    &accepts_rewound_batches::PATCH,
    &accepts_duplicate_records::PATCH,
    &stores_synced_record_by_payload_id::PATCH,
    &omits_corrupt_stream_finding::PATCH,
    &omits_enumeration_finding::PATCH,
    &probes_undeclared_kinds::PATCH,
    &syncs_kinds_undeclared_by_peer::PATCH,
    &accepts_migration_beyond_grant::PATCH,
    &accepts_migration_of_undeclared_kind::PATCH,
    &accepts_grant_of_another_peer::PATCH,
    &ignores_resource_id_of_grant::PATCH,
    &ignores_kind_of_grant::PATCH,
    &interchanges_read_and_migrate_scopes::PATCH,
    &accepts_forged_tokens::PATCH,
    &ignores_instance_allowlists::PATCH,
    &exposes_migration_to_any_peer::PATCH,
    &treats_allowlists_as_alternatives::PATCH,
    &leaks_record_in_error_details::PATCH,
    &serves_undeclared_kinds::PATCH,
    &accepts_call_without_grant_token::PATCH,
    &exposes_internal_config::PATCH,
    &accepts_delete_request_on_resource::PATCH,
    &accepts_write_request_on_resource::PATCH,
    &commits_step_by_step::PATCH,
    &commits_every_four_steps::PATCH,
    &validates_step_order_while_applying::PATCH,
    &commits_opened_migration_step_by_step::PATCH,
    &keeps_steps_before_failure::PATCH,
    &accepts_any_step_order::PATCH,
    &claims_unapplied_last_step::PATCH,
    &skips_conflict_with_fail_policy::PATCH,
    &counts_skipped_steps_as_applied::PATCH,
    &omits_first_conflict_from_log::PATCH,
    &omits_late_conflicts_from_log::PATCH,
    &drops_conflict_log_from_record::PATCH,
    &invents_a_conflict::PATCH,
    &logs_every_conflict_as_skipped::PATCH,
    &remaps_ids_of_non_root_records::PATCH,
    &remaps_ids_of_duplicates::PATCH,
    &remaps_id_on_id_conflict::PATCH,
    &remaps_id_on_slug_conflict::PATCH,
    &remaps_nested_references::PATCH,
    &accepts_mismatched_payload_ids::PATCH,
    &stores_step_by_payload_id::PATCH,
    &accepts_sync_of_migration_only_kind::PATCH,
    &syncs_migration_only_on_auto_policy::PATCH,
    &syncs_migration_only_periodically::PATCH,
    &syncs_migration_only_on_filter_match::PATCH,
    &syncs_migration_only_after_15_minutes::PATCH,
    &resends_duplicated_records::PATCH,
    &omits_sync_after_migration_finding::PATCH,
    &omits_inbound_crossing_event::PATCH,
    &omits_outbound_crossing_event::PATCH,
    &reports_migration_without_crossing::PATCH,
    &omits_crossing_from_record::PATCH,
    &swaps_ends_of_recorded_crossing::PATCH,
    &records_crossing_from_initial_residency::PATCH,
    &records_peer_residency_at_both_ends::PATCH,
    &overlooks_missing_residency::PATCH,
    &accepts_blank_residency::PATCH,
    &overlooks_changed_residency::PATCH,
    &ignores_residency_change_after_migration::PATCH,
    &keeps_compromised_peer_active::PATCH,
    &serves_suspended_peer::PATCH,
    &overlooks_late_disclosure::PATCH,
    &tolerates_disclosure_a_minute_late::PATCH,
    &rejects_other_minor_versions::PATCH,
    &requires_equal_patch_version::PATCH,
    &rejects_pre_release_versions::PATCH,
    &rejects_accept_of_other_release::PATCH,
    &aborts_join_of_adjacent_minor::PATCH,
    &discards_adjacent_minor_migrations::PATCH,
    &orders_minor_versions_as_text::PATCH,
    &accepts_version_two_minors_away::PATCH,
    &compares_first_digit_of_minor_version::PATCH,
    &treats_invalid_version_as_compatible::PATCH,
    &accepts_leading_v_in_running_version::PATCH,
    &accepts_sync_from_incompatible_peer::PATCH,
    &sends_sync_to_incompatible_peer::PATCH,
    &overlooks_version_drift::PATCH,
    &ignores_version_change_after_handshake::PATCH,
    &accepts_any_major_version::PATCH,
    &ignores_age_of_deprecation_notice::PATCH,
    &drops_previous_major_without_notice::PATCH,
    &rejects_previous_major_migrations::PATCH,
    &discards_previous_major_data::PATCH,
    &ends_major_support_after_29_days::PATCH,
    &ends_major_support_on_short_notice::PATCH,
    &rejects_revocation_of_suspended_peer::PATCH,
    &accepts_handshake_on_revoked_proposal::PATCH,
    &rejects_revocation_of_proposed_peer::PATCH,
    &ignores_revocation_by_peer::PATCH,
    &marks_revoking_peer_suspended::PATCH,
    &deletes_migrated_records_on_revocation::PATCH,
    &marks_records_deleted_on_revocation::PATCH,
    &deletes_records_of_revoking_peer::PATCH,
    &deletes_records_on_revoking_peer_demand::PATCH,
    &deletes_remote_copies_on_revocation::PATCH,
    &deletes_migrated_records_on_archival::PATCH,
    &accepts_deletion_from_any_peer::PATCH,
    &deletes_audit_on_revocation::PATCH,
    &deletes_audit_of_revoking_peer::PATCH,
    &truncates_audit_on_revocation::PATCH,
    &leaves_the_overlay_mounted::PATCH,
    &unmounts_first_address_only::PATCH,
    &keeps_overlay_of_revoking_peer::PATCH,
    &agrees_to_other_contract_version::PATCH,
    &returns_wrong_contract_digest::PATCH,
    &accepts_any_contract_version::PATCH,
    &accepts_malformed_contract_version::PATCH,
    &accepts_missing_contract_version::PATCH,
    &requires_credentials_not_contract_version::PATCH,
    &joins_without_contract_version::PATCH,
    &accepts_mismatched_contract_digest::PATCH,
    &records_version_of_rejected_accept::PATCH,
    &stores_no_contract_digest::PATCH,
    &stores_digest_of_empty_text::PATCH,
    &accepts_newest_contract_version_only::PATCH,
    &accepts_oldest_contract_version_only::PATCH,
    &accepts_deprecated_contract_version::PATCH,
    &suspends_peers_on_deprecated_contract::PATCH,
    &joins_with_deprecated_contract_version::PATCH,
    &overlooks_contract_mismatch::PATCH,
    &counts_mismatch_against_12_only::PATCH,
    &counts_mismatch_against_3_and_12_only::PATCH,
    &forgets_acknowledgement_at_peering_end::PATCH,
    &forgets_acknowledgement_on_revoke::PATCH,
    &raises_no_findings::PATCH,
    &never_suspends::PATCH,
    &forgets_breaches_after_an_hour::PATCH,
    &suspends_at_first_breach::PATCH,
    &omits_soft_findings::PATCH,
    &omits_low_severity_findings::PATCH,
    &forwards_multi_hop_migration::PATCH,
    &accepts_federated_sign_in::PATCH,
    &opens_session_by_redirect::PATCH,
    &accepts_audit_replication::PATCH,
    &omits_peer_revocation_notice::PATCH,
    &sends_revocation_notice_a_minute_late::PATCH,
    &tears_down_before_notice::PATCH,
    &omits_revocation_notice_to_suspended::PATCH,
    &never_retries_peer_revocation_notice::PATCH,
    &sends_revoked_status_without_event::PATCH,
    &sends_revoked_event_without_status::PATCH,
    &overlooks_silent_revocation::PATCH,
    &overlooks_unreachable_peer::PATCH,
    &reports_silent_revocation_after_a_day::PATCH,
    &retries_heartbeat_without_backoff::PATCH,
    &repeats_every_heartbeat::PATCH,
    &retries_join_without_backoff::PATCH,
    &overlooks_bogus_kinds::PATCH,
    &overlooks_bogus_schemas::PATCH,
    &ignores_destination_read_back::PATCH,
    &overlooks_missing_records::PATCH,
    &overlooks_changed_records::PATCH,
    &overlooks_invented_conflicts::PATCH,
    &deletes_originals_without_verification::PATCH,
    &deletes_sent_records_after_a_day::PATCH,
    &syncs_migration_only_kinds::PATCH,
    &syncs_every_kind::PATCH,
    &joins_despite_contract_mismatch::PATCH,
    &joins_despite_digest_mismatch::PATCH,
    &joins_anonymous_peer::PATCH,
    &enrols_peer_after_rejecting_join::PATCH,
    &overlooks_broken_grants::PATCH,
    &overlooks_dropped_scopes::PATCH,
    &overlooks_grant_rejected_with_401::PATCH,
    &reports_rejection_of_expired_grant::PATCH,
    &ignores_rejection_on_grants_last_day::PATCH,
    &overlooks_overdue_excerpts::PATCH,
    &accepts_rejection_as_excerpt::PATCH,
    &reports_overdue_excerpt_after_a_week::PATCH,
    &discloses_compromise_to_one_partner::PATCH,
    &discloses_compromise_to_active_only::PATCH,
    &discloses_compromise_to_invited_only::PATCH,
    &discloses_compromise_after_25_hours::PATCH,
    &counts_24_hours_from_declaration::PATCH,
    &never_discloses_compromise::PATCH,
    &omits_grant_revocation_notice::PATCH,
    &never_retries_grant_revocation_notice::PATCH,
    &omits_deprecation_notice::PATCH,
    &announces_deprecation_a_day_late::PATCH,
    &contract_text_2026_06::RENAMES_CAPABILITY_DRIFT,
    &contract_text_2026_06::RENAMES_VERSION_DRIFT,
    &contract_text_2026_06::RENAMES_MISSING_RESIDENCY,
    &contract_text_2026_06::OMITS_RESIDENCY_FINDINGS,
    &contract_text_2026_06::OMITS_DISCLOSURE_FINDINGS,
    &contract_text_2026_06::OMITS_COMPROMISE_EVENT,
    &contract_text_2026_06::IGNORES_SUSPENSION_BY_OPERATOR,
    &contract_text_2026_06::SERVES_PEER_SUSPENDED_BY_OPERATOR,
    &contract_text_2026_06::OMITS_MISMATCH_FINDING,
];

/// Returns the defect of that name.
#[must_use]
pub fn defect(name: &str) -> Option<&'static Patch> {
    DEFECTS.iter().copied().find(|patch| patch.name == name)
}

//! The published contract texts, one file each.

mod v1_2026_05;
mod v1_2026_06;

pub use v1_2026_05::V1_2026_05;
pub use v1_2026_06::V1_2026_06;

use super::Register;

/// Every known contract text, in the order of publication.
pub static REGISTERS: &[&Register] = &[&V1_2026_05, &V1_2026_06];

/// Returns the register of the text with this version and digest (SHA-256, hex, in any case of letters).
#[must_use]
pub fn register(contract_version: u32, digest: &str) -> Option<&'static Register> {
    REGISTERS.iter().copied().find(|register| {
        register.contract_version == contract_version && register.digest.eq_ignore_ascii_case(digest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Class, ClauseId, Section, TextId, TextRange};
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_in_order_and_a_revision_has_those_of_its_base() {
        let ids = |text: &Register| text.clauses().iter().map(|clause| clause.id).collect::<Vec<_>>();
        for text in REGISTERS {
            let clauses = text.clauses();
            assert!(clauses.windows(2).all(|pair| pair[0].id < pair[1].id), "{}", text.id);
            assert!(text.rows.windows(2).all(|pair| pair[0].id < pair[1].id), "{}", text.id);
            assert!(text.base.is_none_or(|base| ids(base) == ids(text)), "{}", text.id);
        }
    }

    #[test]
    fn every_clause_has_an_aspect_and_every_section_a_clause() {
        for text in REGISTERS {
            assert!(text.clauses().iter().all(|clause| clause.aspects().next().is_some()));
            for section in Section::all() {
                assert!(text.section(section).next().is_some(), "{} {section}", text.id);
            }
        }
    }

    #[test]
    fn a_text_is_found_by_version_and_digest_together() {
        let digests: BTreeSet<&str> = REGISTERS.iter().map(|text| text.digest).collect();
        let ids: BTreeSet<&str> = REGISTERS.iter().map(|text| text.id).collect();
        assert_eq!((digests.len(), ids.len()), (REGISTERS.len(), REGISTERS.len()));
        for text in REGISTERS {
            assert!(text.digest.len() == 64 && text.digest.bytes().all(|b| b.is_ascii_hexdigit()));
            assert_eq!(register(text.contract_version, &text.digest.to_uppercase()), Some(*text));
            assert_eq!(register(text.contract_version + 1, text.digest), None);
            assert_eq!(TextId::named(text.id), Some(TextId(text)));
        }
        assert!(TextId(&V1_2026_05) < TextId(&V1_2026_06));
        assert_eq!(register(1, &"ab".repeat(32)), None);
    }

    #[test]
    fn a_range_ends_with_its_last_text() {
        let [first, later] = [&V1_2026_05, &V1_2026_06].map(|text| Some(TextId(text)));
        let ids = |since, until| TextRange { since, until }.texts().map(|text| text.id).collect::<Vec<_>>();
        assert_eq!(ids(None, None), ["2026-05", "2026-06"]);
        assert_eq!(ids(later, None), ["2026-06"]);
        assert_eq!(ids(None, first), ["2026-05"]);
        assert_eq!(ids(later, first), [""; 0]);
        assert!(
            TextRange { since: first, until: None }.holds_for_all()
                && !TextRange { since: later, until: None }.holds_for_all()
        );
        assert_eq!(TextRange { since: first, until: later }.to_string(), "since 2026-05 until 2026-06");
    }

    #[test]
    fn the_later_text_differs_in_the_rows_that_its_file_lists_and_keeps_their_aspects() {
        let differs = |id: &ClauseId| V1_2026_05.clause(*id) != V1_2026_06.clause(*id);
        let ids = V1_2026_05.clauses().into_iter().map(|clause| clause.id);
        let differing: Vec<String> = ids.filter(differs).map(|id| id.to_string()).collect();
        assert_eq!(differing, ["8.1", "8.2", "8.3", "9.2", "12.2", "E.1", "E.2", "E.3"]);
        let aspects = |text: &Register| text.aspects().collect::<Vec<_>>();
        assert_eq!(aspects(&V1_2026_05), aspects(&V1_2026_06));
        let withdrawn = V1_2026_06.clauses().into_iter().filter(|clause| clause.withdrawn);
        assert_eq!(withdrawn.map(|clause| clause.id.to_string()).collect::<Vec<_>>(), ["E.2"]);
    }

    #[test]
    fn what_is_scanned_is_hard_and_only_findings_of_it_have_a_fixed_name() {
        for text in REGISTERS {
            let scanned = text.clauses().into_iter().filter(|clause| text.scans(clause.id));
            assert!(scanned.into_iter().all(|clause| clause.class == Class::Hard), "{}", text.id);
            assert!(text.named_findings.iter().all(|(norm, _)| text.scanned.contains(norm)), "{}", text.id);
        }
        let of_8 = Section::Commitment(8);
        assert_eq!(
            (V1_2026_05.named_finding(of_8), V1_2026_06.named_finding(of_8)),
            (None, Some("peer_residency_missing"))
        );
    }
}

//! Five misbehaviours, each with a defect for each aspect. In the scenarios of its commitments a defect turns exactly
//! the seeded verdicts to broken. `covenant selftest` shows the same for all defects over all scenarios.

use covenant::reference::{DEFECTS, Patch};
use covenant::runner::{Plan, Selection};
use covenant::selftest::probe;

async fn breaks_exactly_its_verdicts(name: &str, only: &[&str]) {
    let patch: &'static Patch =
        DEFECTS.iter().copied().find(|patch| patch.name == name).expect("a defect of that name");
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let selection = Selection::new(&only, &[]).expect("patterns");
    let row = probe(Some(patch), &Plan { selection, ..Plan::default() }).await.expect("a run");
    assert!(row.is_evaluated() && row.is_exact(), "{row:#?}");
}

macro_rules! misbehaviours {
    ($($test:ident in $only:tt: $($defect:literal)+;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                $(breaks_exactly_its_verdicts($defect, &$only).await;)+
            }
        )*
    };
}

misbehaviours! {
    defects_of_bogus_capabilities_break_exactly_their_verdicts in ["03-*/**"]: "rejects-declared-kind" "overlooks-bogus-kinds";
    defects_of_handshake_flooding_break_exactly_their_verdicts in ["06-*/**"]: "retries-heartbeat-without-backoff" "applies-no-rate-limit" "limits-flood-without-finding";
    defects_of_partial_apply_break_exactly_their_verdicts in ["07-*/**"]: "claims-unapplied-last-step" "overlooks-missing-records";
    defects_of_version_mismatch_break_exactly_their_verdicts in ["10-*/**", "12-*/**", "V-*/**"]:
        "rejects-other-minor-versions" "accepts-version-two-minors-away" "accepts-any-contract-version";
    defects_of_silent_revocation_break_exactly_their_verdicts in ["04-*/**"]: "omits-peer-revocation-notice" "overlooks-silent-revocation";
}

//! The five named misbehaviours, each with a defect for each aspect: it turns just those verdicts of its
//! commitments to broken that it plants. What it does to all others is what `covenant selftest` shows.

use covenant::reference::{DEFECTS, Patch};
use covenant::suite::{Plan, Selection, probe};

async fn is_reported_exactly(name: &str, only: &[&str]) {
    let patch: &'static Patch =
        DEFECTS.iter().copied().find(|patch| patch.name == name).expect("a defect of that name");
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let selection = Selection::new(&only, &[]).expect("patterns");
    let row = probe(Some(patch), &Plan { selection, ..Plan::default() }).await.expect("a run");
    assert!(row.is_evaluated() && row.is_exact(), "{row:#?}");
}

macro_rules! misbehaviours {
    ($($test:ident of $only:tt: $($defect:literal)+;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                $(is_reported_exactly($defect, &$only).await;)+
            }
        )*
    };
}

misbehaviours! {
    bogus_capabilities of ["03-*/**"]: "rejects-declared-kind" "overlooks-bogus-kinds";
    handshake_flooding of ["06-*/**"]: "retries-heartbeat-without-backoff" "applies-no-rate-limit" "limits-flood-without-finding";
    partial_apply of ["07-*/**"]: "claims-unapplied-last-step" "overlooks-missing-records";
    version_mismatch of ["10-*/**", "12-*/**", "V-*/**"]:
        "rejects-other-minor-versions" "accepts-version-two-minors-away" "accepts-any-contract-version";
    silent_revocation of ["04-*/**"]: "omits-peer-revocation-notice" "overlooks-silent-revocation";
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conforming_platform_is_not_called_broken() {
    let row = probe(None, &Plan::default()).await.expect("a run");
    assert!(row.is_exact(), "{row:#?}");
}

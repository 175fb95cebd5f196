//! The five named misbehaviours, each with a defect for each face: it turns just those verdicts to
//! broken that it plants.

use covenant::reference::{DEFECTS, Patch};
use covenant::suite::{Plan, probe};

async fn is_told_exactly(name: &str) {
    let patch: &'static Patch =
        DEFECTS.iter().copied().find(|patch| patch.name == name).expect("a defect of that name");
    let row = probe(Some(patch), &Plan::default()).await.expect("a run");
    assert!(row.is_judged() && row.is_exact(), "{row:#?}");
}

macro_rules! misbehaviours {
    ($($test:ident: $($defect:literal)+;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                $(is_told_exactly($defect).await;)+
            }
        )*
    };
}

misbehaviours! {
    bogus_capabilities: "declares-a-kind-it-refuses" "overlooks-bogus-kinds";
    handshake_flooding: "storms-when-refused" "limits-nobody" "limits-without-a-word";
    partial_apply: "applies-part-and-claims-all" "overlooks-missing-records";
    version_mismatch: "refuses-the-minor-before" "takes-two-minors-apart" "takes-any-contract-version";
    silent_revocation: "revokes-without-a-word" "overlooks-silence";
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_platform_is_not_slandered() {
    let row = probe(None, &Plan::default()).await.expect("a run");
    assert!(row.is_exact(), "{row:#?}");
}

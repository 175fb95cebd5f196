//! The five named misbehaviours, each with a defect for each aspect: it turns just those verdicts of its
//! commitments to broken that it plants. What it does to all others is what `covenant selftest` shows.

use covenant::reference::{DEFECTS, Patch};
use covenant::suite::{Plan, Selection, probe};

async fn is_told_exactly(name: &str, only: &[&str]) {
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
                $(is_told_exactly($defect, &$only).await;)+
            }
        )*
    };
}

misbehaviours! {
    bogus_capabilities of ["03-*/**"]: "declares-a-kind-it-refuses" "overlooks-bogus-kinds";
    handshake_flooding of ["06-*/**"]: "storms-when-refused" "limits-nobody" "limits-without-a-word";
    partial_apply of ["07-*/**"]: "applies-part-and-claims-all" "overlooks-missing-records";
    version_mismatch of ["10-*/**", "12-*/**", "V-*/**"]:
        "refuses-the-minor-before" "takes-two-minors-apart" "takes-any-contract-version";
    silent_revocation of ["04-*/**"]: "revokes-without-a-word" "overlooks-silence";
}

#[tokio::test(flavor = "multi_thread")]
async fn an_conforming_platform_is_not_slandered() {
    let row = probe(None, &Plan::default()).await.expect("a run");
    assert!(row.is_exact(), "{row:#?}");
}

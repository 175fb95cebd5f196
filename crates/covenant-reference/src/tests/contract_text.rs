//! The contract text that a platform keeps, and what it does under the later one.

use serde_json::{Value, json};

use super::{Target, options};
use crate::{Options, defect, variant};

const FIRST: &str = "39f54d890f9eb663538bd2f39806ee75b5dba1c9c5c994fe1406cb3cbc2910d7";
const LATER: &str = "93d878c3857964f4d35e5da795046cdfcd34290eebb3932ae80943436d613e0d";

async fn with(names: &[&str]) -> Target {
    let patch = |name: &&str| defect(name).or_else(|| variant(name)).expect("a patch of that name");
    Target::with_skills(Options { patches: names.iter().map(patch).collect(), ..options() }).await
}

#[tokio::test]
async fn version_1_without_a_digest_is_the_text_that_the_platform_keeps() {
    for (names, digest) in [
        (&[][..], FIRST),
        (&["keeps-contract-text-of-2026-06"], LATER),
        (&["suspends-under-contract-text-of-2026-06"], LATER),
        // A defect of the later text brings the variant along.
        (&["omits-compromise-event"], LATER),
    ] {
        let target = with(names).await;
        let listed = target.operate("contract.list", Value::Null).await;
        assert_eq!(listed[0]["digest"], digest, "{names:?}");
        let (_, token) = target.propose().await;
        let mut guest = target.anonymous_client();
        let accepted = guest.accept(&token, json!({"contract_digest": null})).await;
        assert_eq!(
            (accepted.status, &accepted.body["data"]["contract_digest"]),
            (200, &json!(digest)),
            "{names:?}"
        );
    }
}

#[tokio::test]
async fn under_the_later_text_the_operator_suspends_who_discloses_a_compromise() {
    for (names, at_once) in [
        (&[][..], true),
        (&["keeps-contract-text-of-2026-06"], false),
        (&["suspends-under-contract-text-of-2026-06"], true),
    ] {
        let target = with(names).await;
        let guest = target.guest().await;
        let notice = json!({"kind": "platform.peer.compromised", "payload": {"kind": "intrusion"}});
        assert_eq!(guest.heartbeat(json!({"events": [notice]})).await.status, 200);
        let served = |status: u16| status == 200;
        assert_eq!(served(guest.heartbeat(json!({})).await.status), !at_once, "{names:?}");
        if !at_once {
            target.operate("peer.suspend", json!({"peer_id": guest.peer_id})).await;
            assert!(!served(guest.heartbeat(json!({})).await.status), "{names:?}");
        }
    }
}

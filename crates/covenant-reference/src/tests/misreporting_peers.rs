//! Two platforms, one of which breaks the contract. A conforming platform notices; a platform that lacks just
//! that detection does not.

use covenant_model::operator::peer::Join;
use covenant_model::operator::{OTHER_CONTRACT, OperatorMethod};
use serde_json::{Value, json};

use super::federation::{Pair, options, put, record};
use super::id;
use crate::store::{rows::Notice, table};
use crate::{MethodError, Options, defect, variant};

/// Starts `home` with one defect, beside `away` with another.
fn with_defect(own: &str, theirs: &str) -> (Options, Options) {
    let (home, away) = options(defect(theirs).or_else(|| variant(theirs)));
    (Options { patches: defect(own).into_iter().collect(), ..home }, away)
}

fn conforming(theirs: &str) -> (Options, Options) {
    let away = defect(theirs).or_else(|| variant(theirs)).expect("a patch of that name");
    options(Some(away))
}

/// Migrates a root with a leaf to a platform that has the leaf already, with other content.
async fn migrate((home, away): (Options, Options), leaf_is_there: bool) -> Pair {
    let pair = Pair::active(home, away).await;
    pair.hold(&["read", "migrate"]).await;
    put(&pair.home, &id(1), json!({"name": "leaf"})).await;
    let depends_on = json!([{"kind": "skill", "id": id(1)}]);
    put(&pair.home, &id(2), json!({"name": "root", "leaf": id(1), "depends_on": depends_on})).await;
    if leaf_is_there {
        put(&pair.away, &id(1), json!({"name": "another"})).await;
    }
    pair.send("migrate", &id(2)).await;
    pair
}

#[tokio::test]
async fn false_claims_of_a_destination_are_reported_and_the_originals_remain() {
    for (defect, leaf_is_there) in [
        ("claims-unapplied-last-step", false),
        ("remaps-ids-of-non-root-records", false),
        ("remaps-nested-references", false),
        ("omits-first-conflict-from-log", true),
        ("invents-a-conflict", false),
        ("counts-skipped-steps-as-applied", true),
    ] {
        let pair = migrate(conforming(defect), leaf_is_there).await;
        let found = pair.findings().await;
        assert_eq!(found, ["peer_migration_untruthful"], "{defect}");
        assert_eq!(record(&pair.home, &id(1)).await["name"], "leaf", "{defect}");
    }
}

#[tokio::test]
async fn a_platform_that_believes_destinations_reports_nothing_and_loses_originals() {
    let pair =
        migrate(with_defect("ignores-destination-read-back", "claims-unapplied-last-step"), false).await;
    assert!(pair.findings().await.is_empty());
    assert_eq!(record(&pair.home, &id(2)).await, Value::Null);
}

#[tokio::test]
async fn a_grant_that_is_no_longer_honoured_is_reported_as_broken() {
    let fetch = |pair: &Pair| json!({"peer_id": pair.at_home, "kind": "skill", "id": id(1)});
    for (patches, seconds, broken) in [
        (options(None), 30 * 86400 - 1, false),
        (options(None), 30 * 86400, false),
        (conforming("narrows-grant-after-a-day"), 86400 + 1, true),
        (with_defect("overlooks-broken-grants", "narrows-grant-after-a-day"), 86400 + 1, false),
    ] {
        let pair = Pair::active(patches.0, patches.1).await;
        pair.hold(&["read"]).await;
        pair.advance(seconds).await;
        pair.home.operate("resource.fetch", fetch(&pair)).await;
        let found = pair.findings().await;
        assert_eq!(found.iter().any(|kind| kind == "peer_grant_broken"), broken, "{found:?}");
    }
}

#[tokio::test]
async fn a_dropped_scope_is_reported_when_it_is_used() {
    for (patches, broken) in [(options(None), false), (conforming("drops-migrate-scope-after-a-day"), true)] {
        let pair = Pair::active(patches.0, patches.1).await;
        put(&pair.home, &id(1), json!({"name": "one"})).await;
        pair.hold(&["read", "migrate"]).await;
        pair.advance(86400 + 1).await;
        pair.send("migrate", &id(1)).await;
        let found = pair.findings().await;
        assert_eq!(found.iter().any(|kind| kind == "peer_grant_broken"), broken, "{found:?}");
    }
}

#[tokio::test]
async fn a_revocation_without_notice_is_reported_within_six_minutes() {
    for (patches, noticed) in [
        (options(None), false),
        (conforming("omits-peer-revocation-notice"), true),
        (with_defect("overlooks-silent-revocation", "omits-peer-revocation-notice"), false),
    ] {
        let pair = Pair::active(patches.0, patches.1).await;
        pair.away.operate("peer.revoke", json!({"peer_id": pair.at_away})).await;
        pair.advance(360).await;
        let found = pair.findings().await;
        assert_eq!(found.iter().any(|kind| kind == "peer_revoked_silently"), noticed, "{found:?}");
    }
}

#[tokio::test]
async fn a_declared_kind_that_is_refused_is_reported_once_as_drift() {
    for (patches, drift) in [(options(None), false), (conforming("rejects-declared-kind"), true)] {
        let pair = Pair::active(patches.0, patches.1).await;
        pair.hold(&["read"]).await;
        assert!(pair.findings().await.is_empty(), "a finding without a grant");
        pair.hold_kind("zeppelin", &["read"]).await;
        let found = pair.findings().await;
        assert_eq!(found.iter().any(|kind| kind == "peer_capability_drift"), drift, "{found:?}");
    }
}

#[tokio::test]
async fn an_excerpt_is_overdue_after_72_hours_unless_it_was_promised_in_time() {
    for (patches, overdue) in [
        (conforming("promises-excerpts-in-71-hours"), false),
        (conforming("promises-excerpt-in-four-days"), true),
        (with_defect("overlooks-overdue-excerpts", "promises-excerpt-in-four-days"), false),
    ] {
        let pair = Pair::active(patches.0, patches.1).await;
        pair.home.operate("audit.request", json!({"peer_id": pair.at_home})).await;
        for seconds in [60, 71 * 3600 - 60, 3600] {
            pair.advance(seconds).await;
            assert!(!pair.findings().await.contains(&"peer_audit_overdue".to_owned()));
        }
        pair.advance(1).await;
        let found = pair.findings().await;
        assert_eq!(found.iter().any(|kind| kind == "peer_audit_overdue"), overdue, "{found:?}");
    }
}

#[tokio::test]
async fn a_peer_that_agrees_to_another_contract_is_not_joined() {
    let (home, away) = conforming("agrees-to-other-contract-version");
    let home = super::Target::with_skills(home).await;
    let away = super::Target::with_skills(away).await;
    let (_, token) = away.propose().await;
    let parameters = json!({
        "base_url": away.running.base_url(), "acceptance_token": token,
        "ca_bundle_pem": away.running.ca_bundle_pem(),
    });
    let refused = home.running.platform.call(Join::METHOD, parameters).await.expect_err("refused");
    assert_eq!(refused.code, OTHER_CONTRACT);
    let peers = home.operate("peer.list", Value::Null).await["peers"].clone();
    assert_eq!(peers[0]["status"], "proposed");
    assert_eq!(peers[0]["contract_version_agreed"], Value::Null);
    assert_eq!(peers[0]["findings"][0]["kind"], "peer_contract_mismatch");
}

#[tokio::test]
async fn every_partner_receives_the_notice_of_a_compromise() {
    for (own, reported) in [
        (None, 2),
        (Some("discloses-compromise-to-one-partner"), 1),
        (Some("discloses-compromise-after-25-hours"), 0),
    ] {
        let (home, away) = options(None);
        let home = Options { patches: own.and_then(defect).into_iter().collect(), ..home };
        let pair = Pair::active(home, away).await;
        let guest = pair.home.guest().await;
        let detected_at = pair.home.clock.now().to_string();
        let declared = json!({"kind": "intrusion", "detected_at": detected_at, "summary": "x"});
        pair.home.operate("compromise.declare", declared).await;
        let owed =
            pair.home.running.platform.transaction::<_, MethodError>(|tx| Ok(table::all::<Notice>(tx.db)?));
        let attempted = owed.expect("notices").iter().filter(|notice| notice.attempts > 0).count();
        assert_eq!(attempted, reported, "{own:?} {}", guest.peer_id);
    }
}

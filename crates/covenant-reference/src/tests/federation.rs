//! Two platforms that federate over real TLS: the calls of each side, and their effects.

use serde_json::{Value, json};

use super::{Target, id};
use crate::{Database, Options, Patch};
use covenant_model::clock::{Clock, Seed};

/// Two platforms on one clock. `home` joined on the proposal of `away`.
pub(super) struct Pair {
    pub(super) home: Target,
    pub(super) away: Target,
    /// The row that `home` keeps for `away`.
    pub(super) at_home: String,
    /// The row that `away` keeps for `home`.
    pub(super) at_away: String,
}

impl Pair {
    /// Starts two platforms that completed the handshake and a heartbeat: active on both sides.
    pub(super) async fn active(home: Options, away: Options) -> Self {
        let pair = Self::handshake(home, away).await;
        pair.home.operate("heartbeat.send", json!({"peer_id": pair.at_home})).await;
        pair.away.operate("heartbeat.send", json!({"peer_id": pair.at_away})).await;
        assert_eq!((pair.status_at_home().await, pair.status_at_away().await), both("active"));
        pair
    }

    pub(super) async fn handshake(home: Options, away: Options) -> Self {
        let home = Target::with_skills(home).await;
        let away = Target::with_skills(away).await;
        let (at_away, token) = away.propose().await;
        let joined = home.operate("peer.join", invitation(&away, &token)).await;
        let at_home = joined["peer_id"].as_str().expect("an id").to_owned();
        Self { home, away, at_home, at_away }
    }

    pub(super) async fn status_at_home(&self) -> String {
        status(&self.home, &self.at_home).await
    }

    pub(super) async fn status_at_away(&self) -> String {
        status(&self.away, &self.at_away).await
    }

    /// Moves the clock of both, and runs the due timers on both.
    pub(super) async fn advance(&self, seconds: i64) {
        self.home.clock.advance_seconds(seconds);
        for target in [&self.away, &self.home] {
            target.running.platform.run_due_timers(target.clock.now()).await;
        }
    }

    /// Issues a grant by `away` for skills, and stores it at `home`.
    pub(super) async fn hold(&self, scopes: &[&str]) -> String {
        self.hold_kind("skill", scopes).await
    }

    pub(super) async fn hold_kind(&self, kind: &str, scopes: &[&str]) -> String {
        let asked = json!({"peer_id": self.at_away, "resource_kind": kind, "permission_scopes": scopes});
        let issued = self.away.operate("grant.issue", asked).await;
        let held = json!({
            "peer_id": self.at_home, "grant_id": issued["grant_id"], "bearer_token": issued["bearer_token"],
            "resource_kind": kind, "permission_scopes": scopes, "expires_at": issued["expires_at"],
        });
        self.home.operate("grant.hold", held).await;
        issued["grant_id"].as_str().expect("an id").to_owned()
    }

    /// Sends a record from `home` to `away`.
    pub(super) async fn send(&self, operation: &str, record: &str) -> Value {
        let order = json!({
            "peer_id": self.at_home, "operation": operation, "root_resource_kind": "skill",
            "root_resource_id": record,
        });
        self.home.operate("migration.send", order).await
    }

    /// Returns the kinds of the findings of `home` about `away`.
    pub(super) async fn findings(&self) -> Vec<String> {
        let scan = self.home.operate("governance.scan", Value::Null).await;
        let all = scan["findings"].as_array().expect("a list").iter();
        let own = all.filter(|finding| finding["federation_peer_id"] == self.at_home.as_str());
        own.map(|finding| finding["kind"].as_str().expect("a text").to_owned()).collect()
    }
}

pub(super) fn away() -> Options {
    Options { seed: Seed(8), ..super::options() }
}

/// Returns options for two platforms on one clock, with a patch for `away`.
pub(super) fn options(patch: Option<&'static Patch>) -> (Options, Options) {
    let home = super::options();
    let away = Options { clock: home.clock.clone(), patches: patch.into_iter().collect(), ..away() };
    (home, away)
}

pub(super) async fn put(target: &Target, id: &str, record: Value) {
    target.operate("resource.put", json!({"kind": "skill", "id": id, "record": record})).await;
}

pub(super) async fn record(target: &Target, id: &str) -> Value {
    target.operate("resource.get", json!({"kind": "skill", "id": id})).await["record"].clone()
}

fn invitation(away: &Target, token: &str) -> Value {
    json!({
        "base_url": away.running.base_url(), "acceptance_token": token,
        "ca_bundle_pem": away.running.ca_bundle_pem(),
    })
}

async fn shown(target: &Target, peer_id: &str) -> Value {
    target.operate("peer.show", json!({"peer_id": peer_id})).await["peer"].clone()
}

async fn status(target: &Target, peer_id: &str) -> String {
    shown(target, peer_id).await["status"].as_str().expect("a status").to_owned()
}

fn both(status: &str) -> (String, String) {
    (status.to_owned(), status.to_owned())
}

/// Returns the number of calls that `home` made to a route of `away`, by its own audit.
async fn calls(pair: &Pair, action: &str) -> usize {
    let listed = pair.home.operate("audit.list", json!({"peer_id": pair.at_home})).await;
    let entries = listed["entries"].as_array().expect("a list").iter();
    entries.filter(|entry| entry["action"] == action && entry["direction"] == "outbound").count()
}

#[tokio::test]
async fn a_joining_platform_is_enrolled_on_both_sides_under_one_contract() {
    let (home, away) = options(None);
    let pair = Pair::handshake(home, away).await;
    let (ours, theirs) = (shown(&pair.home, &pair.at_home).await, shown(&pair.away, &pair.at_away).await);
    assert_eq!((&ours["status"], &theirs["status"]), (&json!("enrolled"), &json!("enrolled")));
    assert_eq!(ours["contract_version_agreed"], 1);
    for name in ["contract_version_agreed", "contract_digest"] {
        assert_eq!(ours[name], theirs[name], "{name}");
    }
    assert_eq!(ours["remote_peer_id"], pair.at_away.as_str());
    pair.advance(60).await;
    assert_eq!((pair.status_at_home().await, pair.status_at_away().await), both("active"));
}

#[tokio::test]
async fn a_migration_moves_records_and_their_ids_and_leaves_no_original() {
    let (home, away) = options(None);
    let pair = Pair::active(home, away).await;
    pair.hold(&["read", "migrate"]).await;
    put(&pair.home, &id(1), json!({"name": "leaf"})).await;
    let depends_on = json!([{"kind": "skill", "id": id(1)}]);
    put(&pair.home, &id(2), json!({"name": "root", "leaf": id(1), "depends_on": depends_on})).await;
    let sent = pair.send("migrate", &id(2)).await;
    assert_eq!(sent["status"], "completed", "{sent}");
    for number in [1, 2] {
        assert_eq!(record(&pair.away, &id(number)).await["id"], id(number).as_str());
        assert_eq!(record(&pair.home, &id(number)).await, Value::Null);
    }
    assert_eq!(record(&pair.away, &id(2)).await["leaf"], id(1).as_str());
    assert!(pair.findings().await.is_empty());
}

#[tokio::test]
async fn a_duplicate_has_an_id_of_its_own_and_names_the_original_which_remains() {
    let (home, away) = options(None);
    let pair = Pair::active(home, away).await;
    pair.hold(&["read", "migrate"]).await;
    put(&pair.home, &id(1), json!({"name": "one", "metadata": {"team": "blue"}})).await;
    let sent = pair.send("duplicate", &id(1)).await;
    assert_eq!(sent["status"], "completed", "{sent}");
    let listed = pair.away.operate("resource.list", json!({"kind": "skill"})).await;
    let copy = &listed["resources"][0]["record"];
    assert_ne!(copy["id"], id(1).as_str());
    assert_eq!(copy["metadata"], json!({"team": "blue", "duplicated_from": id(1)}));
    assert_eq!(record(&pair.home, &id(1)).await["name"], "one");
}

#[tokio::test]
async fn unreadable_and_skipped_records_remain_without_a_finding() {
    let (home, away) = options(None);
    let pair = Pair::active(home, away).await;
    put(&pair.home, &id(1), json!({"name": "unread"})).await;
    put(&pair.home, &id(2), json!({"name": "late", "slug": "taken"})).await;
    put(&pair.away, &id(3), json!({"name": "first", "slug": "taken"})).await;
    pair.hold(&["migrate"]).await;
    assert_eq!(pair.send("migrate", &id(1)).await["status"], "completed");
    assert_eq!(record(&pair.home, &id(1)).await["name"], "unread");
    pair.hold(&["read", "migrate"]).await;
    let sent = pair.send("migrate", &id(2)).await;
    assert_eq!(sent["untruths"], json!([]), "{sent}");
    assert_eq!(sent["conflict_log"][0]["resolution"], "skipped");
    assert_eq!(record(&pair.home, &id(2)).await["name"], "late");
    assert!(pair.findings().await.is_empty());
}

#[tokio::test]
async fn a_migration_to_another_residency_is_reported_and_recorded() {
    let (home, mut away) = options(None);
    away.settings.residency = "us".to_owned();
    let pair = Pair::active(home, away).await;
    pair.hold(&["read", "migrate"]).await;
    put(&pair.home, &id(1), json!({"name": "one"})).await;
    let sent = pair.send("migrate", &id(1)).await;
    let shown = pair.home.operate("migration.show", json!({"migration_id": sent["migration_id"]})).await;
    assert_eq!(shown["metadata"]["cross_jurisdiction"], json!({"from": "eu", "to": "us"}));
    let events = pair.home.operate("event.list", Value::Null).await["events"].clone();
    let reported = |event: &Value| event["kind"] == "migration.cross_residency_boundary";
    assert!(events.as_array().expect("a list").iter().any(reported));
}

#[tokio::test]
async fn a_revocation_is_announced_before_any_call_is_refused() {
    let (home, away) = options(None);
    let pair = Pair::active(home, away).await;
    pair.home.operate("peer.revoke", json!({"peer_id": pair.at_home, "reason": "done"})).await;
    let theirs = shown(&pair.away, &pair.at_away).await;
    assert_eq!((&theirs["status"], &theirs["revoked_by"]), (&json!("revoked"), &json!("remote")));
    assert_eq!(pair.status_at_home().await, "revoked");
}

#[tokio::test]
async fn a_grant_revocation_with_a_notice_raises_no_finding() {
    let (home, away) = options(None);
    let pair = Pair::active(home, away).await;
    let grant_id = pair.hold(&["read"]).await;
    let fetch = json!({"peer_id": pair.at_home, "kind": "skill", "id": id(1)});
    assert_eq!(pair.home.operate("resource.fetch", fetch.clone()).await["status"], 200);
    pair.away.operate("grant.revoke", json!({"grant_id": grant_id})).await;
    assert_eq!(pair.home.operate("resource.fetch", fetch).await["status"], 401);
    assert!(pair.findings().await.is_empty());
}

#[tokio::test]
async fn a_restarted_peer_receives_the_notices_of_a_revocation_and_a_compromise() {
    for (method, status) in [("peer.revoke", "revoked"), ("compromise.declare", "suspended")] {
        let directory = tempfile::tempdir().expect("a directory");
        let (home, away) = options(None);
        let away = Options { database: Database::File(directory.path().join("away.db")), ..away };
        let Pair { home, away: down, at_home, at_away } = Pair::active(home, away.clone()).await;
        down.running.kill().await;
        let detected_at = home.clock.now().to_string();
        let parameters = match method {
            "peer.revoke" => json!({"peer_id": at_home}),
            _ => json!({"kind": "intrusion", "detected_at": detected_at, "summary": "x"}),
        };
        home.operate(method, parameters).await;

        let pair = Pair { home, away: Target::start(away).await, at_home, at_away };
        pair.advance(3600).await;
        assert_eq!(pair.status_at_away().await, status);
    }
}

#[tokio::test]
async fn a_compromise_is_disclosed_to_a_partner_that_suspended_the_platform() {
    let (home, away) = options(None);
    let pair = Pair::active(home, away).await;
    pair.away.operate("peer.suspend", json!({"peer_id": pair.at_away})).await;
    let detected_at = pair.home.clock.now().to_string();
    let declared = json!({"kind": "intrusion", "detected_at": detected_at, "summary": "x"});
    pair.home.operate("compromise.declare", declared).await;
    assert!(calls(&pair, "federation.heartbeat.sent").await >= 2);
}

#[tokio::test]
async fn changes_are_synced_automatically_only_if_that_is_declared() {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a time"));
    let home = Options { clock: clock.clone(), ..super::options() };
    let pair = Pair::active(home, Options { clock, ..away() }).await;
    let declare = |policy: &'static str, direction: &'static str| json!({"resource_kind": "skill", "schema_version": 1, "direction": direction, "policy": policy});
    put(&pair.home, &id(1), json!({"name": "one"})).await;
    for row in [declare("auto_on_change", "migration_only"), declare("manual", "bidirectional")] {
        pair.home.declare(row).await;
        pair.advance(60).await;
        assert_eq!(record(&pair.away, &id(1)).await, Value::Null);
    }
    pair.home.declare(declare("auto_on_change", "bidirectional")).await;
    pair.advance(60).await;
    assert_eq!(record(&pair.away, &id(1)).await["name"], "one");
}

#[tokio::test]
async fn a_rate_limiting_peer_is_not_called_before_its_retry_after() {
    let (home, mut away) = options(None);
    away.settings.rate_limit = 2;
    let pair = Pair::active(home, away).await;
    let send = json!({"peer_id": pair.at_home});
    let limited = pair.home.operate("heartbeat.send", send).await;
    assert_eq!(limited["answered"], 429);
    let before = calls(&pair, "federation.heartbeat.sent").await;
    for _ in 0..5 {
        pair.advance(10).await;
    }
    assert_eq!(calls(&pair, "federation.heartbeat.sent").await, before);
    pair.advance(60).await;
    assert_eq!(calls(&pair, "federation.heartbeat.sent").await, before + 1);
}

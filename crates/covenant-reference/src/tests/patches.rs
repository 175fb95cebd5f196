//! Defects are seeded in the real code paths: each changes the behaviour of the platform.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::conduct::batch;
use super::{Target, id, options, plan};
use crate::policy::Policy;
use crate::{DEFECTS, Database, Options, Patch, PatchKind, VARIANTS, contradiction, defect, variant};
use covenant_model::contract::{ClauseId, V1_2026_05};

fn with(patch: &'static Patch) -> Options {
    Options { patches: vec![patch], ..options() }
}

fn named(name: &str) -> Options {
    with(defect(name).or_else(|| variant(name)).expect("a patch of that name"))
}

#[test]
fn names_are_unique_and_defects_break_clauses_that_exist_in_aspects_that_exist() {
    let all: Vec<&Patch> = DEFECTS.iter().chain(VARIANTS).copied().collect();
    let names: BTreeSet<&str> = all.iter().map(|patch| patch.name).collect();
    assert_eq!(names.len(), all.len());
    // The texts have the same aspects.
    let aspects: BTreeSet<_> = V1_2026_05.aspects().collect();
    for patch in DEFECTS {
        let PatchKind::Defect { breaks } = patch.kind else {
            panic!("{} is no defect", patch.name);
        };
        assert!(!breaks.is_empty());
        for (clause, aspect) in breaks {
            let clause: ClauseId = clause.parse().expect("a clause");
            assert!(aspects.contains(&(clause, *aspect)), "{}: {clause} has no {aspect}", patch.name);
        }
    }
    assert!(VARIANTS.iter().all(|patch| patch.kind == PatchKind::Variant));
}

/// Returns the decisions that a patch changes, with what it puts in their place.
fn changes(patch: &Patch) -> BTreeMap<String, String> {
    let mut policy = Policy::default();
    patch.apply_to(&mut policy);
    let before = decisions(&Policy::default());
    decisions(&policy).into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect()
}

/// Returns the decisions of a policy by name. A function is shown by its address.
fn decisions(policy: &Policy) -> BTreeMap<String, String> {
    let (mut group, mut name) = (String::new(), String::new());
    let mut found = BTreeMap::<String, String>::new();
    for line in format!("{policy:#?}").lines() {
        let depth = line.len() - line.trim_start().len();
        match (depth, line.trim().split_once(": ")) {
            (4, Some((word, _))) => word.clone_into(&mut group),
            (8, Some((word, value))) => {
                name = format!("{group}.{word}");
                value.clone_into(found.entry(name.clone()).or_default());
            }
            _ => found.entry(name.clone()).or_default().push_str(line.trim()),
        }
    }
    found
}

/// The later of two variants would replace the decision of the earlier one without a word.
#[test]
fn variants_that_decide_the_same_otherwise_are_declared_as_a_contradiction() {
    for (place, one) in VARIANTS.iter().enumerate() {
        let own = changes(one);
        for other in &VARIANTS[place + 1..] {
            let shared = changes(other)
                .into_iter()
                .find(|(name, value)| own.get(name).is_some_and(|own| own != value));
            let declared = contradiction(&[one, other]);
            if let Some((decision, _)) = shared {
                assert!(declared.is_some(), "{} and {} both set {decision}", one.name, other.name);
            }
            assert_eq!(
                declared.is_some(),
                contradiction(&[other, one]).is_some(),
                "{} {}",
                one.name,
                other.name
            );
        }
        assert_eq!(contradiction(&[one, one]), None);
    }
    let both = ["http1-only", "http2-only"].map(|name| variant(name).expect("a variant"));
    let message = contradiction(&both).expect("they contradict").to_string();
    assert!(message.contains("http1-only and http2-only cannot hold together"), "{message}");
    let fitting = ["http1-only", "ipv6", "tls12-only"].map(|name| variant(name).expect("a variant"));
    assert_eq!(contradiction(&fitting), None);
}

#[tokio::test]
async fn a_platform_with_any_patch_starts_and_answers_heartbeats() {
    for patch in DEFECTS.iter().chain(VARIANTS) {
        let target = Target::start(with(patch)).await;
        let (_, token) = target.propose().await;
        let mut guest = target.anonymous_client();
        let release = options().settings.release;
        let of_release =
            |release: &str| json!({"platform_version": release, "metadata": {"platform_version": release}});
        let response = guest.accept(&token, of_release(&release)).await;
        assert_eq!(response.status, 200, "{}: {response:?}", patch.name);
        // A platform may refuse the heartbeats of a peer outside its window.
        let stated = response.body["data"]["platform_version"].as_str();
        let stated = stated.filter(|stated| stated.split('.').count() == 3).unwrap_or(&release);
        assert_eq!(guest.heartbeat(of_release(stated)).await.status, 200, "{}", patch.name);
        target.running.stop().await;
    }
}

#[tokio::test]
async fn a_platform_that_commits_step_by_step_keeps_part_of_a_crashed_plan() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut options = named("commits-step-by-step");
    options.database = Database::File(directory.path().join("platform.db"));
    options.settings.crash_at_step = Some(2);
    let target = Target::with_skills(options.clone()).await;
    let guest = target.guest().await;
    let (_, token) = target.grant(&guest, &["migrate"]).await;
    let records: Vec<Value> = (0..3).map(|n| json!({"id": id(n)})).collect();
    assert!(guest.try_call("POST", "migrations", Some(plan(&records)), Some(&token)).await.is_err());
    target.running.kill().await;
    options.settings.crash_at_step = None;
    let again = Target::start(options).await;
    let listed = again.operate("resource.list", json!({"kind": "skill"})).await;
    assert_eq!(listed["resources"].as_array().map(Vec::len), Some(2));
}

/// Returns the result of a migration of three records, the middle one in conflict with an existing one.
async fn migrate(name: &str) -> (Value, Vec<Value>) {
    let target = Target::with_skills(named(name)).await;
    let guest = target.guest().await;
    let (_, token) = target.grant(&guest, &["migrate", "read"]).await;
    target.operate("resource.put", json!({"kind": "skill", "id": id(1), "record": {"name": "old"}})).await;
    let records =
        [json!({"id": id(0), "uses": {"all": [id(7)]}}), json!({"id": id(1)}), json!({"id": id(2)})];
    let mut plan = plan(&records);
    plan["steps"][1]["conflict_policy"] = json!("overwrite");
    let response = guest.post("migrations", plan, Some(&token)).await;
    let listed = target.operate("resource.list", json!({"kind": "skill"})).await;
    let records = listed["resources"].as_array().expect("a list").iter().map(|row| row["record"].clone());
    (response.body["data"].clone(), records.collect())
}

#[tokio::test]
async fn defects_of_migrations_change_what_is_stored_and_claimed() {
    let (data, records) = migrate("adds-unknown-members").await;
    assert_eq!((&data["applied_count"], records.len()), (&json!(3), 3));
    assert_eq!(data["conflict_log"][0]["resolution"], "overwritten");

    let (data, records) = migrate("claims-unapplied-last-step").await;
    assert_eq!((&data["applied_count"], records.len()), (&json!(3), 2));
    assert_eq!(migrate("omits-first-conflict-from-log").await.0["conflict_log"], json!([]));
    assert_eq!(migrate("invents-a-conflict").await.0["conflict_log"].as_array().map(Vec::len), Some(2));
    assert_eq!(migrate("logs-every-conflict-as-skipped").await.0["conflict_log"][0]["resolution"], "skipped");
    let (_, records) = migrate("remaps-ids-of-non-root-records").await;
    assert!(records.iter().all(|record| record["id"] != id(2)));
    let (_, records) = migrate("remaps-nested-references").await;
    let moved = records.iter().find(|record| record["id"] == id(0)).expect("its own id is kept");
    assert_ne!(moved["uses"]["all"][0], id(7));
}

#[tokio::test]
async fn defects_of_limits_change_the_response_to_a_flood() {
    for (name, refused, reported, other) in [
        ("applies-no-rate-limit", false, false, 200),
        ("limits-flood-without-finding", true, false, 200),
        ("shares-rate-limit-across-peers", true, true, 429),
    ] {
        let target = Target::start(named(name)).await;
        let (guest, bystander) = (target.guest().await, target.guest().await);
        let mut statuses = BTreeSet::new();
        for _ in 0..61 {
            statuses.insert(guest.heartbeat(json!({})).await.status);
        }
        assert_eq!(statuses.contains(&429), refused, "{name}");
        assert_eq!(bystander.heartbeat(json!({})).await.status, other, "{name}");
        assert_eq!(!target.findings(&guest).await.is_empty(), reported, "{name}");
    }
}

#[tokio::test]
async fn defects_of_versions_change_the_compatibility() {
    for (name, version, status) in [
        ("rejects-other-minor-versions", "1.3.0", "incompatible"),
        ("accepts-version-two-minors-away", "1.2.0", "compatible"),
        ("compares-first-digit-of-minor-version", "1.40.0", "compatible"),
        ("treats-invalid-version-as-compatible", "latest", "compatible"),
    ] {
        let target = Target::start(named(name)).await;
        let guest = target.guest().await;
        let response =
            guest.heartbeat(json!({"platform_version": version, "metadata": {"platform_version": version}}));
        assert_eq!(response.await.body["data"]["schema_compatibility"]["status"], status, "{name}");
    }
}

#[tokio::test]
async fn defects_of_sync_accept_corrupt_batches() {
    let corrupt = |change: &str| {
        let mut batch = batch("1", "2", &[1]);
        match change {
            "digest" => batch["sha256"] = json!("00"),
            "cursor" => batch["cursor"]["from"] = json!("7"),
            _ => batch = super::conduct::batch("1", "2", &[1, 1]),
        }
        batch
    };
    for (name, change) in [
        ("accepts-any-batch-digest", "digest"),
        ("accepts-any-sync-cursor", "cursor"),
        ("accepts-duplicate-records", "repeat"),
    ] {
        let target = Target::with_skills(named(name)).await;
        let guest = target.guest().await;
        assert_eq!(guest.post("sync", batch("0", "1", &[9]), None).await.status, 200);
        assert_eq!(guest.post("sync", corrupt(change), None).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_promised_excerpt_is_sent_when_it_is_due_to_the_requesting_peer_only() {
    let target = Target::start(named("promises-excerpts-in-71-hours")).await;
    let (guest, other) = (target.guest().await, target.guest().await);
    let response = guest.get("audit_excerpts", None).await;
    assert_eq!((response.status, &response.body["data"]["due_at"]), (202, &json!("2026-06-03T23:00:00Z")));
    let path =
        format!("audit_excerpts?request_id={}", response.body["data"]["request_id"].as_str().expect("an id"));
    assert_eq!(guest.get(&path, None).await.status, 202);
    target.clock.advance_seconds(71 * 3600);
    assert_eq!(other.get(&path, None).await.status, 404);
    // The count covers accept, heartbeat, and the two calls of that very second.
    assert_eq!(guest.get(&path, None).await.body["data"]["count"], 4);
}

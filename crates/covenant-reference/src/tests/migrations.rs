//! Commitments 7, 8 and 11.2: a migration is atomic, its report is true, and the operator is informed.

use serde_json::{Value, json};

use super::{Guest, Target, TestResponse, id, options, plan};

async fn ready() -> (Target, Guest, String) {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    let (_, token) = target.grant(&guest, &["migrate", "read"]).await;
    (target, guest, token)
}

async fn send(guest: &Guest, token: &str, plan: Value) -> TestResponse {
    guest.post("migrations", plan, Some(token)).await
}

async fn stored(target: &Target) -> Vec<Value> {
    let listed = target.operate("resource.list", json!({"kind": "skill"})).await;
    listed["resources"].as_array().expect("a list").iter().map(|row| row["record"].clone()).collect()
}

#[tokio::test]
async fn a_migration_keeps_ids_and_nested_references_and_drops_only_the_timestamps() {
    let (target, guest, token) = ready().await;
    let nested = json!({"uses": [id(9), {"deep": id(1)}]});
    let record = json!({"id": id(1), "account_id": "theirs", "created_at": "x", "links": nested});
    let response = send(&guest, &token, plan(&[record])).await;
    assert_eq!(response.status, 201, "{response:?}");
    assert_eq!(
        (&response.body["data"]["applied_count"], &response.body["data"]["skipped_count"]),
        (&json!(1), &json!(0))
    );
    let records = stored(&target).await;
    assert_eq!((&records[0]["id"], &records[0]["links"]), (&json!(id(1)), &nested));
    assert_ne!(records[0]["account_id"], "theirs");
    assert!(records[0].get("created_at").is_none());
}

#[tokio::test]
async fn a_plan_that_fails_at_any_position_leaves_nothing() {
    let (target, guest, token) = ready().await;
    for position in 0..4 {
        let records: Vec<Value> = (0..4).map(|n| json!({"id": id(n), "name": "x"})).collect();
        let mut plan = plan(&records);
        plan["steps"][position]["action"] = json!("link_local");
        let response = send(&guest, &token, plan).await;
        assert_eq!((response.status, &response.body["status"]), (422, &json!("failed")));
        assert_eq!(stored(&target).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn each_conflict_is_resolved_by_its_policy_and_logged() {
    let (target, guest, token) = ready().await;
    for (number, slug) in [(1, "one"), (2, "two")] {
        let record = json!({"kind": "skill", "id": id(number), "record": {"slug": slug, "name": "old"}});
        target.operate("resource.put", record).await;
    }
    let mut plan = plan(&[
        json!({"id": id(1), "slug": "one", "name": "new"}),
        json!({"id": id(2), "slug": "two", "name": "new"}),
        json!({"id": id(3), "slug": "two"}),
        json!({"id": id(4), "slug": "two"}),
    ]);
    let policies = ["overwrite", "skip_if_exists", "rename_with_suffix", "skip_if_exists"];
    for (step, policy) in policies.iter().enumerate() {
        plan["steps"][step]["conflict_policy"] = json!(policy);
    }
    let response = send(&guest, &token, plan).await;
    let data = &response.body["data"];
    assert_eq!(
        (response.status, &data["applied_count"], &data["skipped_count"]),
        (201, &json!(2), &json!(2))
    );
    let log: Vec<Value> = data["conflict_log"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            json!([
                entry["step_order"],
                entry["constraint"],
                entry["conflicting_record_id"],
                entry["resolution"]
            ])
        })
        .collect();
    assert_eq!(
        json!(log),
        json!([
            [0, "primary_key", id(1), "overwritten"],
            [1, "primary_key", id(2), "skipped"],
            [2, "unique", id(2), "renamed"],
            [3, "unique", id(2), "skipped"],
        ])
    );
    let slugs: Vec<Value> = stored(&target).await.iter().map(|record| record["slug"].clone()).collect();
    assert_eq!(slugs, ["one", "two", "two-2"]);
}

#[tokio::test]
async fn invalid_plans_are_refused_before_any_step_is_applied() {
    let (target, guest, token) = ready().await;
    let sound = || plan(&[json!({"id": id(1)}), json!({"id": id(2)})]);
    let with = |pointer: &str, value: Value| {
        let mut plan = sound();
        *plan.pointer_mut(pointer).expect("a member") = value;
        plan
    };
    for (plan, status) in [
        (with("/operation", json!("steal")), 400),
        (with("/steps", json!([])), 400),
        (with("/steps/1/step_order", json!(0)), 400),
        (with("/steps/1/step_order", json!(-1)), 400),
        (with("/steps/1/payload/id", json!(id(3))), 400),
        (with("/steps/1/action", json!("explode")), 400),
        (with("/steps/1/resource_kind", json!("secret")), 422),
        (with("/plan_summary", json!({"schema_version": 9})), 422),
        (with("/plan_summary", json!({"next_hop": "https://third.example"})), 422),
    ] {
        let response = send(&guest, &token, plan.clone()).await;
        assert_eq!(response.status, status, "{plan} {response:?}");
    }
    assert_eq!(stored(&target).await, Vec::<Value>::new());
    assert_eq!(send(&guest, &token, with("/steps/1/resource_kind", json!("note"))).await.status, 201);
}

#[tokio::test]
async fn a_crossing_is_recorded_and_reported_to_the_operator() {
    let (target, guest, token) = ready().await;
    guest.heartbeat(json!({"data_residency": "us"})).await;
    let response = send(&guest, &token, plan(&[json!({"id": id(1)})])).await;
    let migration_id = response.body["data"]["migration_id"].as_str().expect("an id");
    let shown = target.operate("migration.show", json!({"migration_id": migration_id})).await;
    assert_eq!(shown["metadata"]["cross_jurisdiction"], json!({"from": "us", "to": "eu"}));
    let events = target.operate("event.list", Value::Null).await;
    let reported = events["events"].as_array().expect("a list").iter();
    assert_eq!(reported.filter(|event| event["kind"] == "migration.cross_residency_boundary").count(), 1);
    assert_eq!(guest.get(&format!("migrations/{migration_id}"), None).await.status, 200);
    let other = target.guest().await;
    assert_eq!(other.get(&format!("migrations/{migration_id}"), None).await.status, 404);
}

#[tokio::test]
async fn a_peer_deletes_only_records_that_it_migrated() {
    let (target, guest, token) = ready().await;
    assert_eq!(send(&guest, &token, plan(&[json!({"id": id(1)})])).await.status, 201);
    target.operate("resource.put", json!({"kind": "skill", "id": id(2), "record": {}})).await;
    for (number, status) in [(2, 422), (1, 201)] {
        let mut plan = plan(&[json!({"id": id(number)})]);
        plan["operation"] = json!("delete");
        assert_eq!(send(&guest, &token, plan).await.status, status);
    }
    assert_eq!(stored(&target).await.len(), 1);
}

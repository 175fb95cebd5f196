//! 7.1 under real crashes: the platform is killed inside the transaction at every position. After the restart,
//! nothing of the plan exists, and everything acknowledged before is there.

use serde_json::{Value, json};

use super::{Guest, Target, id, options, plan};
use crate::{Database, Options};

const STEPS: u32 = 4;

fn on_file(path: &std::path::Path, crash_at_step: Option<u32>) -> Options {
    let mut options = options();
    options.database = Database::File(path.to_owned());
    options.settings.crash_at_step = crash_at_step;
    options
}

fn moved(guest: Guest, target: &Target) -> Guest {
    Guest { base_url: target.anonymous_client().base_url, ..guest }
}

#[tokio::test]
async fn nothing_of_a_migration_survives_a_crash_within_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("platform.db");
    let target = Target::with_skills(on_file(&path, None)).await;
    let mut guest = target.guest().await;
    let (_, token) = target.grant(&guest, &["migrate", "read"]).await;
    target.operate("resource.put", json!({"kind": "skill", "id": id(99), "record": {"name": "kept"}})).await;
    let authority = target.running.ca_bundle_pem().to_owned();
    target.running.kill().await;

    let records: Vec<Value> = (0..STEPS).map(|n| json!({"id": id(n), "name": "x"})).collect();
    for position in 0..=STEPS {
        let dying = Target::start(on_file(&path, Some(position))).await;
        guest = moved(guest, &dying);
        let answer = guest.try_call("POST", "migrations", Some(plan(&records)), Some(&token)).await;
        assert!(answer.is_err(), "a dead platform answers nothing: {answer:?}");
        assert!(dying.running.platform.is_dead());
        dying.running.kill().await;

        let again = Target::start(on_file(&path, None)).await;
        assert_eq!(again.running.ca_bundle_pem(), authority);
        let listed = again.operate("resource.list", json!({"kind": "skill"})).await;
        assert_eq!(listed["resources"].as_array().map(Vec::len), Some(1), "after a death at step {position}");
        assert_eq!(again.operate("migration.list", json!({})).await["migrations"], json!([]));
        again.running.stop().await;
    }
    let target = Target::start(on_file(&path, None)).await;
    guest = moved(guest, &target);
    assert_eq!(guest.heartbeat(json!({})).await.status, 200);
    assert_eq!(guest.post("migrations", plan(&records), Some(&token)).await.status, 201);
}

#[tokio::test]
async fn the_error_for_a_taken_port_names_the_address() {
    let target = Target::start(options()).await;
    let taken = target.running.address();
    let error = crate::Platform::start(Options { listen: taken, ..options() }).await.expect_err("taken");
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}

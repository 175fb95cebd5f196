//! Tests of the fitting of a scenario.

use super::*;
use crate::runner::library;
use crate::scenario::load;

fn kinds(rows: &Value) -> Kinds {
    Kinds::read(rows).expect("valid kinds").expect("kinds")
}

/// Returns a kind that can do all that the suite asks for.
fn workflow() -> Value {
    json!({"kind": "workflow", "sample": {"title": "Weaving", "state": "draft"}, "members": {
        "title": {"role": "text", "required": true}, "crew": {"role": "text"}, "grade": {"role": "text"},
        "handle": {"role": "slug"}, "state": {"required": true},
        "up_id": {"role": "reference", "to": "workflow"},
    }})
}

/// Returns a kind that has a name, and nothing beside it.
fn plain(kind: &str) -> Value {
    json!({"kind": kind, "members": {"label": {"role": "text", "required": true}}})
}

/// Fits steps, in the form of a scenario file. Returns the last one.
fn fitted(steps: &str, rows: &Value) -> Result<(Value, BTreeMap<u32, Unfit>), String> {
    let source = format!("title = \"x\"\n[[peer]]\nname = \"alice\"\n{steps}");
    let loaded = load("x", "x.toml", &source).expect("a sound scenario");
    let Fitted { scenario, unfit, .. } = fit(&loaded.scenario, &kinds(rows))?;
    Ok((json!(scenario.steps.last().expect("a step").get_ref()), unfit))
}

fn declare(kind: &str, more: &str) -> String {
    format!(
        r#"
        [[step]]
        operator = {{ method = "capability.declare", with = {{ resource_kind = "{kind}", schema_version = 1,
            direction = "bidirectional", policy = "manual"{more} }} }}
        "#
    )
}

#[test]
fn a_record_is_filled_up_and_keeps_what_the_kind_stores() {
    let full = r#"
        [[step]]
        put = { kind = "skill", id = "${id:a}", record = { name = "A", team = "red", slug = "a",
            parent_id = "${id:b}", note_id = "${id:c}", tags = [1], deep = { x = 1 } } }
    "#;
    let (put, _) = fitted(full, &json!([plain("task"), workflow()])).expect("it fits");
    let record = json!({"title": "A", "crew": "red", "handle": "a", "state": "draft", "up_id": "${id:b}"});
    assert_eq!(put["put"], json!({"kind": "workflow", "id": "${id:a}", "record": record}));
    let nameless = r#"
        [[step]]
        put = { kind = "agent", id = "${id:a}", record = { tags = [] } }
    "#;
    let (put, _) = fitted(nameless, &json!([plain("task")])).expect("it fits");
    assert_eq!(put["put"]["record"], json!({"label": "covenant-${id:a}"}));
}

#[test]
fn kinds_are_replaced_wherever_they_are_named() {
    let call = r#"
        [[step]]
        call = { peer = "alice", method = "GET", path = "/x/resources/skill/1",
            body = { resource_kind = "agent", kinds = [{ kind = "user" }] } }
    "#;
    let (call, _) = fitted(call, &json!([plain("agent"), plain("user")])).expect("it fits");
    assert_eq!(call["call"]["path"], "/x/resources/agent/1");
    assert_eq!(call["call"]["body"], json!({"resource_kind": "user", "kinds": [{"kind": "no_user"}]}));
}

#[test]
fn what_the_kinds_lack_is_named() {
    let one = json!([plain("task")]);
    let lacks = |steps: &str| fitted(steps, &one).expect_err("too little");
    let filter = lacks(&declare("skill", ", filter = { team = \"blue\" }"));
    assert_eq!(filter, "the kind `task` has no member with the role `text` beside its name, to filter by");
    assert!(lacks(&(declare("skill", "") + &declare("agent", ""))).contains("name one more, for `agent`"));
    // A spare kind is left out, and so is a migration that has a label.
    let spare = declare("skill", "") + &declare("note", "");
    let (_, unfit) = fitted(&spare, &one).expect("it fits");
    assert!(unfit.len() == 1 && unfit[&2].is_spare, "{unfit:?}");
    let referring = r#"
        [[step]]
        migrate = { peer = "alice", as = "sent", plan = { root_resource_kind = "skill", steps = [
            { resource_kind = "skill", resource_id = "1", payload = { id = "1", parent_id = "2" } },
        ] } }
    "#;
    let (_, unfit) = fitted(referring, &one).expect("it fits");
    let expected = "the kind `task` has no member with the role `reference`, to a record of its own kind";
    assert_eq!(unfit[&1].lacks, expected);
}

#[test]
fn every_scenario_fits_to_kinds_that_have_all() {
    let rows = json!([workflow(), plain("task"), plain("document")]);
    for loaded in library(None).expect("sound scenarios").iter() {
        let fitted = fit(&loaded.scenario, &kinds(&rows)).expect(&loaded.id);
        assert!(fitted.unfit.is_empty(), "{}", loaded.id);
        let written = crate::scenario::write(&fitted.scenario).expect(&loaded.id);
        for kind in KINDS {
            assert!(!written.contains(&format!("kind = \"{kind}\"")), "{}: {kind}", loaded.id);
        }
    }
}

//! Names of records that no other scenario has, for a target that scenarios share: a platform may want each name once.

use serde_json::{Map, Value};

use super::format::Scenario;
use super::step::changed;

/// The members of a step that hold the members of a record.
pub(super) const RECORDS: [&str; 2] = ["payload", "record"];

/// Returns the scenario, with an id in the name of each record that it stores, migrates or syncs.
pub(super) fn with_own_names(scenario: &Scenario) -> Scenario {
    let steps = scenario.steps.iter().map(|step| changed(step, add_to_names));
    Scenario { steps: steps.collect(), ..scenario.clone() }
}

fn add_to_names(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(add_to_names),
        Value::Object(members) => {
            for (member, value) in members.iter_mut() {
                match value {
                    Value::Object(record) if RECORDS.contains(&member.as_str()) => {
                        add_to_name(record, "");
                    }
                    other => add_to_names(other),
                }
            }
        }
        _ => {}
    }
}

/// Adds an id to the name of a record that has none: one for all the names of a scenario with the same end.
pub(super) fn add_to_name(record: &mut Map<String, Value>, end: &str) {
    if let Some(Value::String(name)) = record.get_mut("name")
        && !name.trim().is_empty()
        && !name.contains("${")
    {
        *name = format!("{name} ${{id:names{end}}}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_record_of_a_scenario_gets_an_id_in_its_name() {
        let text = r#"
title = "Names"

[[peer]]
name = "alice"

[[step]]
put = { kind = "skill", id = "${id:a}", record = { name = "a", team = "red" } }

[[step]]
migrate = { peer = "alice", plan = { steps = [{ payload = { name = "b" } }, { payload = { name = "${id:c}" } }] } }

[[step]]
sync = { peer = "alice", kind = "skill", records = [{ id = "${id:d}", payload = { name = " " } }] }
"#;
        let scenario: Scenario = toml::from_str(text).expect("a scenario");
        let steps: Vec<Value> =
            with_own_names(&scenario).steps.iter().map(|step| json!(step.get_ref())).collect();
        assert_eq!(steps[0]["put"]["record"], json!({"name": "a ${id:names}", "team": "red"}));
        assert_eq!(steps[1]["migrate"]["plan"]["steps"][0]["payload"]["name"], "b ${id:names}");
        assert_eq!(steps[1]["migrate"]["plan"]["steps"][1]["payload"]["name"], "${id:c}");
        assert_eq!(steps[2]["sync"]["records"][0]["payload"]["name"], " ");
    }
}

//! The schema of `[[check]]` in a scenario file: for each check, its own arguments.

use serde_json::{Map, Value, json};

use super::table::checks;

/// Adds the arguments of each check to the schema of a scenario file, so that an editor completes them and
/// reports wrong ones. `check_spec` is the name of the definition of a `[[check]]`.
pub fn add_arguments(schema: &mut Value, check_spec: &str) {
    let mut shared = Map::new();
    let mut rules = Vec::new();
    for check in checks() {
        let mut arguments = check.schema();
        let Some(members) = arguments.as_object_mut() else { continue };
        if let Some(Value::Object(definitions)) = members.remove("$defs") {
            shared.extend(definitions);
        }
        for name in ["$schema", "title"] {
            members.remove(name);
        }
        let is_required = members.get("required").is_some();
        let mut then = json!({"properties": {"with": arguments}});
        if is_required {
            then["required"] = json!(["with"]);
        }
        rules.push(json!({"if": {"properties": {"check": {"const": check.id}}}, "then": then}));
    }
    let ids: Vec<&str> = checks().map(|check| check.id).collect();
    let spec = &mut schema["$defs"][check_spec];
    spec["properties"]["check"]["enum"] = json!(ids);
    spec["allOf"] = Value::Array(rules);
    if let Some(definitions) = schema["$defs"].as_object_mut() {
        definitions.extend(shared);
    }
}

//! Tables of a page.

use std::fmt::Write;

use serde_json::Value;

/// Appends a table. A row with fewer cells than the head ends early.
pub(super) fn table<R: AsRef<[String]>>(page: &mut String, head: &[&str], rows: impl IntoIterator<Item = R>) {
    let _ = writeln!(page, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let cells: Vec<String> = row.as_ref().iter().map(|cell| escaped(cell)).collect();
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    page.push('\n');
}

/// Appends a table of the members that a JSON Schema describes.
pub(super) fn members(page: &mut String, schema: &Value) {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let rows = properties.map(|(name, property)| {
        let needed = if required.contains(&name.as_str()) { "yes" } else { "" };
        [format!("`{name}`"), type_of(property), needed.to_owned(), description(property)]
    });
    table(page, &["member", "type", "required", "meaning"], rows);
}

/// Returns the type that a schema describes, in a few words.
pub(super) fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(|| format!("[{name}](#{})", name.to_lowercase()), |(_, words)| (*words).to_owned());
    }
    for choices in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[choices].as_array() {
            let names: Vec<String> =
                choices.iter().filter(|choice| choice["type"] != "null").map(type_of).collect();
            return names.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<&str> =
                names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect();
            names.join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

/// Types of arguments that are shown under another name.
const NAMES: [(&str, &str); 7] = [
    ("Label", "label"),
    ("Labels", "label, or list of labels"),
    ("CaseLabel", "label"),
    ("PeerName", "peer"),
    ("PeerOrJoin", "peer, or label of a join"),
    ("ClauseId", "clause"),
    ("Aspect", "`conduct` or `detection`"),
];

/// Returns the description in a schema, as one line.
pub(super) fn description(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_names_each_member_with_its_type() {
        let schema = json!({"required": ["a"], "properties": {
            "a": {"type": ["string", "null"], "description": "One | two."},
            "b": {"type": "array", "items": {"$ref": "#/$defs/Labels"}},
        }});
        let mut page = String::new();
        members(&mut page, &schema);
        assert!(page.contains("| `a` | string | yes | One \\| two. |"), "{page}");
        assert!(page.contains("| `b` | list of label, or list of labels |"), "{page}");
    }
}

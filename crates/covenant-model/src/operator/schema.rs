//! The JSON Schema of the adapter protocol.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{ERROR_CODES, METHODS, MethodDef, PROTOCOL};

/// Returns the JSON Schema of a request. `$defs` holds the parameters and the result of each method, under
/// `peer.propose.params` and `peer.propose.result`, and the response.
#[must_use]
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut definitions = Map::new();
    let mut requests = Vec::new();
    for row in METHODS.iter().flat_map(|group| group.iter()) {
        let (parameters, result) = row.schemas(&mut generator);
        definitions.insert(format!("{}.params", row.name), parameters.to_value());
        definitions.insert(format!("{}.result", row.name), result.to_value());
        requests.push(request(row));
    }
    definitions.extend(generator.take_definitions(true));
    definitions.insert("response".to_owned(), response());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Adapter protocol, version {PROTOCOL}"),
        "description": "A request of the suite. The response to it is `#/$defs/response`; the parameters and the \
            result of a method are `#/$defs/METHOD.params` and `#/$defs/METHOD.result`.",
        "oneOf": requests,
        "$defs": definitions,
    })
}

fn request(row: &MethodDef) -> Value {
    let need = if row.required { "required" } else { "optional" };
    json!({
        "title": row.name,
        "description": format!("{} Since version {}; {need}.", row.summary(), row.since),
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"type": "integer"},
            "method": {"const": row.name},
            "params": {"$ref": format!("#/$defs/{}.params", row.name)},
        },
        "required": ["jsonrpc", "id", "method", "params"],
    })
}

fn response() -> Value {
    let codes: Vec<Value> = ERROR_CODES
        .iter()
        .map(|row| {
            let (first, last) = row.codes;
            json!({
                "minimum": first.min(last), "maximum": first.max(last),
                "description": format!("{}: {}.", row.meaning, row.consequence),
            })
        })
        .collect();
    json!({
        "type": "object",
        "description": "A response: the result of the method, or an error.",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"type": ["integer", "null"], "description": "The id of the request; null if it could not be read."},
            "result": {"description": "The result, as `METHOD.result` describes it."},
            "error": {
                "type": "object",
                "properties": {
                    "code": {"type": "integer", "anyOf": codes},
                    "message": {"type": "string", "description": "The reason, for a person."},
                },
                "required": ["code"],
            },
        },
        "required": ["id"],
        "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
    })
}

//! `docs/scenario-format.md`.

use std::fmt::Write;

use serde_json::Value;

use super::HEAD;
use super::table::{description, members, table};
use crate::scenario::{Loaded, Scenario};

const INTRODUCTION: &str = "# Scenario format

A scenario is one TOML file: peers that the suite plays, steps in order, and checks. `covenant run --scenarios PATH` runs a folder
of them, or one file. `covenant schema scenario` prints the JSON Schema, which also holds the arguments of each
[check](checks.md). An error in a file names the file, line and column, and the nearest known name.

```toml
title = \"A revoked grant is refused\"

[[peer]]
name = \"alice\"

[[step]]
operator = { method = \"capability.declare\", with = { resource_kind = \"skill\", schema_version = 1, direction = \"bidirectional\", policy = \"manual\" } }

[[step]]
federate = { peer = \"alice\" }

[[step]]
grant = { peer = \"alice\", kind = \"skill\", id = \"${id:one}\", scopes = [\"read\"], as = \"grant\" }

[[step]]
fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:one}\", grant = \"grant\", as = \"before\" }

[[step]]
operator = { method = \"grant.revoke\", with = { grant_id = \"${grant.grant_id}\" } }

[[step]]
fetch = { peer = \"alice\", kind = \"skill\", id = \"${id:one}\", grant = \"grant\", as = \"after\" }

[[step]]
heartbeat = { peer = \"alice\", as = \"probe\" }

[[check]]
clause = \"2.2\"
aspect = \"conduct\"
check = \"refused\"
requirement = \"a revoked grant is refused at once\"
with = { call = \"after\", control = \"before\", probe = \"probe\" }
```

A step has exactly one key, which names what it does. `as` gives a label to the entries that the step records; checks and
later steps refer to it.
";

const TEMPLATES: [(&str, &str); 11] = [
    (
        "`${first.data.peer_id}`",
        "a member of the answer, or of the result, that a label recorded; a list is indexed by number",
    ),
    ("`${first.data.id?}`", "the same; JSON's null if there is no such member"),
    (
        "`${first.offering.slug?}`",
        "of a label that read the service catalogue: the offering to subscribe to, one that takes subscriptions and states no capacity, or else the largest; `limited` states the smallest",
    ),
    ("`${alice.id}`", "the id under which the target stores a peer"),
    ("`${id:root}`", "an id by name: the same name gives the same id in one scenario"),
    ("`${now}`, `${now-90000}`", "the time of the scenario's clock, with an offset in seconds"),
    ("`${now-90000 at -03:00}`", "the same, as a clock shows it at that offset from UTC"),
    (
        "`${release.own}`",
        "the target's release; also `patched`, `pre_release`, `minor_before`, `minor_after`, `before_window`, `two_minors_after`, `minor_with_a_zero`, `next_major`; `version_core` (its three numbers), `two_numbers`, `one_number`, `minor_with_leading_zero`",
    ),
    ("`${turn}`", "the number of the repetition, from 1"),
    ("`${null}`", "JSON's null, which TOML lacks"),
    ("`${id:$turn}`", "an id for each repetition"),
];

/// Writes the page.
pub(super) fn page(_parts: &[Loaded]) -> String {
    let schema = schemars::schema_for!(Scenario).to_value();
    let mut page = format!("{HEAD}{INTRODUCTION}\n## The file\n\n");
    members(&mut page, &schema);
    page.push_str("## Texts with values\n\nA text of a step may hold `${…}`:\n\n");
    let rows = TEMPLATES.iter().map(|(template, meaning)| [(*template).to_owned(), (*meaning).to_owned()]);
    table(&mut page, &["text", "value"], rows);
    steps(&mut page, &schema["$defs"]);
    page.push_str("## Types\n\n");
    let definitions = schema["$defs"].as_object().into_iter().flatten();
    let of_steps: Vec<&str> = variants(&schema["$defs"]).filter_map(|(_, of, _)| of).collect();
    for (name, definition) in definitions {
        if name == "Step" || of_steps.contains(&name.as_str()) {
            continue;
        }
        named_type(&mut page, name, definition);
    }
    page
}

fn steps(page: &mut String, definitions: &Value) {
    page.push_str("## Steps\n\n");
    for (name, of, about) in variants(definitions) {
        let _ = writeln!(page, "### `{name}`\n\n{about}\n");
        if let Some(of) = of {
            members(page, &definitions[of]);
        }
    }
}

/// Returns the steps: name, type and description.
fn variants(definitions: &Value) -> impl Iterator<Item = (&str, Option<&str>, String)> {
    let variants = definitions["Step"]["oneOf"].as_array().into_iter().flatten();
    variants.filter_map(|variant| {
        let (name, property) = variant["properties"].as_object()?.iter().next()?;
        let of = property["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
        Some((name.as_str(), of, description(variant)))
    })
}

fn named_type(page: &mut String, name: &str, definition: &Value) {
    let _ = writeln!(page, "### {name}\n\n{}\n", description(definition));
    if definition["properties"].is_object() {
        members(page, definition);
        return;
    }
    let constants = definition["oneOf"].as_array().into_iter().flatten();
    let rows: Vec<[String; 2]> = constants
        .filter_map(|constant| {
            let names = constant["const"]
                .as_str()
                .map(|name| vec![name])
                .or_else(|| Some(constant["enum"].as_array()?.iter().filter_map(Value::as_str).collect()))?;
            Some([format!("`{}`", names.join("`, `")), description(constant)])
        })
        .collect();
    if !rows.is_empty() {
        table(page, &["value", "meaning"], rows);
    }
}

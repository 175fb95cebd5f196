//! `docs/adapter-protocol.md`: prose from `adapter_protocol.md`, and the table of methods.

use std::fmt::Write;

use covenant_model::operator::{ERROR_CODES, ErrorCode};

use crate::operator::{Form, Kind, METHODS, Member, MethodDef, PROTOCOL};

/// The prose, with a place for each generated part.
const PROSE: &str = include_str!("adapter_protocol.md");

/// Returns the page.
pub(super) fn page() -> String {
    let rows: Vec<&MethodDef> = METHODS.iter().flat_map(|group| group.iter()).collect();
    let methods: Vec<String> = rows.iter().map(|row| method(row)).collect();
    PROSE
        .replace("{protocol}", &PROTOCOL.to_string())
        .replace("{errors}\n", &ERROR_CODES.iter().map(error).collect::<String>())
        .replace("{overview}\n", &rows.iter().map(|row| overview(row)).collect::<String>())
        .replace("{methods}\n", &methods.join("\n"))
}

fn error(row: &ErrorCode) -> String {
    let codes = match row.codes {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} to {last}"),
    };
    format!("| {codes} | {} | {} |\n", row.meaning, row.consequence)
}

fn overview(row: &MethodDef) -> String {
    let anchor = row.name.replace('.', "");
    let need = need(row);
    format!("| [`{}`](#{anchor}) | {} | {need} | {} |\n", row.name, row.summary(), row.since)
}

fn need(row: &MethodDef) -> &'static str {
    if row.required { "required" } else { "optional" }
}

/// Returns the section of one method.
fn method(row: &MethodDef) -> String {
    let mut text = format!("### `{}`\n\n{}\n", row.name, unwrapped(&row.about()));
    let _ = writeln!(text, "\nSince version {}, {}, basis {}.", row.since, need(row), row.basis);
    if let Some(prompt) = row.prompt {
        let _ = writeln!(text, "A person is asked: \"{prompt}\"");
    }
    table(&mut text, "Parameters", &row.parameters());
    table(&mut text, "Result", &row.result());
    let _ = writeln!(text, "\n```json\n{}\n{}\n```", request(row), response(row));
    text
}

fn request(row: &MethodDef) -> String {
    let (name, parameters) = (row.name, row.example.parameters);
    format!(r#"{{"jsonrpc": "2.0", "id": 7, "method": "{name}", "params": {parameters}}}"#)
}

fn response(row: &MethodDef) -> String {
    format!(r#"{{"jsonrpc": "2.0", "id": 7, "result": {}}}"#, row.example.result)
}

fn table(text: &mut String, title: &str, form: &Form) {
    if form.members.is_empty() {
        let _ = writeln!(text, "\n{title}: none, an empty object.");
        return;
    }
    let alone = if form.may_be_bare { ", or the list without the object" } else { "" };
    let _ = writeln!(text, "\n{title}{alone}:\n\n| member | value | meaning |\n|---|---|---|");
    rows(text, "", &form.members);
}

/// Adds a row for each member. The members of an inner object follow it, under its name.
fn rows(text: &mut String, outer: &str, members: &[Member]) {
    for member in members {
        let name = format!("{outer}{}", member.name);
        let optional = if member.required { "" } else { ", optional" };
        let about = unwrapped(&member.about);
        let _ = writeln!(text, "| `{name}` | {}{optional} | {about} |", member.kind);
        let item = if matches!(member.kind, Kind::Array(_)) { "[]" } else { "" };
        rows(text, &format!("{name}{item}."), &member.members);
    }
}

/// Returns a text whose paragraphs have one line each.
fn unwrapped(text: &str) -> String {
    let paragraphs: Vec<String> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}

//! `docs/clauses.md`.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::HEAD;
use super::table::table;
use crate::contract::{Aspect, Clause, REGISTERS, Register, Section, V1_2026_05, fix};
use crate::runner::planned;
use crate::scenario::Loaded;

const INTRODUCTION: &str = "# Clauses

The contract, clause by clause, in this project's own words. Each clause has one id everywhere: in scenarios, checks, defects
and report rows. `hard` clauses are enforced by program, `soft` ones by operator review, `critical` ones are driven by an
operator. A clause has one or two aspects, each with a verdict of its own: `conduct` (the target keeps the clause) and
`detection` (the target notices a peer that breaks it). `covenant explain 7.3` shows the same for one clause, with its
scenarios and operator methods.
";

/// Writes the page.
pub(super) fn page(parts: &[Loaded]) -> String {
    let mut page = format!("{HEAD}{INTRODUCTION}");
    let register = &V1_2026_05;
    texts(&mut page);
    for section in Section::all() {
        let _ = writeln!(page, "\n## {section} {}\n", section.title());
        for clause in register.section(section) {
            entry(&mut page, clause, parts);
        }
    }
    page
}

/// Lists the contract texts, and the rows in which the later ones differ from the first.
fn texts(page: &mut String) {
    page.push_str("\n## Texts\n\nThe clauses below are those of the first text. A later text lists the rows that differ.\n\n");
    let texts = REGISTERS.iter().map(|text| {
        [
            text.id.to_owned(),
            text.contract_version.to_string(),
            format!("`{}`", text.digest),
            differences(text),
        ]
    });
    table(page, &["text", "version", "SHA-256", "clauses that differ from the text before"], texts);
}

fn differences(text: &Register) -> String {
    if text.base.is_none() {
        return "none".to_owned();
    }
    let rows = text.rows.iter().map(|clause| {
        let withdrawn = if clause.withdrawn { " (withdrawn)" } else { "" };
        format!("{}{withdrawn}: {}", clause.id, clause.obligation)
    });
    rows.collect::<Vec<_>>().join("; ")
}

fn entry(page: &mut String, clause: &Clause, parts: &[Loaded]) {
    let _ = writeln!(page, "### {} ({})\n\n{}.\n", clause.id, clause.class, clause.obligation);
    let rows = clause.aspects().map(|aspect| {
        let how = clause.observation(aspect).map_or("", |seen| seen.how);
        let fix = fix(clause.id, aspect).unwrap_or_default();
        [aspect.to_string(), how.to_owned(), checks_of(clause, aspect, parts), fix.to_owned()]
    });
    table(page, &["aspect", "how it is seen", "checks", "what usually fixes it"], rows);
}

fn checks_of(clause: &Clause, aspect: Aspect, parts: &[Loaded]) -> String {
    let all = parts.iter().flat_map(|loaded| planned(&loaded.id, loaded));
    let of_aspect = all.filter(|check| check.clause == clause.id && check.aspect == aspect);
    let names: BTreeSet<String> =
        of_aspect.map(|check| format!("[`{0}`](checks.md#{0}) ({1})", check.check, check.basis)).collect();
    if names.is_empty() {
        return "attested by a person".to_owned();
    }
    names.into_iter().collect::<Vec<_>>().join(", ")
}

//! Commitment 7: any plan, with any actions and policies, and a failure or a crash at any step.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::whole::whole;

/// The number of records that exist before, `old_0` to `old_4`.
const OLD: usize = 5;
/// The maximum number of steps of a plan.
const STEPS_MAX: usize = 40;

pub(super) const PROPERTY: Property = Property {
    name: "migration-plans",
    commitment: 7,
    about: "the target applies each plan whole or not at all, and reports the result faithfully",
    edge_cases,
    scenarios,
};

fn scenarios() -> BoxedStrategy<String> {
    let steps = proptest::collection::vec(step(), 1..=STEPS_MAX);
    let crash = prop_oneof![4 => Just(None), 1 => (0..STEPS_MAX).prop_map(Some)];
    let opens = prop_oneof![3 => Just(false), 1 => Just(true)];
    (steps, crash, opens).prop_map(|(steps, crash, opens)| file(&steps, crash, opens)).boxed()
}

/// Returns the edge cases: a plan that succeeds with a conflict on its way; a plan that fails, sent at once
/// and also opened first; a plan that needs another id; and plans that fail, or are cut short by a crash, at
/// each place.
fn edge_cases() -> Vec<BoxedStrategy<String>> {
    let plan = |policy: &'static str| vec![plain(Action::Create), plain(Action::Meet { old: 0, policy })];
    let (done, fails) = (plan("skip_if_exists"), plan("fail"));
    let renames = plan("rename_with_suffix");
    let sent = [done, fails.clone(), renames].map(|plan| edge_case(plan, None, false));
    let crashes = (0..PLACES).map(|place| edge_case(creating(), Some(place), false));
    let failing = (0..PLACES).map(|place| edge_case(failing_at(place), None, false));
    sent.into_iter().chain([edge_case(fails, None, true)]).chain(failing).chain(crashes).collect()
}

/// The number of places at which the plans of some edge cases go wrong.
const PLACES: usize = 5;

fn edge_case(plan: Vec<Step>, crash: Option<usize>, opens: bool) -> BoxedStrategy<String> {
    whole(plan).prop_map(move |plan| file(&plan, crash, opens)).boxed()
}

fn plain(action: Action) -> Step {
    Step { action, shuffle: 0, refers_to: None }
}

fn creating() -> Vec<Step> {
    vec![plain(Action::Create); PLACES]
}

fn failing_at(place: usize) -> Vec<Step> {
    let mut steps = creating();
    steps[place] = plain(Action::Meet { old: 0, policy: "fail" });
    steps
}

/// One step. A reference uses an index, never an id that a server assigns.
#[derive(Clone, Debug)]
struct Step {
    action: Action,
    /// The sort key of the step: the order of the array is not the order of the plan.
    shuffle: u16,
    refers_to: Option<usize>,
}

#[derive(Clone, Debug)]
enum Action {
    /// A record that does not exist.
    Create,
    /// A record that exists.
    Meet {
        old: usize,
        policy: &'static str,
    },
    Link {
        old: usize,
    },
    Skip,
    /// A step that the sender itself marks as a conflict.
    Conflict,
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop_oneof![
        24 => Just(Action::Create),
        4 => (0..OLD, select(vec!["skip_if_exists", "overwrite"]))
            .prop_map(|(old, policy)| Action::Meet { old, policy }),
        1 => (0..OLD, select(vec!["fail", "rename_with_suffix"]))
            .prop_map(|(old, policy)| Action::Meet { old, policy }),
        2 => (0..OLD).prop_map(|old| Action::Link { old }),
        2 => Just(Action::Skip),
        1 => Just(Action::Conflict),
    ];
    (action, any::<u16>(), proptest::option::of(0..STEPS_MAX)).prop_map(|(action, shuffle, refers_to)| Step {
        action,
        shuffle,
        refers_to,
    })
}

/// Returns the scenario of a plan. `crash` is the number of steps after which the target dies. If `opens` is
/// true, the migration is opened first and then committed.
fn file(steps: &[Step], crash: Option<usize>, opens: bool) -> String {
    let mut text = String::from("title = \"A generated plan\"\nalone = true\n");
    let crash = crash.filter(|at| *at < steps.len());
    if let Some(at) = crash {
        let _ = writeln!(text, "durable = true\nsettings = {{ crash_at_step = {} }}", at + 1);
    }
    text.push_str(HEAD);
    for old in 0..OLD {
        let _ = writeln!(
            text,
            "[[step]]\nput = {{ kind = \"skill\", id = \"${{id:old_{old}}}\", record = {{ name = \"Old {old}\" }} }}\n"
        );
    }
    text.push_str(SNAPSHOT_BEFORE);
    plan(&mut text, steps, opens);
    if opens {
        text.push_str(COMMIT);
    }
    if crash.is_some() {
        text.push_str(RESTART);
    }
    text.push_str(SNAPSHOT_AFTER);
    for (clause, check, requirement) in CHECKS {
        let _ = writeln!(
            text,
            "[[check]]\nclause = \"{clause}\"\naspect = \"conduct\"\ncheck = \"{check}\"\nrequirement = \"{requirement}\"\n\
             with = {{ plan = \"plan\", commit = \"commit\", before = \"before\", after = \"after\" }}\n"
        );
    }
    text
}

fn plan(text: &mut String, steps: &[Step], opens: bool) {
    text.push_str(
        "[[step]]\nmigrate = { peer = \"alice\", grant = \"grant\", as = \"plan\", plan = { operation = \"migrate\", \
         root_resource_kind = \"skill\", root_resource_id = \"${id:new_0}\", plan_summary = {}, ",
    );
    text.push_str(if opens { "commit = false, steps = [\n" } else { "steps = [\n" });
    let mut places: Vec<usize> = (0..steps.len()).collect();
    places.sort_by_key(|place| (steps[*place].shuffle, *place));
    let created: BTreeSet<usize> =
        (0..steps.len()).filter(|place| matches!(steps[*place].action, Action::Create)).collect();
    for place in places {
        let step = &steps[place];
        let (id, action, policy) = match step.action {
            Action::Create => (format!("new_{place}"), "create", "fail"),
            Action::Meet { old, policy } => (format!("old_{old}"), "create", policy),
            Action::Link { old } => (format!("old_{old}"), "link_local", "fail"),
            Action::Skip => (format!("new_{place}"), "skip", "fail"),
            Action::Conflict => (format!("new_{place}"), "conflict", "fail"),
        };
        let refers_to = step.refers_to.filter(|other| created.contains(other));
        let reference = refers_to
            .map(|other| format!(", parent_id = \"${{id:new_{other}}}\", deep = {{ list = [{{ note_id = \"${{id:new_{other}}}\" }}] }}"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "    {{ step_order = {place}, resource_kind = \"skill\", resource_id = \"${{id:{id}}}\", action = \"{action}\", \
             conflict_policy = \"{policy}\", payload = {{ id = \"${{id:{id}}}\", name = \"Step {place}\"{reference} }} }},"
        );
    }
    text.push_str("] } }\n\n");
}

const CHECKS: [(&str, &str, &str); 4] = [
    (
        "7.1",
        "migration-is-atomic",
        "the target applies nothing of a plan that fails, and nothing or all of a plan that a crash interrupts",
    ),
    ("7.2", "migration-claims-match-records", "the target's claims about a plan can be read back"),
    ("7.3", "conflicts-are-reported", "the target reports each conflict in conflict_log, and no other"),
    (
        "7.4",
        "ids-are-preserved",
        "the target stores every record under the id and with the references that were sent",
    ),
];

const HEAD: &str = r#"
[[peer]]
name = "alice"

[[step]]
operator = { method = "capability.declare", with = { resource_kind = "skill", schema_version = 1, direction = "bidirectional", policy = "manual" } }

[[step]]
federate = { peer = "alice" }

[[step]]
grant = { peer = "alice", kind = "skill", scopes = ["read", "migrate"], as = "grant" }

"#;

const SNAPSHOT_BEFORE: &str = r#"[[step]]
operator = { method = "resource.list", with = { kind = "skill" }, as = "before" }

"#;

const COMMIT: &str = r#"[[step]]
commit = { peer = "alice", grant = "grant", migration = "${plan.data.migration_id?}", as = "commit" }

"#;

const RESTART: &str = r#"[[step]]
operator = { method = "platform.kill" }

[[step]]
operator = { method = "platform.start" }

"#;

const SNAPSHOT_AFTER: &str = r#"[[step]]
operator = { method = "resource.list", with = { kind = "skill" }, as = "after" }

"#;

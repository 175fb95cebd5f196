//! Scenario files, as properties generate them.

use std::fmt::Write;

/// The declaration of the target in most histories.
const DECLARE: &str = "operator = { method = \"capability.declare\", with = { resource_kind = \"skill\", schema_version = 1, \
                       direction = \"bidirectional\", policy = \"manual\" } }";

/// A scenario file that is built step by step.
#[derive(Clone, Debug)]
pub(super) struct File(String);

impl File {
    /// Begins a file with a title. `members` holds further lines of the top-level table.
    pub(super) fn new(title: &str, members: &str) -> Self {
        Self(format!("title = \"{title}\"\nalone = true\n{members}\n"))
    }

    /// Adds a peer. `members` holds further lines of its table.
    pub(super) fn peer(mut self, name: &str, members: &str) -> Self {
        let _ = writeln!(self.0, "[[peer]]\nname = \"{name}\"\n{members}");
        self
    }

    /// Adds a step, given as a line of TOML.
    pub(super) fn step(mut self, step: impl AsRef<str>) -> Self {
        let _ = writeln!(self.0, "[[step]]\n{}\n", step.as_ref());
        self
    }

    /// Adds several steps.
    pub(super) fn steps<S: AsRef<str>>(self, steps: impl IntoIterator<Item = S>) -> Self {
        steps.into_iter().fold(self, Self::step)
    }

    /// Adds the step in which the target declares `skill`.
    pub(super) fn declare(self) -> Self {
        self.step(DECLARE)
    }

    /// Adds a check of every case: clause and aspect, check, requirement, and the arguments of the check.
    pub(super) fn check(mut self, of: (&str, &str), check: &str, requirement: &str, with: &str) -> Self {
        let (clause, aspect) = of;
        let _ = writeln!(
            self.0,
            "[[check]]\nclause = \"{clause}\"\naspect = \"{aspect}\"\ncheck = \"{check}\"\nbasis = \"proposed\"\n\
             requirement = \"{requirement}\"\nwith = {{ {with} }}\n"
        );
        self
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

/// Returns a step that migrates one new record, named after the id of its label.
pub(super) fn migrate(peer: &str, grant: &str, label: &str, kind: &str, id: &str, more: &str) -> String {
    let plan = plan(kind, id, more);
    format!("migrate = {{ peer = \"{peer}\", grant = \"{grant}\", as = \"{label}\", plan = {plan} }}")
}

/// Returns a plan with one new record, named after its id.
pub(super) fn plan(kind: &str, id: &str, more: &str) -> String {
    format!(
        "{{ operation = \"migrate\", {more}\
         root_resource_kind = \"{kind}\", root_resource_id = \"${{id:{id}}}\", plan_summary = {{}}, steps = [{{ step_order = 1, \
         resource_kind = \"{kind}\", resource_id = \"${{id:{id}}}\", action = \"create\", conflict_policy = \"skip_if_exists\", \
         payload = {{ id = \"${{id:{id}}}\", name = \"{id}\" }} }}] }}"
    )
}

/// Returns a step that sends a batch of one record.
pub(super) fn sync(peer: &str, label: &str, id: &str) -> String {
    format!(
        "sync = {{ peer = \"{peer}\", kind = \"skill\", as = \"{label}\", records = [{{ id = \"${{id:{id}}}\", \
         updated_at = \"${{now}}\", payload = {{ id = \"${{id:{id}}}\", name = \"{id}\" }} }}] }}"
    )
}

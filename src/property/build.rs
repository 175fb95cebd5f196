//! Typed constructors for the parts of generated scenarios.

use serde_json::{Map, Value, json};
use toml::Spanned;

use crate::contract::{Aspect, Basis, ClauseId, Section};
use crate::operator::{Method, OperatorMethod, capability};
use crate::scenario::format::{
    Advance, AnyCall, Excerpt, Expect, Federate, Fetch, Flood, Grant, Hold, InjectOnConnect, Migrate, More,
    Notify, OfMigration, OfPeer, Operator, PeerCall, PeerReference, Put, Sync,
};
use crate::scenario::{CheckSpec, PeerSpec, Scenario, Step};

/// Returns a scenario that has a title and runs alone.
pub(super) fn titled(title: &str) -> Scenario {
    Scenario { title: title.to_owned(), alone: true, ..Scenario::default() }
}

impl Scenario {
    /// Adds a peer.
    pub(super) fn peer(mut self, peer: PeerSpec) -> Self {
        self.peers.push(peer);
        self
    }

    /// Adds conforming peers.
    pub(super) fn peers<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().fold(self, |scenario, name| scenario.peer(peer(name.as_ref())))
    }

    /// Adds a step.
    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(Spanned::new(0..0, step));
        self
    }

    /// Adds several steps.
    pub(super) fn steps(self, steps: impl IntoIterator<Item = Step>) -> Self {
        steps.into_iter().fold(self, Self::step)
    }

    /// Adds a check of every case.
    pub(super) fn check(mut self, check: CheckSpec) -> Self {
        self.checks.push(Spanned::new(0..0, check));
        self
    }
}

/// Returns a conforming peer.
pub(super) fn peer(name: &str) -> PeerSpec {
    PeerSpec { name: name.to_owned(), ..PeerSpec::default() }
}

/// Returns a check: clause and aspect, id, requirement, and the arguments of the check.
pub(super) fn check(of: (Section, u8, Aspect), id: &str, requirement: &str, with: Value) -> CheckSpec {
    let (section, item, aspect) = of;
    CheckSpec {
        clause: ClauseId { section, item },
        aspect,
        check: id.to_owned(),
        basis: Basis::Proposed,
        rests_on: vec![],
        deepens: false,
        since: None,
        until: None,
        requirement: requirement.to_owned(),
        with: object(with).into_iter().collect(),
    }
}

/// Returns the members of an object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Returns a reference to the id of this name.
pub(super) fn id(name: &str) -> String {
    format!("${{id:{name}}}")
}

pub(super) fn federate(peer: &str) -> Step {
    Step::Federate(Federate { peer: peer.to_owned(), label: None })
}

pub(super) fn propose(peer: &str) -> Step {
    Step::Propose(OfPeer { peer: peer.to_owned(), label: None })
}

pub(super) fn revoke(peer: &str) -> Step {
    Step::Revoke(OfPeer { peer: peer.to_owned(), label: None })
}

pub(super) fn accept(peer: &str) -> Step {
    Step::Accept(PeerCall { peer: peer.to_owned(), with: Value::Null, label: None })
}

pub(super) fn heartbeat(peer: &str) -> Step {
    Step::Heartbeat(PeerCall { peer: peer.to_owned(), with: Value::Null, label: None })
}

pub(super) fn flood(peer: &str, calls: u32) -> Step {
    Step::Flood(Flood { peer: peer.to_owned(), calls, handshakes: false, with: Value::Null, label: None })
}

pub(super) fn stop(peer: &str) -> Step {
    Step::Stop(PeerReference { peer: peer.to_owned() })
}

pub(super) fn start(peer: &str) -> Step {
    Step::Start(PeerReference { peer: peer.to_owned() })
}

/// Returns a step that ends the scenario unless the last result has these members.
pub(super) fn shows(data: Value) -> Step {
    Step::Expect(Expect { of: None, status: vec![], data })
}

pub(super) fn advance(seconds: i64) -> Step {
    Step::Advance(Advance { seconds, may_fail: false })
}

/// Returns a step in which the operator calls a method. Null stands for no parameters.
pub(super) fn operator(method: Method, with: Value) -> Step {
    Step::Operator(Operator { method: method.name().to_owned(), with, ..Operator::default() })
}

/// Returns a step in which the target declares a kind.
pub(super) fn declare(kind: &str) -> Step {
    let with = json!({
        "resource_kind": kind, "schema_version": 1, "direction": "bidirectional", "policy": "manual",
    });
    operator(capability::Declare::METHOD, with)
}

/// Returns a step that puts a record with a name, under the id of a name, into the store of the target.
pub(super) fn put(kind: &str, id_name: &str, name: &str) -> Step {
    let record = object(json!({ "name": name }));
    Step::Put(Put { kind: kind.to_owned(), id: id(id_name), record })
}

/// Returns a step that issues a grant for every resource of a kind.
pub(super) fn grant(peer: &str, kind: &str, scopes: &[&str], label: &str) -> Step {
    Step::Grant(Grant {
        peer: peer.to_owned(),
        kind: kind.to_owned(),
        id: None,
        scopes: texts(scopes),
        with: Value::Null,
        label: label.to_owned(),
    })
}

/// Returns a step in which a peer gives the target a grant for every resource of a kind.
pub(super) fn hold(peer: &str, kind: &str, scopes: &[&str]) -> Step {
    let (peer, kind) = (peer.to_owned(), kind.to_owned());
    Step::Hold(Hold { peer, kind, id: None, scopes: texts(scopes), label: None })
}

/// Returns a step in which a peer fetches a record under a grant.
pub(super) fn fetch(peer: &str, kind: &str, id: String, grant: &str) -> Step {
    let (peer, kind) = (peer.to_owned(), kind.to_owned());
    Step::Fetch(Fetch { peer, kind, id, grant: Some(grant.to_owned()), label: None })
}

/// Returns a step in which a peer sends a migration under a grant.
pub(super) fn migrate(peer: &str, grant: &str, plan: Value) -> Step {
    Step::Migrate(Migrate {
        peer: peer.to_owned(),
        plan,
        meanwhile: vec![],
        grant: Some(grant.to_owned()),
        label: None,
    })
}

/// Returns a plan with one new record, named after its id.
pub(super) fn plan(kind: &str, name: &str) -> Value {
    json!({
        "operation": "migrate", "root_resource_kind": kind, "root_resource_id": id(name), "plan_summary": {},
        "steps": [{
            "step_order": 1, "resource_kind": kind, "resource_id": id(name), "action": "create",
            "conflict_policy": "skip_if_exists", "payload": { "id": id(name), "name": name },
        }],
    })
}

/// Returns a step in which a peer commits a migration under a grant.
pub(super) fn commit(peer: &str, grant: &str, migration: String) -> Step {
    Step::Commit(of_migration(peer, grant, migration))
}

/// Returns a step in which a peer reads the state of a migration under a grant.
pub(super) fn show_migration(peer: &str, grant: &str, migration: String) -> Step {
    Step::ShowMigration(of_migration(peer, grant, migration))
}

fn of_migration(peer: &str, grant: &str, migration: String) -> OfMigration {
    OfMigration { peer: peer.to_owned(), migration, grant: Some(grant.to_owned()), label: None }
}

/// Returns a step in which a peer sends a batch of one record, named after its id.
pub(super) fn sync(peer: &str, name: &str) -> Step {
    let payload = json!({ "id": id(name), "name": name });
    let record = json!({ "id": id(name), "updated_at": "${now}", "payload": payload });
    let (peer, kind) = (peer.to_owned(), "skill".to_owned());
    Step::Sync(Sync { peer, kind, records: vec![record], with: Value::Null, label: None })
}

/// Returns a step in which a peer asks for its audit excerpt.
pub(super) fn excerpt(peer: &str, query: Option<&str>) -> Step {
    Step::Excerpt(Excerpt {
        peer: peer.to_owned(),
        query: query.map(ToOwned::to_owned),
        until_entries: None,
        label: None,
    })
}

/// Returns a step in which a peer sends an event.
pub(super) fn notify(peer: &str, kind: &str, payload: Value) -> Step {
    Step::Notify(Notify { peer: peer.to_owned(), kind: kind.to_owned(), payload, label: None })
}

impl Step {
    /// Gives a label to a step that may be without one.
    pub(super) fn labelled(mut self, name: impl Into<String>) -> Self {
        match &mut self {
            Self::Federate(Federate { label, .. })
            | Self::Propose(OfPeer { label, .. })
            | Self::Join(OfPeer { label, .. })
            | Self::InjectOnConnect(InjectOnConnect { label, .. })
            | Self::Revoke(OfPeer { label, .. })
            | Self::Accept(PeerCall { label, .. })
            | Self::Heartbeat(PeerCall { label, .. })
            | Self::Fetch(Fetch { label, .. })
            | Self::Migrate(Migrate { label, .. })
            | Self::Commit(OfMigration { label, .. })
            | Self::ShowMigration(OfMigration { label, .. })
            | Self::Sync(Sync { label, .. })
            | Self::Excerpt(Excerpt { label, .. })
            | Self::Call(AnyCall { label, .. })
            | Self::Flood(Flood { label, .. })
            | Self::Notify(Notify { label, .. })
            | Self::Hold(Hold { label, .. })
            | Self::Operator(Operator { label, .. }) => *label = Some(name.into()),
            _ => {}
        }
        self
    }

    /// Changes the request of an accept or a heartbeat.
    pub(super) fn with(mut self, members: Value) -> Self {
        if let Self::Accept(call) | Self::Heartbeat(call) = &mut self {
            call.with = members;
        }
        self
    }

    /// Lets the target refuse the call of the operator.
    pub(super) fn may_fail(self) -> Self {
        self.of_operator(|call| call.may_fail = true)
    }

    /// Repeats the call of the operator until a list has more items.
    pub(super) fn until(self, more: More) -> Self {
        self.of_operator(|call| call.until = Some(more))
    }

    /// Repeats the call of the operator until the result has these members.
    pub(super) fn until_shows(self, members: Value) -> Self {
        self.of_operator(|call| call.until_shows = members)
    }

    fn of_operator(mut self, change: impl FnOnce(&mut Operator)) -> Self {
        if let Self::Operator(call) = &mut self {
            change(call);
        }
        self
    }
}

/// Returns owned copies of texts.
pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

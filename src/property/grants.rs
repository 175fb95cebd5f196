//! Commitment 2: any grant, any request, at any time.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::Property;
use super::build::{advance, check, declare, federate, heartbeat, id, operator, plan, put, texts, titled};
use super::whole::whole;
use crate::contract::Aspect::{Conduct, Detection};
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, grant};
use crate::scenario::format::{AnyCall, Grant};
use crate::scenario::{Scenario, Step};
use crate::wire::header::{CALLING_INSTANCE, SDWAN_NETWORK};
use crate::wire::path::PREFIX;

pub(super) const PROPERTY: Property = Property {
    name: "grants",
    commitment: 2,
    about: "the target serves each request that a grant covers, and no other",
    edge_cases,
    scenarios,
    reduced: |_| None,
};

const PEERS: [&str; 3] = ["alice", "bob", "carol"];

const DAY: i64 = 86_400;
/// The life of the grants in these histories, in days.
const DAYS: i64 = 7;

/// The terms of the grants. Alice requests no more than they allow. A peer that requests more may validly be
/// suspended for it: carol, who has a grant of her own with the same terms, and bob, who has none.
#[derive(Clone, Copy, Debug)]
struct Terms {
    scopes: &'static [&'static str],
    /// True if the grant is for one record only.
    bound: bool,
    /// True if the grant is for one instance only.
    fenced: bool,
    /// True if carol's grant is for one network only, to which no peer has a bridge.
    networked: bool,
}

#[derive(Clone, Debug)]
enum Action {
    /// A wait of this many seconds.
    Wait(i64),
    /// A wait until this many seconds before or after the expiry of the grants.
    ToTheEnd(i64),
    /// A request of alice under her grant.
    Ask(GrantRequest),
    /// A request of another peer, under carol's grant or without one.
    Try(Attempt),
    Revoke,
}

#[derive(Clone, Copy, Debug)]
struct GrantRequest {
    scope: &'static str,
    kind: &'static str,
    id: &'static str,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    by: &'static str,
    token: Token,
    request: GrantRequest,
    /// The instance that the request names.
    instance: Option<&'static str>,
    /// The network that the request names.
    network: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Token {
    Own,
    Forged,
    None,
}

fn scenarios() -> BoxedStrategy<Scenario> {
    (terms(), proptest::collection::vec(action(), 1..10))
        .prop_map(|(terms, actions)| scenario(terms, &actions))
        .boxed()
}

/// Returns the edge cases: the allowed requests at once, two seconds before the expiry and a minute after it;
/// and the forbidden requests, layer by layer.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let both =
        || ["read", "migrate"].map(|scope| Action::Ask(GrantRequest { scope, kind: "skill", id: "a" }));
    let actions: Vec<Action> = both()
        .into_iter()
        .chain([Action::ToTheEnd(2)])
        .chain(both())
        .chain([Action::ToTheEnd(-60)])
        .chain(both())
        .collect();
    let wide = Terms { scopes: &["read", "migrate"], bound: false, fenced: false, networked: false };
    let bound = |scopes| Terms { scopes, bound: true, fenced: true, networked: false };
    let networked = Terms { networked: true, ..wide };
    [
        (wide, actions),
        (bound(&["read"]), beyond("read", "migrate")),
        (bound(&["migrate"]), beyond("migrate", "read")),
        (networked, vec![attempt("carol", Token::Own, "read", "skill", "a")]),
    ]
    .map(|(terms, actions)| whole(actions).prop_map(move |actions| scenario(terms, &actions)).boxed())
    .into()
}

/// Returns requests that exceed, in one point each, a grant of one scope for one record and one instance.
fn beyond(scope: &'static str, other: &'static str) -> Vec<Action> {
    let own = |wanted, kind, id| attempt("carol", Token::Own, wanted, kind, id);
    let from = |instance| match own(scope, "skill", "a") {
        Action::Try(attempt) => Action::Try(Attempt { instance, ..attempt }),
        action => action,
    };
    vec![
        Action::Ask(GrantRequest { scope, kind: "skill", id: "a" }),
        own(scope, "skill", "b"),
        own(scope, "agent", "a"),
        own(other, "skill", "a"),
        from(None),
        from(Some("elsewhere")),
        attempt("bob", Token::Own, scope, "skill", "a"),
        attempt("carol", Token::Forged, scope, "skill", "a"),
        attempt("carol", Token::None, scope, "skill", "a"),
    ]
}

fn attempt(
    by: &'static str,
    token: Token,
    scope: &'static str,
    kind: &'static str,
    id: &'static str,
) -> Action {
    let request = GrantRequest { scope, kind, id };
    Action::Try(Attempt { by, token, request, instance: Some("instance"), network: None })
}

fn terms() -> impl Strategy<Value = Terms> {
    const SCOPES: [&[&str]; 4] = [&["read"], &["migrate"], &["read", "migrate"], &["write"]];
    let rarely = || proptest::bool::weighted(0.2);
    (select(SCOPES.to_vec()), any::<bool>(), any::<bool>(), rarely())
        .prop_map(|(scopes, bound, fenced, networked)| Terms { scopes, bound, fenced, networked })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => (1..3 * DAY).prop_map(Action::Wait),
        1 => select(vec![2, 60, -2, -60]).prop_map(Action::ToTheEnd),
        5 => request(Just("skill")).prop_map(Action::Ask),
        5 => tried().prop_map(Action::Try),
        1 => Just(Action::Revoke),
    ]
}

fn request(kind: impl Strategy<Value = &'static str>) -> impl Strategy<Value = GrantRequest> {
    (select(vec!["read", "migrate"]), kind, select(vec!["a", "b"]))
        .prop_map(|(scope, kind, id)| GrantRequest { scope, kind, id })
}

fn tried() -> impl Strategy<Value = Attempt> {
    let by = prop_oneof![4 => Just("carol"), 1 => Just("bob")];
    let token = prop_oneof![4 => Just(Token::Own), 1 => Just(Token::Forged), 1 => Just(Token::None)];
    let kind = prop_oneof![2 => Just("skill"), 1 => Just("agent")];
    let instance = select(vec![Some("instance"), Some("elsewhere"), None]);
    let network = prop_oneof![3 => Just(None), 1 => select(vec!["network", "elsewhere"]).prop_map(Some)];
    (by, token, request(kind), instance, network)
        .prop_map(|(by, token, request, instance, network)| Attempt { by, token, request, instance, network })
}

impl Terms {
    /// Returns a step that issues such a grant.
    fn grant(self, peer: &str, label: &str, networked: bool) -> Step {
        let mut with = json!({ "ttl_days": DAYS });
        if self.fenced {
            with["node_instance_ids"] = json!([id("instance")]);
        }
        if networked {
            with["sdwan_network_ids"] = json!([id("network")]);
        }
        Step::Grant(Grant {
            peer: peer.to_owned(),
            kind: "skill".to_owned(),
            id: self.bound.then(|| id("a")),
            scopes: texts(self.scopes),
            with,
            label: label.to_owned(),
        })
    }

    /// Returns a request of alice from an allowed place.
    fn ask(self, request: GrantRequest) -> Step {
        let instance = self.fenced.then(|| (CALLING_INSTANCE, id("instance")));
        let call = AnyCall { grant: Some("grant".to_owned()), ..request.call("alice", instance) };
        Step::Call(call).labelled("asked")
    }

    fn allow(self, request: &GrantRequest) -> bool {
        self.scopes.contains(&request.scope) && (!self.bound || request.id == "a")
    }
}

impl Attempt {
    fn step(self) -> Step {
        let forged = || format!("Bearer fgs.${{carols.grant_id?}}.{}", "0".repeat(64));
        let headers = [
            (CALLING_INSTANCE, self.instance.map(id)),
            (SDWAN_NETWORK, self.network.map(id)),
            ("Authorization", matches!(self.token, Token::Forged).then(forged)),
        ];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let call = self.request.call(self.by, headers);
        match self.token {
            Token::Own => Step::Call(AnyCall { grant: Some("carols".to_owned()), ..call }).labelled("tried"),
            Token::Forged | Token::None => Step::Call(call).labelled("forged"),
        }
    }
}

impl GrantRequest {
    fn call(self, by: &str, headers: impl IntoIterator<Item = (&'static str, String)>) -> AnyCall {
        let Self { scope, kind, id: name } = self;
        let (method, path, body) = if scope == "read" {
            ("GET", format!("{PREFIX}/resources/{kind}/{}", id(name)), None)
        } else {
            ("POST", format!("{PREFIX}/migrations"), Some(plan(kind, name)))
        };
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        AnyCall { peer: by.to_owned(), method: method.to_owned(), path, headers, body, ..AnyCall::default() }
    }
}

fn scenario(terms: Terms, actions: &[Action]) -> Scenario {
    let mut scenario =
        Scenario { intrusive: true, ..titled("Generated grants, and what is asked under them") }
            .peers(PEERS)
            .steps(["skill", "agent"].map(declare))
            .steps(PEERS.map(federate))
            .steps([("skill", "a"), ("skill", "b"), ("agent", "a")].map(|(kind, name)| put(kind, name, name)))
            .step(terms.grant("alice", "grant", false))
            .step(terms.grant("carol", "carols", terms.networked));
    let last = GrantRequest { scope: "read", kind: "skill", id: "a" };
    // The control: what is refused after the end was served before it.
    scenario = scenario.step(terms.ask(last));
    let mut now = 0;
    for action in actions {
        let seconds = match action {
            Action::Wait(seconds) => *seconds,
            Action::ToTheEnd(before) => DAYS * DAY - before - now,
            _ => 0,
        };
        scenario = match action {
            Action::Wait(_) | Action::ToTheEnd(_) if seconds > 0 => {
                now += seconds;
                // Each peer sends a heartbeat, because the target may refuse a stale peer.
                scenario.step(advance(seconds)).steps(PEERS.map(heartbeat))
            }
            Action::Ask(request) if terms.allow(request) => scenario.step(terms.ask(*request)),
            Action::Wait(_) | Action::ToTheEnd(_) | Action::Ask(_) => scenario,
            Action::Try(attempt) => scenario.step(attempt.step()),
            Action::Revoke => scenario.step(revoke()),
        };
    }
    // The last requests are always present, so that every case checks something.
    let scenario = scenario.step(terms.ask(last)).steps([Token::Own, Token::None].map(|token| {
        let request = GrantRequest { scope: "read", kind: "agent", id: "a" };
        Attempt { by: "carol", token, request, instance: None, network: None }.step()
    }));
    with_checks(scenario)
}

fn revoke() -> Step {
    let grant = json!({ "peer_id": "${alice.id}", "grant_id": "${grant.grant_id}" });
    operator(grant::Revoke::METHOD, grant).may_fail().labelled("revoked")
}

fn with_checks(scenario: Scenario) -> Scenario {
    let with = json!({ "call": "asked", "grant": "grant" });
    scenario
        .check(check(
            (Commitment(2), 1, Conduct),
            "granted-requests-are-served",
            "the target serves what a grant allows to its last second",
            with.clone(),
        ))
        .check(check(
            (Commitment(2), 2, Conduct),
            "ended-grant-is-rejected",
            "the target serves nothing under a grant that has expired or was revoked",
            with,
        ))
        .check(check(
            (Commitment(6), 4, Detection),
            "out-of-grant-requests-are-rejected",
            "the target refuses every request that the grant does not allow",
            json!({ "call": "tried", "forged": "forged", "grant": "carols", "control": "asked" }),
        ))
}

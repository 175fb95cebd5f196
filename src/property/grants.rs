//! Commitment 2: any grant, any request, at any time.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::{File, plan};
use super::whole::whole;
use crate::wire::header::{CALLING_INSTANCE, SDWAN_NETWORK};
use crate::wire::path::PREFIX;

pub(super) const PROPERTY: Property = Property {
    name: "grants",
    commitment: 2,
    about: "the target serves each request that a grant covers, and no other",
    edge_cases,
    scenarios,
};

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

fn scenarios() -> BoxedStrategy<String> {
    (terms(), proptest::collection::vec(action(), 1..10))
        .prop_map(|(terms, actions)| file(terms, &actions))
        .boxed()
}

/// Returns the edge cases: the allowed requests at once, two seconds before the expiry and a minute after it;
/// and the forbidden requests, layer by layer.
fn edge_cases() -> Vec<BoxedStrategy<String>> {
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
    .map(|(terms, actions)| whole(actions).prop_map(move |actions| file(terms, &actions)).boxed())
    .into()
}

/// Returns requests that exceed, in one point each, a grant of one scope for one record and one instance.
fn beyond(scope: &'static str, other: &'static str) -> Vec<Action> {
    let own = |wish_scope, kind, id| attempt("carol", Token::Own, wish_scope, kind, id);
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
    fn grant(self, peer: &str, label: &str, networked: bool) -> String {
        let id = if self.bound { "id = \"${id:a}\", " } else { "" };
        let scopes = self.scopes.iter().map(|scope| format!("\"{scope}\"")).collect::<Vec<_>>().join(", ");
        let instances = if self.fenced { ", node_instance_ids = [\"${id:instance}\"]" } else { "" };
        let networks = if networked { ", sdwan_network_ids = [\"${id:network}\"]" } else { "" };
        format!(
            "grant = {{ peer = \"{peer}\", kind = \"skill\", {id}scopes = [{scopes}], \
             with = {{ ttl_days = {DAYS}{instances}{networks} }}, as = \"{label}\" }}"
        )
    }

    /// Returns a request of alice from an allowed place.
    fn ask(self, request: GrantRequest) -> String {
        let instance = self.fenced.then(|| (CALLING_INSTANCE, "${id:instance}".to_owned()));
        request.step("alice", "grant = \"grant\", ", "asked", instance.as_slice())
    }

    fn allow(self, request: &GrantRequest) -> bool {
        self.scopes.contains(&request.scope) && (!self.bound || request.id == "a")
    }
}

impl Attempt {
    fn step(self) -> String {
        let (label, under) = match self.token {
            Token::Own => ("tried", "grant = \"carols\", "),
            Token::Forged | Token::None => ("forged", ""),
        };
        let forged = format!("Bearer fgs.${{carols.grant_id?}}.{}", "0".repeat(64));
        let headers = [
            (CALLING_INSTANCE, self.instance.map(|name| format!("${{id:{name}}}"))),
            (SDWAN_NETWORK, self.network.map(|name| format!("${{id:{name}}}"))),
            ("Authorization", matches!(self.token, Token::Forged).then_some(forged)),
        ];
        let headers: Vec<(&str, String)> =
            headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.request.step(self.by, under, label, &headers)
    }
}

impl GrantRequest {
    fn step(self, by: &str, under: &str, label: &str, headers: &[(&str, String)]) -> String {
        let Self { scope, kind, id } = self;
        let headers = headers
            .iter()
            .map(|(name, value)| format!("{name} = \"{value}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let request = if scope == "read" {
            format!("method = \"GET\", path = \"{PREFIX}/resources/{kind}/${{id:{id}}}\"")
        } else {
            format!("method = \"POST\", path = \"{PREFIX}/migrations\", body = {}", plan(kind, id, ""))
        };
        format!("call = {{ peer = \"{by}\", {under}as = \"{label}\", headers = {{ {headers} }}, {request} }}")
    }
}

fn file(terms: Terms, actions: &[Action]) -> String {
    let mut file = ["alice", "bob", "carol"]
        .iter()
        .fold(File::new("Generated grants, and what is asked under them", "intrusive = true"), |file, peer| {
            file.peer(peer, "")
        })
        .declare()
        .step(
            "operator = { method = \"capability.declare\", with = { resource_kind = \"agent\", schema_version = 1, \
             direction = \"bidirectional\", policy = \"manual\" } }",
        )
        .steps(["alice", "bob", "carol"].map(|peer| format!("federate = {{ peer = \"{peer}\" }}")))
        .steps([("skill", "a"), ("skill", "b"), ("agent", "a")].map(|(kind, id)| {
            format!("put = {{ kind = \"{kind}\", id = \"${{id:{id}}}\", record = {{ name = \"{id}\" }} }}")
        }))
        .step(terms.grant("alice", "grant", false))
        .step(terms.grant("carol", "carols", terms.networked));
    let mut now = 0;
    for action in actions {
        let seconds = match action {
            Action::Wait(seconds) => *seconds,
            Action::ToTheEnd(before) => DAYS * DAY - before - now,
            _ => 0,
        };
        file = match action {
            Action::Wait(_) | Action::ToTheEnd(_) if seconds > 0 => {
                now += seconds;
                wait(file, seconds)
            }
            Action::Ask(request) if terms.allow(request) => file.step(terms.ask(*request)),
            Action::Wait(_) | Action::ToTheEnd(_) | Action::Ask(_) => file,
            Action::Try(attempt) => file.step(attempt.step()),
            Action::Revoke => file.step(
                "operator = { method = \"grant.revoke\", with = { grant_id = \"${grant.grant_id}\" }, may_fail = true, as = \"revoked\" }",
            ),
        };
    }
    let with = "call = \"asked\", grant = \"grant\"";
    // The last requests are always present, so that every case checks something.
    file.step(terms.ask(GrantRequest { scope: "read", kind: "skill", id: "a" }))
        .steps([Token::Own, Token::None].map(|token| {
            let request = GrantRequest { scope: "read", kind: "agent", id: "a" };
            Attempt { by: "carol", token, request, instance: None, network: None }.step()
        }))
        .check(
            ("2.1", "conduct"),
            "granted-requests-are-served",
            "the target serves what a grant allows to its last second",
            with,
        )
        .check(
            ("2.2", "conduct"),
            "ended-grant-is-rejected",
            "the target serves nothing under a grant that has expired or was revoked",
            with,
        )
        .check(
            ("6.4", "detection"),
            "out-of-grant-requests-are-rejected",
            "the target refuses every request that the grant does not allow",
            "call = \"tried\", forged = \"forged\", grant = \"carols\", control = \"asked\"",
        )
        .text()
}

/// Adds a wait, then a heartbeat of each peer, because the target may refuse a stale peer.
fn wait(file: File, seconds: i64) -> File {
    file.step(format!("advance = {{ seconds = {seconds} }}"))
        .steps(["alice", "bob", "carol"].map(|peer| format!("heartbeat = {{ peer = \"{peer}\" }}")))
}

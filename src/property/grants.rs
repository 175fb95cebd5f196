//! Commitment 2: any grant, any request, at any instant.

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
    about: "whatever the grant and the request, what was granted is served, and nothing else",
    corners,
    scenarios,
};

const DAY: i64 = 86_400;
/// Days that the grants of these histories live.
const DAYS: i64 = 7;

/// What is granted. Alice asks for no more than that. Whoever asks for more may lawfully be suspended for
/// it: that is carol, who has a grant of her own of the same terms, and bob, who has none.
#[derive(Clone, Copy, Debug)]
struct Terms {
    scopes: &'static [&'static str],
    /// Whether it is for one record only.
    bound: bool,
    /// Whether it is for one instance only.
    fenced: bool,
    /// Whether carol's is for one network only: no one has a bridge to that.
    networked: bool,
}

#[derive(Clone, Debug)]
enum Act {
    /// So many seconds pass.
    Wait(i64),
    /// To so many seconds before the grants' end, or after it.
    ToTheEnd(i64),
    /// Alice asks under her grant.
    Ask(Wish),
    /// Someone tries something, under carol's or none.
    Try(Attempt),
    Revoke,
}

#[derive(Clone, Copy, Debug)]
struct Wish {
    scope: &'static str,
    kind: &'static str,
    id: &'static str,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    by: &'static str,
    token: Token,
    wish: Wish,
    /// Which instance it says that it is.
    instance: Option<&'static str>,
    /// Which network it says that it comes through.
    network: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Token {
    Own,
    Forged,
    None,
}

fn scenarios() -> BoxedStrategy<String> {
    (terms(), proptest::collection::vec(act(), 1..10)).prop_map(|(terms, acts)| file(terms, &acts)).boxed()
}

/// What is allowed at once, two seconds before the end, and a minute after it; and what is not, layer by
/// layer.
fn corners() -> Vec<BoxedStrategy<String>> {
    let both = || ["read", "migrate"].map(|scope| Act::Ask(Wish { scope, kind: "skill", id: "a" }));
    let acts: Vec<Act> = both()
        .into_iter()
        .chain([Act::ToTheEnd(2)])
        .chain(both())
        .chain([Act::ToTheEnd(-60)])
        .chain(both())
        .collect();
    let wide = Terms { scopes: &["read", "migrate"], bound: false, fenced: false, networked: false };
    let bound = |scopes| Terms { scopes, bound: true, fenced: true, networked: false };
    let networked = Terms { networked: true, ..wide };
    [
        (wide, acts),
        (bound(&["read"]), beyond("read", "migrate")),
        (bound(&["migrate"]), beyond("migrate", "read")),
        (networked, vec![attempt("carol", Token::Own, "read", "skill", "a")]),
    ]
    .map(|(terms, acts)| whole(acts).prop_map(move |acts| file(terms, &acts)).boxed())
    .into()
}

/// What goes beyond a grant of one scope that is for one record and one instance, in one thing each.
fn beyond(scope: &'static str, other: &'static str) -> Vec<Act> {
    let own = |wish_scope, kind, id| attempt("carol", Token::Own, wish_scope, kind, id);
    let from = |instance| match own(scope, "skill", "a") {
        Act::Try(attempt) => Act::Try(Attempt { instance, ..attempt }),
        act => act,
    };
    vec![
        Act::Ask(Wish { scope, kind: "skill", id: "a" }),
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

fn attempt(by: &'static str, token: Token, scope: &'static str, kind: &'static str, id: &'static str) -> Act {
    let wish = Wish { scope, kind, id };
    Act::Try(Attempt { by, token, wish, instance: Some("instance"), network: None })
}

fn terms() -> impl Strategy<Value = Terms> {
    const SCOPES: [&[&str]; 4] = [&["read"], &["migrate"], &["read", "migrate"], &["write"]];
    let rarely = || proptest::bool::weighted(0.2);
    (select(SCOPES.to_vec()), any::<bool>(), any::<bool>(), rarely())
        .prop_map(|(scopes, bound, fenced, networked)| Terms { scopes, bound, fenced, networked })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (1..3 * DAY).prop_map(Act::Wait),
        1 => select(vec![2, 60, -2, -60]).prop_map(Act::ToTheEnd),
        5 => wish(Just("skill")).prop_map(Act::Ask),
        5 => tried().prop_map(Act::Try),
        1 => Just(Act::Revoke),
    ]
}

fn wish(kind: impl Strategy<Value = &'static str>) -> impl Strategy<Value = Wish> {
    (select(vec!["read", "migrate"]), kind, select(vec!["a", "b"])).prop_map(|(scope, kind, id)| Wish {
        scope,
        kind,
        id,
    })
}

fn tried() -> impl Strategy<Value = Attempt> {
    let by = prop_oneof![4 => Just("carol"), 1 => Just("bob")];
    let token = prop_oneof![4 => Just(Token::Own), 1 => Just(Token::Forged), 1 => Just(Token::None)];
    let kind = prop_oneof![2 => Just("skill"), 1 => Just("agent")];
    let instance = select(vec![Some("instance"), Some("elsewhere"), None]);
    let network = prop_oneof![3 => Just(None), 1 => select(vec!["network", "elsewhere"]).prop_map(Some)];
    (by, token, wish(kind), instance, network).prop_map(|(by, token, wish, instance, network)| Attempt {
        by,
        token,
        wish,
        instance,
        network,
    })
}

impl Terms {
    /// As a step that gives such a grant.
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

    /// What alice asks, from where she may.
    fn ask(self, wish: Wish) -> String {
        let instance = self.fenced.then(|| (CALLING_INSTANCE, "${id:instance}".to_owned()));
        wish.step("alice", "grant = \"grant\", ", "asked", instance.as_slice())
    }

    fn allow(self, wish: &Wish) -> bool {
        self.scopes.contains(&wish.scope) && (!self.bound || wish.id == "a")
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
        self.wish.step(self.by, under, label, &headers)
    }
}

impl Wish {
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

fn file(terms: Terms, acts: &[Act]) -> String {
    let mut file = ["alice", "bob", "carol"]
        .iter()
        .fold(File::new("Generated grants, and what is asked under them", "intrusive = true"), |file, peer| {
            file.peer(peer, "")
        })
        .declare()
        .step(
            "operator = { verb = \"capability.declare\", with = { resource_kind = \"agent\", schema_version = 1, \
             direction = \"bidirectional\", policy = \"manual\" } }",
        )
        .steps(["alice", "bob", "carol"].map(|peer| format!("federate = {{ peer = \"{peer}\" }}")))
        .steps([("skill", "a"), ("skill", "b"), ("agent", "a")].map(|(kind, id)| {
            format!("put = {{ kind = \"{kind}\", id = \"${{id:{id}}}\", record = {{ name = \"{id}\" }} }}")
        }))
        .step(terms.grant("alice", "grant", false))
        .step(terms.grant("carol", "carols", terms.networked));
    let mut now = 0;
    for act in acts {
        let seconds = match act {
            Act::Wait(seconds) => *seconds,
            Act::ToTheEnd(before) => DAYS * DAY - before - now,
            _ => 0,
        };
        file = match act {
            Act::Wait(_) | Act::ToTheEnd(_) if seconds > 0 => {
                now += seconds;
                wait(file, seconds)
            }
            Act::Ask(wish) if terms.allow(wish) => file.step(terms.ask(*wish)),
            Act::Wait(_) | Act::ToTheEnd(_) | Act::Ask(_) => file,
            Act::Try(attempt) => file.step(attempt.step()),
            Act::Revoke => file.step(
                "operator = { verb = \"grant.revoke\", with = { grant_id = \"${grant.grant_id}\" }, may_fail = true, as = \"revoked\" }",
            ),
        };
    }
    let with = "call = \"asked\", record = \"grant\"";
    // The last requests are always there, so that every case says something.
    file.step(terms.ask(Wish { scope: "read", kind: "skill", id: "a" }))
        .steps([Token::Own, Token::None].map(|token| {
            let wish = Wish { scope: "read", kind: "agent", id: "a" };
            Attempt { by: "carol", token, wish, instance: None, network: None }.step()
        }))
        .check(
            ("2.1", "conduct"),
            "granted-is-served",
            "what a grant allows is served to its last second",
            with,
        )
        .check(
            ("2.2", "conduct"),
            "ended-is-refused",
            "what has expired or was revoked is served no more",
            with,
        )
        .check(
            ("6.4", "detection"),
            "beyond-is-refused",
            "whatever a grant does not allow is refused under it",
            "call = \"tried\", forged = \"forged\", record = \"carols\", twin = \"asked\"",
        )
        .text()
}

/// Whoever is stale may be served no more.
fn wait(file: File, seconds: i64) -> File {
    file.step(format!("advance = {{ seconds = {seconds} }}"))
        .steps(["alice", "bob", "carol"].map(|peer| format!("heartbeat = {{ peer = \"{peer}\" }}")))
}

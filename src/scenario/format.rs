//! The scenario file, as types. Its JSON Schema is made from these.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;

use crate::contract::{Aspect, Basis, ClauseId};
use crate::peer::{IdentityWay, Profile};

/// A scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, in a line.
    pub title: String,
    /// Why it is there, where the title does not say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// It moves the clock, stops the target or floods it: on a shared target it runs alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// The target has to outlive a stop or a kill.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
    /// It leaves the target otherwise than it found it: it is played where each scenario has a fresh
    /// one, or where `platform.reset` makes it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
    /// It misbehaves or strains the target: an audit leaves it out unless told otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub intrusive: bool,
    /// The sanity scenario that a run begins and ends with. Where it fails, the run is void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sanity: bool,
    /// The settings that the target is started with (`platform.start`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Who takes part, beside the target.
    #[serde(default, rename = "peer", skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<PeerSpec>,
    /// What happens, in order.
    #[serde(rename = "step")]
    #[schemars(with = "Vec<Step>")]
    pub steps: Vec<Spanned<Step>>,
    /// What must hold.
    #[serde(default, rename = "check", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<CheckSpec>")]
    pub checks: Vec<Spanned<CheckSpec>>,
}

/// A simulated peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerSpec {
    /// What the steps call it.
    pub name: String,
    /// How it deviates from the contract; nothing is conforming.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behaviours: Vec<String>,
    /// What it says of itself, where that is not the default.
    #[serde(default, deserialize_with = "members_of_a_profile", skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "Profile")]
    pub profile: Map<String, Value>,
    /// How it gets its identity, where that may not be left to the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityWay>,
    /// Sends one request after another on one connection, whatever the seed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_connections: bool,
    /// Uses the plainest form of everything, whatever the seed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
}

/// Members of a [`Profile`], read as they stand: what is not said is the default, whatever that is in a run.
fn members_of_a_profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let members = Map::deserialize(deserializer)?;
    Profile::default().with(&members).map_err(serde::de::Error::custom)?;
    Ok(members)
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// The clause: `"7.1"`.
    pub clause: ClauseId,
    /// `conduct` or `detection`.
    pub aspect: Aspect,
    /// Which result: `covenant list checks` tells them.
    pub check: String,
    /// Which half of the binding it rests on.
    #[serde(default)]
    pub basis: Basis,
    /// What the clause asks of the target here, in a sentence.
    pub requirement: String,
    /// The check's arguments: mostly labels that steps gave with `as`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, Value>,
}

/// One thing that happens. Texts may hold `${…}`: a label's member (`${first.data.peer_id}`), a
/// peer's (`${alice.id}`), an id by name (`${id:root}`), a moment (`${now}`, `${now-90000}`), a release
/// reckoned from the target's (`${release.own}`, `patched`, `pre_release`, `minor_before`, `minor_after`,
/// `two_minors_after`, `minor_with_a_zero`, `next_major`), how often it was repeated (`${turn}`), or JSON's
/// null (`${null}`), which TOML lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The operator proposes a peer, which accepts and sends a heartbeat. Each has to succeed.
    Federate(Federate),
    /// The operator proposes a peer; its token waits for `accept`.
    Propose(OfPeer),
    /// A peer accepts the operator's proposal.
    Accept(Act),
    /// A peer proposes, and the target joins it through its operator.
    Join(OfPeer),
    /// A peer sends a heartbeat.
    Heartbeat(Act),
    /// A peer sends a heartbeat when the target connects to it next, before it lets it in.
    InjectOnConnect(OfPeer),
    /// A peer asks for a resource.
    Fetch(Fetch),
    /// A peer sends a migration.
    Migrate(Migrate),
    /// A peer commits a migration that it opened.
    Commit(OfMigration),
    /// A peer asks what became of a migration.
    ShowMigration(OfMigration),
    /// A peer sends a batch of a sync stream.
    Sync(Sync),
    /// A peer asks for its audit excerpt.
    Excerpt(Excerpt),
    /// A peer makes any call at all.
    Call(AnyCall),
    /// A peer sends many heartbeats, or handshakes, at once.
    Flood(Flood),
    /// A peer revokes the peering.
    Revoke(OfPeer),
    /// A peer sends an event in a heartbeat.
    Notify(Notify),
    /// A peer gives the target a grant, which goes into the target's operator.
    Hold(Hold),
    /// A peer revokes a grant that it gave.
    EndGrant(EndGrant),
    /// A record is put into a peer's store.
    PeerPut(PeerPut),
    /// A peer stops listening.
    Stop(Whom),
    /// A peer listens again.
    Start(Whom),
    /// A peer closes its connections: its next call opens another.
    CloseConnections(Whom),
    /// The operator does something.
    Operator(Operator),
    /// The operator gives a peer a grant.
    Grant(Grant),
    /// The operator puts a record into the target's store.
    Put(Put),
    /// The operator looks at the findings.
    Scan(Scan),
    /// A peer asks for each kind that the target declared to it, under a grant for each.
    TryKinds(TryKinds),
    /// The clock is moved.
    Advance(Advance),
    /// What has to hold for the scenario to go on. It is no check: where it fails, what follows is
    /// unproven.
    Expect(Expect),
    /// Waits until a peer has been told something.
    Wait(Wait),
    /// Does steps several times over.
    Repeat(Repeat),
}

macro_rules! step_types {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
        )*
    };
}

step_types! {
    /// Who federates, and how.
    Federate {
        /// The peer.
        peer: String,
        /// Names the accept.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A peer.
    Whom {
        /// The peer.
        peer: String,
    }
    /// A peer, and a name for what it does.
    OfPeer {
        /// The peer.
        peer: String,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// Something that a peer does in its default way, but for what `with` says.
    Act {
        /// The peer.
        peer: String,
        /// Merged over the request; null takes a member away.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A resource that a peer asks for.
    Fetch {
        /// The peer.
        peer: String,
        /// `[a-z_]+`
        kind: String,
        /// The resource's id.
        id: String,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A plan that a peer sends.
    Migrate {
        /// The peer.
        peer: String,
        /// The request, as `POST /migrations` takes it.
        plan: Value,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A migration, by the id that the target gave to it.
    OfMigration {
        /// The peer.
        peer: String,
        /// The id, mostly `${label.data.migration_id}`.
        migration: String,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A batch that a peer sends.
    Sync {
        /// The peer.
        peer: String,
        /// `[a-z_]+`
        kind: String,
        /// The records: `id`, `updated_at`, `payload`.
        records: Vec<Value>,
        /// Merged over the batch after its digest was made.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// An excerpt that a peer asks for.
    Excerpt {
        /// The peer.
        peer: String,
        /// `since=…&until=…`
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query: Option<String>,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A call of any form.
    AnyCall {
        /// The peer.
        peer: String,
        /// `GET`, `POST`, …
        method: String,
        /// The whole path.
        path: String,
        /// Beside those that every call has.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// Leaves the client certificate away.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        without_certificate: bool,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// Many heartbeats, or handshakes.
    Flood {
        /// The peer.
        peer: String,
        /// How many.
        calls: u32,
        /// They are handshakes, all with the token that the operator proposed the peer with.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        handshakes: bool,
        /// Merged over each; null takes a member away.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// Names each of them.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// An event.
    Notify {
        /// The peer.
        peer: String,
        /// `platform.…`
        kind: String,
        /// What it says.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        payload: Value,
        /// Names the heartbeat.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A grant that a peer gives to the target.
    Hold {
        /// The peer that gives it.
        peer: String,
        /// For which kind.
        kind: String,
        /// For which resource; none is every one of the kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// `read`, `write`, `admin`, `migrate`.
        scopes: Vec<String>,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A grant that a peer revokes.
    EndGrant {
        /// The peer that gave it.
        peer: String,
        /// The label of the `hold`.
        grant: String,
    }
    /// A record for a peer's store.
    PeerPut {
        /// The peer.
        peer: String,
        /// `[a-z_]+`
        kind: String,
        /// The record's id.
        id: String,
        /// The record; its `id` is put in.
        record: Map<String, Value>,
    }
    /// A method of the operator plane.
    Operator {
        /// `peer.revoke`, …
        method: String,
        /// Its parameters.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// The target may say no; then the checks see that.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_fail: bool,
        /// It is done again until there is more to see, or until that was waited for long enough.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<More>,
        /// It is done again until the result has at least these members, or until that was waited for long
        /// enough.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        until_shows: Value,
        /// Names it.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// More in a list than an earlier look at it saw.
    More {
        /// The earlier look.
        than: String,
        /// How many items.
        #[serde(default = "one")]
        items: usize,
        /// Signatures of which one has to stand in a new item, in capitals or not; none asks for none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        words: Vec<String>,
    }
    /// A grant that the target's operator gives to a peer.
    Grant {
        /// The peer.
        peer: String,
        /// For which kind.
        kind: String,
        /// For which resource; none is every one of the kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// `read`, `write`, `admin`, `migrate`.
        scopes: Vec<String>,
        /// Merged over the parameters.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// Names it: other steps use it by this.
        #[serde(rename = "as")]
        label: String,
    }
    /// A record for the target's store.
    Put {
        /// `[a-z_]+`
        kind: String,
        /// The record's id.
        id: String,
        /// The record; its `id` is put in.
        record: Map<String, Value>,
    }
    /// A look at the findings.
    Scan {
        /// Looks again until there is one about this peer, or poll timeout is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_about: Option<String>,
        /// A new finding of this kind is waited for, and none other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_kind: Option<String>,
        /// Names it.
        #[serde(rename = "as")]
        label: String,
    }
    /// A look at each kind that the target declares.
    TryKinds {
        /// The peer.
        peer: String,
        /// The label of an accept or heartbeat whose answer has the target's capabilities.
        of: String,
        /// Names each fetch.
        #[serde(rename = "as")]
        label: String,
    }
    /// A move of the clock.
    Advance {
        /// How far.
        seconds: i64,
    }
    /// What has to hold for the scenario to go on.
    Expect {
        /// The label of what is looked at; the last call or operation where none is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        /// One of these statuses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        status: Vec<u16>,
        /// The answer's data, or the operation's result, has at least these members.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
    }
    /// What a peer waits to be told.
    Wait {
        /// The peer.
        peer: String,
        /// Others that are to be told the same; all of them are waited for at once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
        /// An event of this kind in a heartbeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
        /// A heartbeat of this status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<String>,
        /// A call of this route: `heartbeat`, `migrations`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<String>,
        /// A call in whose body this stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        says: Option<String>,
    }
    /// Steps that are done several times over.
    Repeat {
        /// How often.
        times: u32,
        /// What is done.
        step: Vec<Step>,
    }
}

const fn one() -> usize {
    1
}

impl Step {
    /// The name that it gives to what it does.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Federate(step) => step.label.as_deref(),
            Self::Propose(step) | Self::Join(step) | Self::InjectOnConnect(step) | Self::Revoke(step) => {
                step.label.as_deref()
            }
            Self::Accept(step) | Self::Heartbeat(step) => step.label.as_deref(),
            Self::Fetch(step) => step.label.as_deref(),
            Self::Migrate(step) => step.label.as_deref(),
            Self::Commit(step) | Self::ShowMigration(step) => step.label.as_deref(),
            Self::Sync(step) => step.label.as_deref(),
            Self::Excerpt(step) => step.label.as_deref(),
            Self::Call(step) => step.label.as_deref(),
            Self::Flood(step) => step.label.as_deref(),
            Self::Notify(step) => step.label.as_deref(),
            Self::Hold(step) => step.label.as_deref(),
            Self::Operator(step) => step.label.as_deref(),
            Self::Grant(step) => Some(&step.label),
            Self::Scan(step) => Some(&step.label),
            Self::TryKinds(step) => Some(&step.label),
            Self::EndGrant(_)
            | Self::PeerPut(_)
            | Self::Stop(_)
            | Self::Start(_)
            | Self::CloseConnections(_)
            | Self::Put(_)
            | Self::Advance(_)
            | Self::Expect(_)
            | Self::Wait(_)
            | Self::Repeat(_) => None,
        }
    }

    /// The peer that it is about.
    #[must_use]
    pub fn peer(&self) -> Option<&str> {
        match self {
            Self::Federate(step) => Some(&step.peer),
            Self::Propose(step) | Self::Join(step) | Self::InjectOnConnect(step) | Self::Revoke(step) => {
                Some(&step.peer)
            }
            Self::Accept(step) | Self::Heartbeat(step) => Some(&step.peer),
            Self::Fetch(step) => Some(&step.peer),
            Self::Migrate(step) => Some(&step.peer),
            Self::Commit(step) | Self::ShowMigration(step) => Some(&step.peer),
            Self::Sync(step) => Some(&step.peer),
            Self::Excerpt(step) => Some(&step.peer),
            Self::Call(step) => Some(&step.peer),
            Self::Flood(step) => Some(&step.peer),
            Self::Notify(step) => Some(&step.peer),
            Self::Hold(step) => Some(&step.peer),
            Self::EndGrant(step) => Some(&step.peer),
            Self::PeerPut(step) => Some(&step.peer),
            Self::Stop(step) | Self::Start(step) | Self::CloseConnections(step) => Some(&step.peer),
            Self::Grant(step) => Some(&step.peer),
            Self::TryKinds(step) => Some(&step.peer),
            Self::Scan(step) => step.until_about.as_deref(),
            Self::Wait(step) => Some(&step.peer),
            Self::Operator(_) | Self::Put(_) | Self::Advance(_) | Self::Expect(_) | Self::Repeat(_) => None,
        }
    }

    /// The peers that it is about beside that one.
    #[must_use]
    pub fn other_peers(&self) -> &[String] {
        match self {
            Self::Wait(step) => &step.also,
            _ => &[],
        }
    }

    /// This step, and those that it repeats.
    pub fn flatten(&self) -> Box<dyn Iterator<Item = &Step> + '_> {
        match self {
            Self::Repeat(repeat) => {
                Box::new(std::iter::once(self).chain(repeat.step.iter().flat_map(Self::flatten)))
            }
            _ => Box::new(std::iter::once(self)),
        }
    }
}

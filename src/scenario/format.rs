//! The scenario file, as types. The JSON Schema is generated from them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;

use super::again::Again;
use super::check_spec::CheckSpec;
use crate::Stage;
use crate::peer::{IdentityWay, OtherCertificate, Profile};

/// A scenario file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A one-line summary of what happens.
    pub title: String,
    /// The purpose of the scenario, if the title does not state it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The scenario moves the clock, stops the target or floods it: on a shared target it runs alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// The target must survive a stop or a kill.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
    /// The scenario leaves the target changed. It runs only on a fresh target, or on one that
    /// `platform.reset` restores.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
    /// The scenario misbehaves or strains the target: an audit leaves it out unless it is intrusive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub intrusive: bool,
    /// The scenario is played a second time, by further scenarios that are made of this one: `other_peers`, which
    /// federate after the first ones, or `same_peers`, which do not federate a second time. Their checks are evaluated
    /// on the second time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<Again>,
    /// The stage that the scenario tries. If a stage fails, the scenarios with steps that need it are not played,
    /// and their checks are unproven. The handshake runs first and last; if it fails, the run is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The settings of the target (`platform.start`). Their texts may hold `${…}` as those of a step.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// The simulated peers.
    #[serde(default, rename = "peer", skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<PeerSpec>,
    /// The steps, in order.
    #[serde(rename = "step")]
    #[schemars(with = "Vec<Step>")]
    pub steps: Vec<Spanned<Step>>,
    /// The checks of its trace.
    #[serde(default, rename = "check", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<CheckSpec>")]
    pub checks: Vec<Spanned<CheckSpec>>,
}

/// A simulated peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerSpec {
    /// The name that the steps use for the peer.
    pub name: String,
    /// The behaviours: how the peer deviates from the contract. Without any, it is conforming.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behaviours: Vec<String>,
    /// The members of its profile that differ from the default.
    #[serde(default, deserialize_with = "members_of_a_profile", skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "Profile")]
    pub profile: Map<String, Value>,
    /// The way in which it gets its identity, if the seed must not choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityWay>,
    /// The peer sends its requests one after another on one connection, whatever the seed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_connections: bool,
    /// The peer uses the plainest permitted choices, whatever the seed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
}

/// Reads the members of a [`Profile`] as they stand. A member that is left out gets the default of the run.
fn members_of_a_profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let members = Map::deserialize(deserializer)?;
    Profile::default().with(&members).map_err(serde::de::Error::custom)?;
    Ok(members)
}

/// One step. Its texts may hold `${…}`: the member of a label (`${first.data.peer_id}`) or of a peer
/// (`${alice.id}`), an id by name (`${id:root}`), a time (`${now}`, `${now-90000}`), a release derived from
/// the target's (`${release.own}`, `patched`, `pre_release`, `minor_before`, `minor_after`, `before_window`,
/// `two_minors_after`, `minor_with_a_zero`, `next_major`; `version_core`, `two_numbers`, `one_number`,
/// `minor_with_leading_zero`), the digest of the contract text that the run goes by (`${contract.digest}`), the
/// number of the repetition (`${turn}`), or JSON's null (`${null}`), which TOML lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The operator proposes a peer, which accepts and sends a heartbeat. Each call must succeed.
    Federate(Federate),
    /// The operator proposes a peer. The token is kept for `accept`.
    Propose(OfPeer),
    /// A peer accepts the operator's proposal.
    Accept(PeerCall),
    /// A peer proposes, and the target joins it through its operator.
    Join(OfPeer),
    /// A peer sends a heartbeat.
    Heartbeat(PeerCall),
    /// A peer sends a heartbeat when the target connects to it next, before it answers the target's request, and with `read`
    /// it asks for a resource, too.
    InjectOnConnect(InjectOnConnect),
    /// A peer asks for a resource.
    Fetch(Fetch),
    /// A peer sends a migration.
    Migrate(Migrate),
    /// A peer commits a migration that it opened.
    Commit(OfMigration),
    /// A peer reads the state of a migration.
    ShowMigration(OfMigration),
    /// A peer sends a batch of a sync stream.
    Sync(Sync),
    /// A peer asks for its audit excerpt.
    Excerpt(Excerpt),
    /// A peer makes a call of any form.
    Call(AnyCall),
    /// A peer sends many heartbeats or handshakes at once.
    Flood(Flood),
    /// A peer revokes the peering.
    Revoke(OfPeer),
    /// A peer sends an event in a heartbeat.
    Notify(Notify),
    /// A peer gives the target a grant. The target's operator stores it.
    Hold(Hold),
    /// A peer revokes a grant that it gave.
    EndGrant(EndGrant),
    /// A record is put into the store of a peer.
    PeerPut(PeerPut),
    /// A peer stops listening.
    Stop(PeerReference),
    /// A peer starts listening again.
    Start(PeerReference),
    /// A peer listens at another address from now on. Its next heartbeat names it.
    Move(PeerReference),
    /// A peer closes its connections. Its next call opens a new one.
    CloseConnections(PeerReference),
    /// The operator calls a method.
    Operator(Operator),
    /// The operator issues a grant to a peer.
    Grant(Grant),
    /// The operator puts a record into the target's store.
    Put(Put),
    /// The operator reads the findings.
    Scan(Scan),
    /// The scenario waits until the target has declared its capabilities to a peer, in an answer or in a heartbeat of its own,
    /// since its operator last declared a kind. Where it has not, its operator is asked for a heartbeat, and then the clock is
    /// moved by two minutes, if it can be.
    AwaitDeclaration(AwaitDeclaration),
    /// A peer fetches a record of each kind that the target declared to it, under one grant each: the record that a `put` stored
    /// last, or an absent one.
    TryKinds(TryKinds),
    /// A peer migrates a record of each kind of which the target declares that it takes no migration.
    TryMigrations(TryMigrations),
    /// The clock advances.
    Advance(Advance),
    /// A condition for the scenario to continue. It is no check: if it fails, the checks that depend on later
    /// steps are unproven.
    Expect(Expect),
    /// The scenario waits until a peer has received a call.
    Wait(Wait),
    /// Steps are repeated.
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
    /// A peer that federates.
    Federate {
        /// The name of the peer.
        peer: String,
        /// The label of the accept.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A reference to a peer.
    PeerReference {
        /// The name of the peer.
        peer: String,
    }
    /// A wait for the target's declaration to a peer.
    #[derive(Default)]
    AwaitDeclaration {
        /// The name of the peer.
        peer: String,
        /// The kind whose declaration the label names: `[a-z_]+`
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// The label of the declaration of the kind. Its `schema_version` is the one that the target declares; where it declares
        /// none, the one that its operator declared.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A peer, and a label for the step.
    OfPeer {
        /// The name of the peer.
        peer: String,
        /// The label of the step.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A default call of a peer, with the changes in `with`.
    PeerCall {
        /// The name of the peer.
        peer: String,
        /// The members to merge into the request; null removes a member.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// The label of the call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// Calls of a peer when the target connects to it next.
    InjectOnConnect {
        /// The name of the peer.
        peer: String,
        /// The resource that the peer asks for after its heartbeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read: Option<InjectedRead>,
        /// The label of the calls.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A resource that a peer asks for when the target connects.
    InjectedRead {
        /// The kind: `[a-z_]+`
        kind: String,
        /// The id of the resource.
        id: String,
        /// The label of the grant.
        grant: String,
    }
    /// A fetch by a peer.
    Fetch {
        /// The name of the peer.
        peer: String,
        /// The kind: `[a-z_]+`
        kind: String,
        /// The id of the resource.
        id: String,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// The label of the call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A migration that a peer sends.
    Migrate {
        /// The name of the peer.
        peer: String,
        /// The request, as `POST /migrations` takes it.
        plan: Value,
        /// The steps to play when the first half of the body is sent. The second half follows them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        meanwhile: Vec<Step>,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// The label of the call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A migration, by the id that the target assigned.
    OfMigration {
        /// The name of the peer.
        peer: String,
        /// The migration id, mostly `${label.data.migration_id}`.
        migration: String,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// The label of the call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A sync batch that a peer sends.
    Sync {
        /// The name of the peer.
        peer: String,
        /// The kind: `[a-z_]+`
        kind: String,
        /// The records: `id`, `updated_at`, `payload`.
        records: Vec<Value>,
        /// The members to merge into the batch after its digest is computed.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// The label of the call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// An audit excerpt that a peer requests.
    Excerpt {
        /// The name of the peer.
        peer: String,
        /// The query: `since=…&until=…`. With a `request_id=…` that has a value, it is that alone; an empty one is left out
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query: Option<String>,
        /// The number of entries, apart from those about excerpts. The call is repeated until an excerpt has as many
        /// and no longer grows, until it is answered with another status than 200, or until the poll timeout ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_entries: Option<usize>,
        /// The label of the call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A call of any form.
    #[derive(Default)]
    AnyCall {
        /// The name of the peer.
        peer: String,
        /// The HTTP method: `GET`, `POST`, …
        method: String,
        /// The whole path.
        path: String,
        /// The headers beside those of every call.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// The JSON body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// The label of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// The call is made without the client certificate.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        without_certificate: bool,
        /// The certificate to present in place of the peer's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<OtherCertificate>,
        /// The name of the peer whose authority issues the certificate to present, under the name of the caller.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
        /// The label of the call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A flood of heartbeats or handshakes.
    Flood {
        /// The name of the peer.
        peer: String,
        /// The number of calls.
        calls: u32,
        /// The calls are handshakes, all with the token of the operator's proposal.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        handshakes: bool,
        /// The members to merge into each request; null removes a member.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// The label of every call.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// An event that a peer sends.
    Notify {
        /// The name of the peer.
        peer: String,
        /// The event kind: `platform.…`
        kind: String,
        /// The payload of the event.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        payload: Value,
        /// The label of the heartbeat.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A grant that a peer gives to the target.
    Hold {
        /// The peer that issues the grant.
        peer: String,
        /// The resource kind.
        kind: String,
        /// The resource id; without one, every resource of the kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The scopes: `read`, `write`, `admin`, `migrate`.
        scopes: Vec<String>,
        /// The label of the grant.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A grant that a peer revokes.
    EndGrant {
        /// The peer that issued the grant.
        peer: String,
        /// The label of the `hold`.
        grant: String,
    }
    /// A record for the store of a peer.
    PeerPut {
        /// The name of the peer.
        peer: String,
        /// The kind: `[a-z_]+`
        kind: String,
        /// The id of the record.
        id: String,
        /// The record; its `id` is added.
        record: Map<String, Value>,
    }
    /// A call of a method of the operator plane.
    #[derive(Default)]
    Operator {
        /// The method: `peer.revoke`, …
        method: String,
        /// The parameters of the method.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// The target may refuse. The checks then see the refusal.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_fail: bool,
        /// The call is repeated until a list has more items, or until the poll timeout ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<More>,
        /// The call is repeated until the result has at least these members, or until the poll timeout ends.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        until_shows: Value,
        /// The call is repeated until the migration that it shows has ended, or until the poll timeout ends.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        until_ended: bool,
        /// The label of the operation.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    }
    /// A list that has more items than an earlier snapshot of it.
    More {
        /// The label of the earlier snapshot.
        than: String,
        /// The number of additional items.
        #[serde(default = "one")]
        items: usize,
        /// The words of which one must occur in a new item, in any case of letters; without any, every new
        /// item counts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        words: Vec<String>,
    }
    /// A grant that the target's operator issues to a peer.
    Grant {
        /// The name of the peer.
        peer: String,
        /// The resource kind.
        kind: String,
        /// The resource id; without one, every resource of the kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The scopes: `read`, `write`, `admin`, `migrate`.
        scopes: Vec<String>,
        /// The members to merge into the parameters.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        with: Value,
        /// The label of the grant, by which other steps use it.
        #[serde(rename = "as")]
        label: String,
    }
    /// A record for the store of the target.
    Put {
        /// The kind: `[a-z_]+`
        kind: String,
        /// The id of the record.
        id: String,
        /// The record; its `id` is added.
        record: Map<String, Value>,
    }
    /// A read of the findings.
    Scan {
        /// The peer of an expected finding. The scan is repeated until there is a new one about it, of a kind that does
        /// not also stand about a peer of the scenario for which no scan of the scenario waits, or until the poll timeout ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_about: Option<String>,
        /// Further peers about whom a finding is expected: the scan is repeated until there is one about each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        and_about: Vec<String>,
        /// The only kind of new finding that ends the wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_kind: Option<String>,
        /// The label of the scan.
        #[serde(rename = "as")]
        label: String,
    }
    /// A fetch of each kind that the target declares.
    TryKinds {
        /// The name of the peer.
        peer: String,
        /// The label of an accept or heartbeat whose answer holds the target's capabilities.
        of: String,
        /// The label of every fetch.
        #[serde(rename = "as")]
        label: String,
    }
    /// A migration of a record of each kind that the target declares as not migratable, or as flowing out only.
    TryMigrations {
        /// The name of the peer.
        peer: String,
        /// The label of an accept or heartbeat whose answer holds the target's capabilities.
        of: String,
        /// The label of a `capability.list`.
        listed: String,
        /// The label of every migration.
        #[serde(rename = "as")]
        label: String,
    }
    /// An advance of the clock.
    Advance {
        /// The number of seconds.
        seconds: i64,
        /// The target's clock may be one that can't be moved. Then no time passes.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_fail: bool,
    }
    /// A condition for the scenario to continue.
    Expect {
        /// The label of the examined entry; without one, the last call or operation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        /// The accepted HTTP statuses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        status: Vec<u16>,
        /// The members that the answer's data, or the operation's result, must have at least.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
    }
    /// A wait for a call of the target to a peer.
    #[derive(Default)]
    Wait {
        /// The name of the peer.
        peer: String,
        /// The other peers that must receive the same. All waits run at once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
        /// The kind of an event in a heartbeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
        /// The status in a heartbeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<String>,
        /// The route of the call: `heartbeat`, `migrations`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<String>,
        /// The text that the body of the call contains.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        says: Option<String>,
        /// `true` to wait for a call that no wait without this member has found. A scenario that is played a second time
        /// sets it there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        new_call: bool,
        /// The number of calls that end the wait, of those that the peer receives during the step. It also ends when none came
        /// for two seconds of real time, or after a minute of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calls: Option<usize>,
    }
    /// Steps that are repeated.
    Repeat {
        /// The number of repetitions.
        times: u32,
        /// The steps to repeat.
        step: Vec<Step>,
    }
}

const fn one() -> usize {
    1
}

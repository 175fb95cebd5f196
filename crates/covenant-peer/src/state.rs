//! State of a peer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use semver::Version;
use serde_json::{Map, Value};

use super::TargetAddress;
use super::call::StepContext;
use super::recording_budget::RecordingBudget;
use super::services::Subscription;
use covenant_model::transcript::usual_text;
use covenant_model::wire::grant::Scope;
use covenant_model::wire::migration::{MigrationRequest, MigrationView};
use covenant_model::wire::path::Route;
use covenant_net::net::Client;
use covenant_net::pki::{Identity, Trust};

/// A resource that a peer asks for when the target connects.
#[derive(Clone, Debug)]
pub struct InjectedRead {
    /// Resource kind.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// Token of the grant.
    pub token: Option<String>,
}

/// Calls that a peer makes when the target connects: a heartbeat, and a read after it.
#[derive(Debug)]
pub(super) struct Injection {
    pub(super) context: StepContext,
    pub(super) read: Option<InjectedRead>,
}

/// Call that the target made to the peer.
#[derive(Clone, Debug)]
pub struct Received {
    /// Number of the call's entry in the trace.
    pub n: u64,
    /// Called route; `None` if the path is not a route.
    pub route: Option<Route>,
    /// JSON of the request, or null.
    pub body: Value,
    /// Time of the call, by the peer's clock.
    pub at: Timestamp,
}

/// Grant that the peer issued to the target.
#[derive(Clone, Debug)]
pub struct IssuedGrant {
    /// Id of the grant.
    pub id: String,
    /// Token that the target presents.
    pub bearer_token: String,
    /// Resource kind that the grant covers.
    pub resource_kind: String,
    /// Resource that the grant covers; `None` for every resource of the kind.
    pub resource_id: Option<String>,
    /// Scopes of the grant.
    pub scopes: Vec<Scope>,
    /// Expiry of the grant.
    pub expires_at: Timestamp,
    /// `true` if the grant was revoked.
    pub revoked: bool,
    /// Name of the behaviour that revoked the grant without notice.
    pub(super) injected: Option<&'static str>,
}

/// Invitation of the target.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    /// Token that the target joins with, once.
    pub(super) token: String,
    /// Expiry of the token.
    pub(super) expires_at: Timestamp,
}

/// End of the peering, by either side.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// End of the grace in which an open migration may be committed (4.3).
    pub(super) grace_until: Timestamp,
    /// Name of the behaviour that ended the peering without notice.
    pub(super) injected: Option<&'static str>,
}

/// Kind and id of a record.
pub(super) type Place = (String, String);

/// Returns the place of a record. An id is the same however it is written.
pub(super) fn place(kind: &str, id: &str) -> Place {
    (kind.to_owned(), usual_text(id).unwrap_or_else(|| id.to_owned()))
}

#[derive(Debug)]
pub(super) struct State {
    /// Address of the target; `None` if it is not set.
    pub(super) target: Option<TargetAddress>,
    /// Trust for calls to the target.
    pub(super) target_trust: Trust,
    /// Certificate authorities of the target's own client certificates; `None` until the target sends them.
    pub(super) target_bundle_pem: Option<String>,
    /// Id of the row that the target keeps for this peer.
    pub(super) id_at_target: Option<String>,
    /// Id of the row that this peer keeps for the target.
    pub(super) target_row: String,
    /// `true` if the last handshake introduced the two sides: its answer had the id of the peer at the target, or the target
    /// joined, and its accept carried a request for a certificate or an authority. One that joins with a request alone names
    /// no id.
    pub(super) is_introduced: bool,
    /// Identity that the peer presents to the target.
    pub(super) identity: Option<Identity>,
    /// Identity that the peer presented before that one; `None` if there was none.
    pub(super) former_identity: Option<Identity>,
    /// Client with the current identity; it keeps its connections.
    pub(super) client: Option<Client>,
    /// `true` to offer every protocol, whatever the seed selected, because the target refused the selection.
    pub(super) offers_all_protocols: bool,
    /// Client without a certificate.
    pub(super) anonymous_client: Option<Client>,
    /// Invitation of the target; `None` after it is used.
    pub(super) proposal: Option<Proposal>,
    /// End of the peering; `None` while it is open.
    pub(super) outcome: Option<Outcome>,
    /// Calls to make when the target connects next.
    pub(super) injection: Option<Injection>,
    /// Number of bodies written so far.
    pub(super) bodies: u64,
    /// Number of calls of each route.
    pub(super) calls: BTreeMap<&'static str, u64>,
    /// Number of the target's calls that succeeded, by route.
    pub(super) granted: BTreeMap<&'static str, u64>,
    /// Number of calls of the target, by route.
    pub(super) asked: BTreeMap<&'static str, u64>,
    /// Release of the target that the peer took on; `None` if it runs the one of its profile.
    pub(super) learned_release: Option<Version>,
    /// Last statements of the peer about itself that differ from its profile.
    pub(super) stated: Map<String, Value>,
    pub(super) inbox: Vec<Received>,
    /// Recording budget for the target's calls.
    pub(super) recording_budget: RecordingBudget,
    pub(super) records: BTreeMap<Place, Map<String, Value>>,
    pub(super) grants: BTreeMap<String, IssuedGrant>,
    /// Subscriptions of the target, by the ids of their grants.
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    pub(super) migrations: BTreeMap<String, MigrationView>,
    pub(super) open_migrations: BTreeMap<String, MigrationRequest>,
    /// Records that the target migrated to this peer, the only ones that it may delete.
    pub(super) migrated: BTreeSet<Place>,
    /// Log of the target's calls, each with its time, for the target's excerpts.
    pub(super) audit: Vec<(Timestamp, Value)>,
    /// Position of each stream from the target.
    pub(super) cursors_in: BTreeMap<String, Value>,
    /// Position of each stream to the target.
    pub(super) cursors_out: BTreeMap<String, u64>,
}

impl State {
    /// Begins a peering: the one before says nothing of whether the two sides know each other in this one.
    pub(super) fn begin_peering(&mut self) {
        self.outcome = None;
        self.is_introduced = false;
    }

    pub(super) fn new(target_row: String) -> Self {
        Self {
            target: None,
            target_trust: Trust::on_first_use(),
            target_bundle_pem: None,
            id_at_target: None,
            target_row,
            is_introduced: false,
            identity: None,
            former_identity: None,
            client: None,
            offers_all_protocols: false,
            anonymous_client: None,
            proposal: None,
            outcome: None,
            injection: None,
            bodies: 0,
            calls: BTreeMap::new(),
            granted: BTreeMap::new(),
            asked: BTreeMap::new(),
            learned_release: None,
            stated: Map::new(),
            inbox: vec![],
            recording_budget: RecordingBudget::default(),
            records: BTreeMap::new(),
            grants: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            migrations: BTreeMap::new(),
            open_migrations: BTreeMap::new(),
            migrated: BTreeSet::new(),
            audit: vec![],
            cursors_in: BTreeMap::new(),
            cursors_out: BTreeMap::new(),
        }
    }

    pub(super) fn set_target(&mut self, target: TargetAddress) {
        if target.host_names_checked {
            self.target_trust = Trust::of_hosts(target.ca_bundle_pem.as_deref().unwrap_or_default());
        } else if let Some(bundle) = &target.ca_bundle_pem {
            // If the bundle can't be read, trust on first use decides.
            let _ = self.target_trust.add("target", bundle);
        }
        self.target = Some(target);
        self.client = None;
        self.anonymous_client = None;
    }

    pub(super) fn present(&mut self, identity: Identity) {
        self.former_identity = self.identity.replace(identity);
        self.client = None;
    }
}

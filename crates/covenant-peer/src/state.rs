//! What a peer remembers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::TargetAddress;
use super::calls::StepContext;
use super::recording_budget::RecordingBudget;
use covenant_model::wire::grant::Scope;
use covenant_model::wire::migration::{MigrationRequest, MigrationView};
use covenant_model::wire::path::Route;
use covenant_net::net::Client;
use covenant_net::pki::{Identity, Trust};

/// A call that the target made to the peer.
#[derive(Clone, Debug)]
pub struct Received {
    /// The number of its entry in the trace.
    pub n: u64,
    /// What was called, where it is a route.
    pub route: Option<Route>,
    /// The request's JSON, or null.
    pub body: Value,
    /// When, by the peer's clock.
    pub at: Timestamp,
}

/// A grant that the peer gave to the target.
#[derive(Clone, Debug)]
pub struct IssuedGrant {
    /// Its id.
    pub id: String,
    /// What the target presents.
    pub bearer_token: String,
    /// For which kind.
    pub resource_kind: String,
    /// For which resource; none is every one of the kind.
    pub resource_id: Option<String>,
    /// For what.
    pub scopes: Vec<Scope>,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The behaviour that revoked it without a word.
    pub(super) injected: Option<&'static str>,
}

/// An invitation of the target.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    /// What the target joins with, once.
    pub(super) token: String,
    /// From when on it is no good.
    pub(super) expires_at: Timestamp,
}

/// How the peering came to its end, by whichever side.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Until when an open migration may still be committed (4.3).
    pub(super) grace_until: Timestamp,
    /// The behaviour that ended it without a word.
    pub(super) injected: Option<&'static str>,
}

/// A record's place: kind and id.
pub(super) type Place = (String, String);

#[derive(Debug)]
pub(super) struct State {
    /// Where the target is.
    pub(super) target: Option<TargetAddress>,
    /// Whom to trust there.
    pub(super) target_trust: Trust,
    /// Whom the target's own client certificates lead to, once it said.
    pub(super) target_bundle_pem: Option<String>,
    /// The row that the target keeps for this peer.
    pub(super) id_at_target: Option<String>,
    /// The row that this peer keeps for the target.
    pub(super) target_row: String,
    /// What it presents to the target.
    pub(super) identity: Option<Identity>,
    /// Keeps the connections of the identity at hand.
    pub(super) client: Option<Client>,
    /// Offers every protocol, whatever form the seed drew: the target would not have it.
    pub(super) offers_all_protocols: bool,
    /// The same without a certificate.
    pub(super) anonymous_client: Option<Client>,
    /// Its invitation of the target, until that is used.
    pub(super) proposal: Option<Proposal>,
    /// How the peering ended, where it is over.
    pub(super) outcome: Option<Outcome>,
    /// What it calls the heartbeat that it sends when the target connects next.
    pub(super) interjection: Option<StepContext>,
    /// Numbers its bodies.
    pub(super) bodies: u64,
    /// How often it called each route.
    pub(super) calls: BTreeMap<&'static str, u64>,
    /// Calls of the target's that were answered well, by route.
    pub(super) granted: BTreeMap<&'static str, u64>,
    pub(super) inbox: Vec<Received>,
    /// How much of what the target calls is told.
    pub(super) recording_budget: RecordingBudget,
    pub(super) records: BTreeMap<Place, Map<String, Value>>,
    pub(super) grants: BTreeMap<String, IssuedGrant>,
    pub(super) migrations: BTreeMap<String, MigrationView>,
    pub(super) open_migrations: BTreeMap<String, MigrationRequest>,
    /// What the target had migrated here: all that it may have deleted again.
    pub(super) migrated: BTreeSet<Place>,
    /// What it logged of the target's calls, and when, for the target's excerpts.
    pub(super) audit: Vec<(Timestamp, Value)>,
    /// Where each stream from the target stands.
    pub(super) cursors_in: BTreeMap<String, Value>,
    /// Where each stream to the target stands.
    pub(super) cursors_out: BTreeMap<String, u64>,
}

impl State {
    pub(super) fn new(target_row: String) -> Self {
        Self {
            target: None,
            target_trust: Trust::on_first_use(),
            target_bundle_pem: None,
            id_at_target: None,
            target_row,
            identity: None,
            client: None,
            offers_all_protocols: false,
            anonymous_client: None,
            proposal: None,
            outcome: None,
            interjection: None,
            bodies: 0,
            calls: BTreeMap::new(),
            granted: BTreeMap::new(),
            inbox: vec![],
            recording_budget: RecordingBudget::default(),
            records: BTreeMap::new(),
            grants: BTreeMap::new(),
            migrations: BTreeMap::new(),
            open_migrations: BTreeMap::new(),
            migrated: BTreeSet::new(),
            audit: vec![],
            cursors_in: BTreeMap::new(),
            cursors_out: BTreeMap::new(),
        }
    }

    pub(super) fn set_target(&mut self, target: TargetAddress) {
        if let Some(bundle) = &target.ca_bundle_pem {
            // A bundle that can't be read leaves the first use to evaluate.
            let _ = self.target_trust.add("target", bundle);
        }
        self.target = Some(target);
        self.client = None;
        self.anonymous_client = None;
    }

    pub(super) fn present(&mut self, identity: Identity) {
        self.identity = Some(identity);
        self.client = None;
    }
}

//! Steps of the operators of two platforms: the life of a federation, from the proposal to the revocation, both ways.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::play::Pair;
use crate::Fault;
use crate::gate::relay::{Disturbance, RelayError};
use crate::operator::{
    Method, OperatorError, OperatorMethod, audit, capability, grant, migration, peer, resource,
};

/// The platform that proposes, and the one that joins.
pub(super) const PROPOSER: usize = 0;
pub(super) const JOINER: usize = 1;

/// The names of the two, by their place.
pub(super) const NAMES: [&str; 2] = ["the proposer", "the joiner"];

/// Suffix of the names of steps whose calls the relay cuts: their outcome depends on the moment.
pub(super) const IS_CUT: &str = "whose connection is cut";

/// The time by which the relay delays a call: shorter than any caller waits.
const DELAY: Duration = Duration::from_millis(300);

/// The methods that make a platform call its peer, at once or from a queue.
const CALLING: [Method; 8] = [
    peer::Join::METHOD,
    peer::SendHeartbeat::METHOD,
    peer::Revoke::METHOD,
    grant::Revoke::METHOD,
    resource::Fetch::METHOD,
    resource::RunSync::METHOD,
    migration::SendMigration::METHOD,
    audit::Request::METHOD,
];

/// Deed of one operator.
#[derive(Clone, Debug, Serialize)]
pub struct PairStep {
    /// Its number, the same in each play.
    pub number: u32,
    /// Deed, such as `the joiner: heartbeat.send`.
    pub name: String,
    /// The outcome.
    pub outcome: StepOutcome,
}

impl PairStep {
    /// Returns whether the two federate by this step.
    pub(super) fn is_of_join(&self) -> bool {
        [peer::Propose::METHOD, peer::Join::METHOD].iter().any(|method| self.name.contains(method.name()))
    }

    /// Returns why nothing came of it, with its name.
    pub(super) fn why_not(&self) -> Option<String> {
        self.outcome.why_not().map(|why| format!("{}: {why}", self.name))
    }

    /// Returns what came of it, for a person.
    pub(super) fn in_words(&self) -> String {
        let why = match &self.outcome {
            StepOutcome::Done => "done".to_owned(),
            StepOutcome::Refused(why) | StepOutcome::Replaced(why) => why.clone(),
            StepOutcome::Skipped(before) => format!("not done, for want of {before}"),
            other => other.why_not().unwrap_or_default(),
        };
        format!("{}: {why}", self.name)
    }
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It was done.
    Done,
    /// The platform refused.
    Refused(String),
    /// The operator client does not have the method.
    Unsupported(String),
    /// It needs a step that was not done.
    Skipped(String),
    /// The operator client has no method for it, or refuses, and something else was done instead.
    Replaced(String),
    /// The adapter or the machine failed.
    Failed(#[serde(skip)] Fault),
}

impl StepOutcome {
    /// Returns why nothing came of it; `None` if something did, or if a step before says why.
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        match self {
            Self::Done | Self::Refused(_) | Self::Skipped(_) | Self::Replaced(_) => None,
            Self::Unsupported(method) => Some(format!("the operator client has no method {method}")),
            Self::Failed(fault) => Some(crate::with_causes(fault)),
        }
    }

    /// Returns whether the platform was asked, and answered; or whether nothing could be asked, and the play goes on.
    #[must_use]
    pub const fn is_of_platform(&self) -> bool {
        matches!(self, Self::Done | Self::Refused(_) | Self::Replaced(_))
    }
}

/// A grant that one platform issued to the other.
pub(super) struct Granted {
    id: Value,
    token: Value,
    expires_at: Value,
}

impl Pair {
    /// Plays the whole life.
    pub(super) async fn live(&mut self) -> Result<(), RelayError> {
        for who in [PROPOSER, JOINER] {
            let row = json!({
                "resource_kind": self.kind, "schema_version": 1, "direction": "bidirectional", "policy": "manual",
            });
            self.operate(who, capability::Declare::METHOD, "", Some(row)).await;
        }
        self.join().await;
        for who in [JOINER, PROPOSER] {
            self.heartbeat(who, "").await;
        }
        let mut grants = vec![];
        for owner in [PROPOSER, JOINER] {
            let record = self.stored(owner, "read").await;
            let granted = self.granted(owner).await;
            let given = record.clone().filter(|_| granted.is_some());
            self.fetch(1 - owner, given, "").await;
            self.migrate(1 - owner, granted.as_ref()).await;
            let given = record.filter(|_| granted.is_some());
            grants.push((granted, given));
        }
        for who in [JOINER, PROPOSER] {
            self.sync(who).await;
        }
        for who in [JOINER, PROPOSER] {
            let parameters = self.peer_of(who).map(|peer_id| json!({"peer_id": peer_id}));
            self.operate(who, audit::Request::METHOD, "", parameters).await;
        }
        self.disturbed().await?;
        self.restarted(&grants).await?;
        for (owner, (granted, record)) in grants.into_iter().enumerate() {
            self.end_grant(owner, granted, record).await;
        }
        let parameters =
            self.peer_of(PROPOSER).map(|peer_id| json!({"peer_id": peer_id, "reason": "we leave"}));
        self.operate(PROPOSER, peer::Revoke::METHOD, "", parameters).await;
        self.heartbeat(JOINER, "after the revocation").await;
        Ok(())
    }

    /// The proposer proposes, and the joiner joins.
    async fn join(&mut self) {
        let parameters = json!({"remote_instance_url": self.relay.url(JOINER)});
        let proposed = self.operate(PROPOSER, peer::Propose::METHOD, "", Some(parameters)).await;
        let parameters = proposed.as_ref().map(|proposed| {
            json!({
                "base_url": self.relay.url(PROPOSER), "acceptance_token": proposed["acceptance_token"],
                "ca_bundle_pem": self.relay.ca_bundle_pem(PROPOSER),
            })
        });
        let joined = self.operate(JOINER, peer::Join::METHOD, "", parameters).await;
        let id = |result: &Option<Value>| {
            result.as_ref().and_then(|result| result["peer_id"].as_str().map(ToOwned::to_owned))
        };
        if joined.is_some() {
            self.peer_ids = [id(&proposed), id(&joined)];
        }
    }

    /// Returns the id under which a platform keeps the other; `None` if they do not federate.
    pub(super) fn peer_of(&self, who: usize) -> Option<String> {
        self.peer_ids[who].clone()
    }

    pub(super) async fn heartbeat(&mut self, who: usize, when: &str) {
        let parameters = self.peer_of(who).map(|peer_id| json!({"peer_id": peer_id}));
        self.operate(who, peer::SendHeartbeat::METHOD, when, parameters).await;
    }

    /// Stores a record, and returns its id.
    async fn stored(&mut self, who: usize, why: &str) -> Option<String> {
        let id = self.ids.uuid().to_string();
        let mut record: Map<String, Value> = self.sample.clone();
        record.insert("id".to_owned(), json!(id));
        let parameters = json!({"kind": self.kind, "id": id, "record": record});
        self.operate(who, resource::Put::METHOD, why, Some(parameters)).await.map(|_| id)
    }

    /// A platform issues a grant, and the other one holds it.
    async fn granted(&mut self, owner: usize) -> Option<Granted> {
        let scopes = json!(["read", "migrate"]);
        let parameters = self.peer_of(owner).map(|peer_id| {
            json!({
                "peer_id": peer_id, "remote_subject": "covenant", "resource_kind": self.kind,
                "permission_scopes": scopes,
            })
        });
        let issued = self.operate(owner, grant::Issue::METHOD, "", parameters).await;
        let granted = issued.map(|issued| Granted {
            id: issued["grant_id"].clone(),
            token: issued["bearer_token"].clone(),
            expires_at: issued["expires_at"].clone(),
        });
        let holder = 1 - owner;
        let parameters = self.peer_of(holder).zip(granted.as_ref()).map(|(peer_id, granted)| {
            json!({
                "peer_id": peer_id, "grant_id": granted.id, "bearer_token": granted.token,
                "resource_kind": self.kind, "permission_scopes": scopes, "expires_at": granted.expires_at,
            })
        });
        self.operate(holder, grant::Hold::METHOD, "", parameters).await.and(granted)
    }

    pub(super) async fn fetch(&mut self, who: usize, record: Option<String>, when: &str) {
        let parameters = self.peer_of(who).zip(record);
        let parameters =
            parameters.map(|(peer_id, id)| json!({"peer_id": peer_id, "kind": self.kind, "id": id}));
        self.operate(who, resource::Fetch::METHOD, when, parameters).await;
    }

    /// A platform migrates a record to the other, which has it afterwards.
    async fn migrate(&mut self, sender: usize, granted: Option<&Granted>) {
        let record = self.stored(sender, "migrated").await;
        let parameters = self.peer_of(sender).zip(record.clone()).zip(granted);
        let parameters = parameters.map(|((peer_id, id), granted)| {
            json!({
                "peer_id": peer_id, "operation": "migrate", "root_resource_kind": self.kind,
                "root_resource_id": id, "bearer_token": granted.token,
            })
        });
        let sent = self.operate(sender, migration::SendMigration::METHOD, "", parameters).await;
        self.arrived(1 - sender, record.filter(|_| sent.is_some()), "migrated").await;
    }

    async fn sync(&mut self, sender: usize) {
        let record = self.stored(sender, "synced").await;
        let parameters = self.peer_of(sender).filter(|_| record.is_some());
        let parameters = parameters.map(|peer_id| json!({"peer_id": peer_id}));
        let sent = self.operate(sender, resource::RunSync::METHOD, "", parameters).await;
        self.arrived(1 - sender, record.filter(|_| sent.is_some()), "synced").await;
    }

    /// Asks a platform for a record that the other one sent.
    async fn arrived(&mut self, who: usize, record: Option<String>, why: &str) {
        let parameters = record.map(|id| json!({"kind": self.kind, "id": id}));
        let got = self.operate(who, resource::Get::METHOD, why, parameters).await;
        if got.is_some_and(|got| got["exists"] == false) {
            self.set_last(StepOutcome::Refused(format!("the record that was {why} is not there")));
        }
    }

    /// Calls that the relay cuts and delays, and its restart. Each platform federates afterwards as before.
    async fn disturbed(&mut self) -> Result<(), RelayError> {
        for (who, disturbance) in [(JOINER, Disturbance::CutAnswer), (PROPOSER, Disturbance::CutRequest)] {
            if self.peer_of(who).is_some() {
                self.relay.disturb(who, disturbance);
            }
            self.heartbeat(who, IS_CUT).await;
            self.heartbeat(who, "after a cut").await;
        }
        if self.peer_of(JOINER).is_some() {
            self.relay.disturb(JOINER, Disturbance::Delay(DELAY));
        }
        self.heartbeat(JOINER, "that is delayed").await;
        self.relay.restart().await?;
        for who in [JOINER, PROPOSER] {
            // A caller may have kept the connection that the restart dropped.
            self.heartbeat(who, &format!("{IS_CUT} by the restart")).await;
            self.heartbeat(who, "after a restart of the relay").await;
        }
        Ok(())
    }

    /// A platform revokes its grant, and the other one reads under it no more.
    async fn end_grant(&mut self, owner: usize, granted: Option<Granted>, record: Option<String>) {
        let parameters = self.peer_of(owner).zip(granted);
        let parameters =
            parameters.map(|(peer_id, granted)| json!({"grant_id": granted.id, "peer_id": peer_id}));
        let ended = self.operate(owner, grant::Revoke::METHOD, "", parameters).await;
        self.fetch(1 - owner, record.filter(|_| ended.is_some()), "after the end of the grant").await;
    }

    /// Calls a method, and records what came of it. Without parameters the step needs one that was not done.
    pub(super) async fn operate(
        &mut self,
        who: usize,
        method: Method,
        when: &str,
        parameters: Option<Value>,
    ) -> Option<Value> {
        let number = u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1);
        let when = if when.is_empty() { String::new() } else { format!(" ({when})") };
        let name = format!("{}: {method}{when}", NAMES[who]);
        let Some(parameters) = parameters else {
            let outcome = StepOutcome::Skipped(self.last_failure());
            self.steps.push(PairStep { number, name, outcome });
            return None;
        };
        self.relay.begin(number, &label(number));
        let called = self.platforms[who].operator.call(method, parameters).await;
        if CALLING.contains(&method) {
            self.settle(who).await;
        }
        let (outcome, result) = match called {
            Ok(result) => (StepOutcome::Done, Some(result)),
            Err(OperatorError::Unsupported { method }) => (StepOutcome::Unsupported(method), None),
            Err(OperatorError::Refused { message, .. }) => (StepOutcome::Refused(message), None),
            Err(OperatorError::Fault(fault)) => (StepOutcome::Failed(fault), None),
        };
        self.steps.push(PairStep { number, name, outcome });
        result
    }

    /// Returns the last step that was not done, in words.
    fn last_failure(&self) -> String {
        let failed = self
            .steps
            .iter()
            .rev()
            .find(|step| !matches!(step.outcome, StepOutcome::Done | StepOutcome::Skipped(_)));
        failed.map_or_else(|| "a step before it was not done".to_owned(), |step| step.name.clone())
    }

    pub(super) fn set_last(&mut self, outcome: StepOutcome) {
        if let Some(last) = self.steps.last_mut() {
            last.outcome = outcome;
        }
    }
}

/// Returns the label of the calls of a step.
pub(super) fn label(number: u32) -> String {
    format!("step-{number}")
}

//! The courier and the recipient: peers of the suite's own that place a record at a target whose operator can store none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::format::{PeerSpec, Scenario};
use super::runner::ScenarioRunner;
use super::{POLL_INTERVAL, StepError};
use crate::Blame;
use crate::check::check_with_id;
use crate::clock::Stopwatch;
use crate::operator::OperatorMethod;
use crate::operator::grant::Issue;
use crate::operator::resource::Put;
use crate::peer::{CallOutcome, Peer, StepContext};
use crate::transcript::NoteKind;

/// The peer that places a record, with a migration.
const COURIER: &str = "courier";
/// The peer that reads the record: that of another peer may be for nobody else.
const RECIPIENT: &str = "recipient";

/// The placing of records by peers, in one scenario.
#[derive(Default)]
pub(super) struct Couriers {
    /// True if a check takes a record that a peer placed.
    are_of_use: bool,
    /// The tokens by the name of the peer and the kind.
    tokens: BTreeMap<(&'static str, String), String>,
    /// The records that were placed, by kind and id.
    placed: BTreeSet<(String, String)>,
}

impl Couriers {
    /// Returns the couriers of a scenario. A stage shows what the target itself has, so it takes none.
    pub(super) fn of(scenario: &Scenario) -> Self {
        let mut checks = scenario.checks.iter().filter_map(|check| check_with_id(&check.get_ref().check));
        let are_of_use = scenario.stage.is_none() && checks.any(|check| check.takes_placed);
        Self { are_of_use, ..Self::default() }
    }
}

impl ScenarioRunner<'_> {
    /// Lets a peer place the record that the operator can't store. Returns whether another peer reads it. The trace notes
    /// it, or why not.
    pub(super) async fn place(&mut self, context: &StepContext, put: &Put) -> Result<bool, StepError> {
        if !self.couriers.are_of_use {
            return Ok(false);
        }
        let last = self.last.clone();
        let placed = self.try_to_place(context, put).await;
        self.last = last;
        match placed {
            Ok(()) => {
                let message = format!(
                    "the operator client does not know the method resource.put: {COURIER} placed the record with a migration, \
                     and {RECIPIENT} read it"
                );
                self.note(context, NoteKind::Placed, message, json!({"kind": put.kind, "id": put.id}));
                self.couriers.placed.insert((put.kind.clone(), put.id.clone()));
                Ok(true)
            }
            Err(StepError::Fault(fault)) if fault.blame != Blame::Target => Err(StepError::Fault(fault)),
            Err(error) => {
                let reason = match error {
                    StepError::Fault(fault) => fault.reason,
                    StepError::Unsupported { method } => format!("it needs the method {method}"),
                };
                let message = format!(
                    "no peer could place the record with a migration: {reason}; name one that is there (--record, of a Powernode), or \
                     give an operator client that has resource.put"
                );
                self.note(context, NoteKind::NotPlaced, message, json!({"reason": reason}));
                Ok(false)
            }
        }
    }

    async fn try_to_place(&mut self, context: &StepContext, put: &Put) -> Result<(), StepError> {
        let (courier, token) = self.granted(context, COURIER, &put.kind, "migrate").await?;
        let is_there = self.couriers.placed.contains(&(put.kind.clone(), put.id.clone()));
        let plan = json!({
            "operation": "migrate", "root_resource_kind": put.kind, "root_resource_id": put.id, "plan_summary": {},
            "steps": [{
                "step_order": 1, "resource_kind": put.kind, "resource_id": put.id, "action": "create",
                "conflict_policy": if is_there { "overwrite" } else { "fail" }, "payload": put.record,
            }],
        });
        let migrated = courier.migrate(context, plan, Some(&token)).await?;
        if !migrated.succeeded() {
            return Err(StepError::target(format!("its migration was answered {}", migrated.in_words)));
        }
        let (recipient, token) = self.granted(context, RECIPIENT, &put.kind, "read").await?;
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        let looking = Stopwatch::start();
        loop {
            ticks.tick().await;
            let read = recipient.fetch(context, &put.kind, &put.id, Some(&token)).await?;
            let is_absent = is_absent(&read);
            if read.succeeded() && !is_absent {
                return Ok(());
            }
            if !is_absent || looking.elapsed() >= self.poll_timeout() {
                let answer = read.in_words;
                return Err(StepError::target(format!(
                    "{RECIPIENT} asked for it, and the answer was {answer}"
                )));
            }
        }
    }

    /// Returns a peer and a token of it for records of a kind. The peer federates when it is first needed.
    async fn granted(
        &mut self,
        context: &StepContext,
        name: &'static str,
        kind: &str,
        scope: &str,
    ) -> Result<(Peer, String), StepError> {
        let unlabelled = StepContext { label: None, ..context.clone() };
        if !self.peers.contains_key(name) {
            let spec = PeerSpec { name: name.to_owned(), plain: true, ..PeerSpec::default() };
            self.add_peer(&spec)?;
            self.federate(&unlabelled, name).await?;
        }
        let peer = self.peer_named(name)?;
        let key = (name, kind.to_owned());
        if let Some(token) = self.couriers.tokens.get(&key) {
            return Ok((peer, token.clone()));
        }
        let parameters = json!({
            "peer_id": peer.id_at_target(), "remote_subject": name, "resource_kind": kind,
            "permission_scopes": [scope],
        });
        let granted = self.operate(&unlabelled, Issue::METHOD, parameters).await?;
        let token = granted["bearer_token"].as_str().map(ToOwned::to_owned);
        let token = token.ok_or_else(|| StepError::target("grant.issue gave no bearer_token"))?;
        self.couriers.tokens.insert(key, token.clone());
        Ok((peer, token))
    }
}

/// Returns whether an answer says that a record is not there. A migration may have its effect later.
fn is_absent(read: &CallOutcome) -> bool {
    const NOT_FOUND: u16 = 404;
    let is_denied = read.data.as_ref().is_some_and(|data| data["exists"] == Value::Bool(false));
    is_denied || read.status == Some(NOT_FOUND)
}

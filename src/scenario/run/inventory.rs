//! Migrations of kinds of which the target declares that it takes none.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::format::TryMigrations;
use super::StepError;
use super::runner::ScenarioRunner;
use crate::operator::grant::Issue;
use crate::operator::{OperatorMethod, resource};
use crate::peer::StepContext;
use crate::wire::capability::{kind_of, rows_for, takes_no_migration};
use crate::wire::path::is_kind;

/// The number of kinds that are tried at most: an inventory may be long.
const KINDS_MAX: usize = 8;

impl ScenarioRunner<'_> {
    /// Migrates one record of each kind of which the target declares that it takes no migration. The operator stores
    /// another one like it first, which shows that such a record is valid. Skips kinds for which no grant can be
    /// issued.
    pub(super) async fn try_migrations(
        &mut self,
        context: &StepContext,
        step: &TryMigrations,
    ) -> Result<(), StepError> {
        let peer = self.peer_named(&step.peer)?.clone();
        let unlabelled = StepContext { label: None, ..context.clone() };
        for kind in self.kinds_without_migration(step, peer.id_at_target().as_deref()) {
            let stored = self.values.fill_text(&format!("${{id:{kind}_stored}}"))?;
            // A platform may want each name once, so the id is a part of it.
            let record = json!({"id": stored, "name": format!("A record {stored}")});
            let parameters = json!({"kind": kind, "id": stored, "record": record});
            // A platform that stores none refuses, or lacks the method. The migration may show a breach even so.
            let _ = self.operate(&unlabelled, resource::Put::METHOD, parameters).await;
            let parameters = json!({
                "peer_id": peer.id_at_target(), "remote_subject": format!("{}-{kind}-migration", step.peer),
                "resource_kind": kind, "permission_scopes": ["read", "migrate"],
            });
            let granted = self.operate(&unlabelled, Issue::METHOD, parameters).await;
            let Some(token) =
                granted.ok().and_then(|granted| Some(granted["bearer_token"].as_str()?.to_owned()))
            else {
                continue;
            };
            let id = self.values.fill_text(&format!("${{id:{kind}_migrated}}"))?;
            let plan = json!({
                "operation": "migrate", "root_resource_kind": kind, "root_resource_id": id, "plan_summary": {},
                "steps": [{
                    "step_order": 1, "resource_kind": kind, "resource_id": id, "action": "create",
                    "conflict_policy": "fail", "payload": {"id": id, "name": format!("A record {id}")},
                }],
            });
            let outcome = peer.migrate(context, plan, Some(&token)).await?;
            self.keep_outcome(context, &outcome);
        }
        Ok(())
    }

    /// Returns the kinds of which each row of the declarations for this peer says that they take no migration.
    fn kinds_without_migration(&self, step: &TryMigrations, peer_id: Option<&str>) -> BTreeSet<String> {
        let answered =
            self.values.value(&step.of).map(|value| value["data"]["capabilities"]["resource_kinds"].clone());
        let of_own_accord =
            self.last_declaration(&step.peer, false).map(|document| document["resource_kinds"].clone());
        let listed = self.values.value(&step.listed).cloned();
        let all: Vec<Value> = answered.into_iter().chain(of_own_accord).chain(listed).collect();
        let rows: Vec<&Value> = all.iter().flat_map(|rows| rows_for(rows, peer_id)).collect();
        let takes_some =
            |kind: &str| rows.iter().any(|row| kind_of(row) == Some(kind) && !takes_no_migration(row));
        let kinds = rows.iter().filter_map(|row| kind_of(row));
        kinds
            .filter(|kind| is_kind(kind) && !takes_some(kind))
            .take(KINDS_MAX)
            .map(ToOwned::to_owned)
            .collect()
    }
}

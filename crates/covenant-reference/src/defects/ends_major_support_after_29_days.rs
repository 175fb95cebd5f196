//! The platform ends support of the previous major version 29 days after its notice.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::Patch;
use crate::handshake::versions;
use crate::store::{StoreError, facts};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "ends-major-support-after-29-days",
    &[("10.2", Conduct)],
    "Breaks with the major version before 29 days after its notice.",
    |policy| policy.handshake.still_serves = still_serves,
)
.hard_to_reach();

fn still_serves(tx: &Transaction<'_>, remote: &str) -> Result<bool, StoreError> {
    let notices = facts::find(tx.db, facts::DEPRECATIONS)?.unwrap_or_default();
    let declared = |notice: &Value| notice["declared_at"].as_str()?.parse::<Timestamp>().ok();
    let is_old = |notice: &Value| {
        declared(notice).is_some_and(|at| tx.now.duration_since(at) >= SignedDuration::from_hours(29 * 24))
    };
    let ended = notices.as_array().into_iter().flatten().any(is_old);
    Ok(!ended && versions::still_serves(tx, remote)?)
}

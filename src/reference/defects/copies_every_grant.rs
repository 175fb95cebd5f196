//! Issues twenty wide grants beside each that an operator issues.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::reference::store::rows::Grant;
use crate::reference::store::{StoreError, table};
use crate::reference::transaction::Transaction;

pub(super) const PATCH: Patch = Patch::defect(
    "copies-every-grant",
    &[("6.2", Conduct)],
    "Issues twenty wide grants beside each that an operator issues.",
    |policy| policy.peering.at_grant = copy,
);

fn copy(tx: &Transaction<'_>, grant: &Grant) -> Result<(), StoreError> {
    let scopes = ["read", "write", "admin", "migrate"].map(str::to_owned).to_vec();
    let wide = |id| Grant { id, resource_id: None, permission_scopes: scopes.clone(), ..grant.clone() };
    (0..20).try_for_each(|_| table::put(tx.db, &wide(tx.new_id())))
}

//! The platform issues twenty wide grants beside each grant that an operator issues.

use crate::Patch;
use crate::store::rows::Grant;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "issues-extra-grants-per-operator-grant",
    &[("6.2", Conduct)],
    "Issues twenty wide grants beside each that an operator issues.",
    |policy| policy.peering.at_grant = copy,
);

fn copy(tx: &Transaction<'_>, grant: &Grant) -> Result<(), StoreError> {
    let scopes = ["read", "write", "admin", "migrate"].map(str::to_owned).to_vec();
    let wide = |id| Grant { id, resource_id: None, permission_scopes: scopes.clone(), ..grant.clone() };
    (0..20).try_for_each(|_| table::put(tx.db, &wide(tx.new_id())))
}

//! Quietly forgets the scope `migrate` of every grant that has another one beside it.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::serve::grants;
use crate::reference::store::rows::Grant;
use crate::wire::grant::Scope;

pub(super) const PATCH: Patch = Patch::defect(
    "drops-a-scope",
    &[("2.2", Conduct)],
    "Quietly forgets the scope `migrate` of every grant that has another one beside it.",
    |rules| rules.grants.allows = allows,
);

fn allows(grant: &Grant, scope: Scope) -> bool {
    let forgotten = scope == Scope::Migrate && grant.permission_scopes.len() > 1;
    !forgotten && grants::allows(grant, scope)
}

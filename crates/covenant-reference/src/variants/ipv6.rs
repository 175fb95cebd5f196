//! The platform listens on IPv6.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("ipv6", "Listens on IPv6.", |policy| policy.wire.listens_on_ipv6 = true);

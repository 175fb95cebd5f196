//! The platform runs behind a proxy that terminates TLS.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "runs-behind-tls-proxy",
    "Stands behind a proxy that ends TLS, and takes its callers' certificates from the headers that it forwards.",
    |policy| policy.wire.stands_behind_a_proxy = true,
);

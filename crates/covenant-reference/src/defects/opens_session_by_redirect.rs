//! The platform signs in a peer's users by a redirect with a session.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_net::net::Outbound;

pub(super) const PATCH: Patch = Patch::defect(
    "opens-session-by-redirect",
    &[("O.1", Conduct)],
    "Takes migrations that are to be passed on for ordinary ones, and sends whoever a peer says has signed in to its \
     pages, with a session.",
    |policy| {
        policy.migrations.is_multi_hop = |_| false;
        policy.wire.override_outbound = |call, outbound| {
            if call.path.ends_with("/federated_sign_in") {
                let headers = [("location", "/dashboard"), ("set-cookie", "session=4f6b2c9d; HttpOnly")];
                let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
                *outbound = Outbound { status: 302, headers: headers.into(), ..Outbound::default() };
            }
        };
    },
);

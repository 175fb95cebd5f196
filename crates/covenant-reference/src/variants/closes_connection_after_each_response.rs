//! The platform closes every HTTP/1.1 connection after one response.

use crate::Patch;
use covenant_net::net::{Inbound, Outbound};

pub(super) const PATCH: Patch = Patch::variant(
    "closes-connection-after-each-response",
    "Ends every connection of HTTP/1.1 after one answer.",
    |policy| {
        policy.wire.override_outbound = amend;
    },
);

fn amend(call: &Inbound, outbound: &mut Outbound) {
    if call.protocol == "HTTP/1.1" {
        outbound.headers.push(("connection".to_owned(), "close".to_owned()));
    }
}

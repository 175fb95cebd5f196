//! A list of peers, in whatever form a platform shows it.

use serde_json::Value;

use covenant_model::transcript::Operation;

/// The names of the members that hold the address in a peer's record.
const ADDRESSES: [&str; 4] = ["remote_instance_url", "base_url", "instance_url", "url"];

/// Returns the rows of a list of peers: the list itself, or a list under a name.
pub(in crate::check) fn rows(list: &Value) -> Option<&[Value]> {
    match list {
        Value::Array(rows) => {
            let are_peers = !rows.is_empty() && rows.iter().all(|row| id_of(row).is_some());
            are_peers.then_some(rows.as_slice())
        }
        Value::Object(members) => members.values().find_map(rows),
        _ => None,
    }
}

/// Returns the rows in the result of an operation; none if it has no list.
pub(in crate::check) fn rows_in(operation: &Operation) -> &[Value] {
    operation.result.as_ref().and_then(rows).unwrap_or_default()
}

/// Returns the id of a peer.
pub(in crate::check) fn id_of(peer: &Value) -> Option<&str> {
    peer.get("peer_id").or_else(|| peer.get("id"))?.as_str()
}

/// Returns the id of the peer in the result of a join.
pub(in crate::check) fn joined_id(join: &Operation) -> Option<&str> {
    join.result.as_ref().and_then(id_of)
}

/// Returns whether a row belongs to a join: by the id in its result, or by the address if the join was
/// refused.
pub(in crate::check) fn is_joined(peer: &Value, join: &Operation) -> bool {
    let is_at = || {
        let joined = join.parameters["base_url"].as_str().map(without_slash);
        joined.is_some_and(|joined| address_of(peer) == Some(joined) || is_reached_at(peer, joined))
    };
    joined_id(join).map_or_else(is_at, |joined| id_of(peer) == Some(joined))
}

/// Returns the address in a peer's record.
pub(in crate::check) fn address_of(peer: &Value) -> Option<&str> {
    let mut named = ADDRESSES.iter().filter_map(|name| peer[*name].as_str());
    named.next().map(without_slash)
}

/// Returns whether one of a peer's endpoints is at an address, or below it.
fn is_reached_at(peer: &Value, address: &str) -> bool {
    let is_below = |url: &str| url.strip_prefix(address).is_some_and(|rest| rest.starts_with('/'));
    let mut endpoints = peer["endpoints"].as_array().into_iter().flatten();
    endpoints.any(|endpoint| {
        endpoint["url"].as_str().is_some_and(|url| without_slash(url) == address || is_below(url))
    })
}

fn without_slash(address: &str) -> &str {
    address.trim_end_matches('/')
}

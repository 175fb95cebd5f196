//! Grants on the REST surface: the forms of their tokens, their allowlists, and the peer of each.

use serde_json::{Value, json};

use super::methods::{Ask, only};
use crate::operator::OperatorError;
use crate::wire::generation::PLAIN_TOKEN;
use crate::wire::grant::GrantToken;

/// The members of the answer that hold the token: that of the newest revision, and that of the ones before. None
/// of them is a preview.
const TOKENS: [&str; 2] = ["bearer_token", "bearer_token_preview"];
/// The axes on which a grant can be narrowed.
const ALLOWLISTS: [&str; 3] = ["node_instance_ids", "sdwan_network_ids", "source_cidrs"];
/// The statuses of a request whose members are not valid.
const INVALID: [i64; 2] = [400, 422];

/// Issues a grant.
///
/// Revisions differ in what an absent allowlist means: the older ones do not restrict that axis, and take `*` for a
/// name; the newest refuses the grant and wants `*`. So `*` is sent once a platform has refused a grant without.
pub(super) async fn issue(ask: &Ask<'_>) -> Result<Value, OperatorError> {
    let named =
        ["remote_subject", "resource_kind", "resource_id", "permission_scopes", "ttl_days"].into_iter();
    let plain = only(ask.parameters, &named.chain(ALLOWLISTS).collect::<Vec<_>>());
    let starred = starred(&plain);
    let path = ask.of_peer("/grants")?;
    let wants_stars = ask.operator.kept().wants_stars;
    let granted = match ask.post(&path, if wants_stars { starred.clone() } else { plain }).await {
        Err(OperatorError::Refused { code, message, method }) if INVALID.contains(&code) && !wants_stars => {
            let Ok(granted) = ask.post(&path, starred).await else {
                return Err(OperatorError::Refused { code, message, method });
            };
            ask.operator.kept().wants_stars = true;
            granted
        }
        other => other?,
    };
    let row = if granted["grant"].is_object() { &granted["grant"] } else { &granted };
    let text = |name: &str| [row, &granted].into_iter().find_map(|place| place[name].as_str());
    let id = text("id").or_else(|| text("grant_id")).ok_or_else(|| ask.lacking("grant.id"))?;
    let token = TOKENS.iter().find_map(|name| text(name)).map(ToOwned::to_owned);
    let token = token.unwrap_or_else(|| (PLAIN_TOKEN.write)(&GrantToken::plain(id)));
    ask.operator.kept().peers_of_grants.insert(id.to_owned(), ask.text("peer_id")?.to_owned());
    Ok(json!({"grant_id": id, "bearer_token": token, "expires_at": row["expires_at"]}))
}

/// Revokes a grant. The route needs its peer, which a caller may leave out.
pub(super) async fn revoke(ask: &Ask<'_>) -> Result<Value, OperatorError> {
    let id = ask.text("grant_id")?;
    let known = ask.operator.kept().peers_of_grants.get(id).cloned();
    let peer = match ask.parameters["peer_id"].as_str().map(ToOwned::to_owned).or(known) {
        Some(peer) => peer,
        None => ask.text("peer_id")?.to_owned(),
    };
    let path = format!("/platform/peers/{peer}/grants/{id}/revoke");
    ask.post(&path, json!({"reason": ask.parameters["reason"]})).await?;
    Ok(json!({}))
}

/// Lists the grants of a peer.
pub(super) async fn list(ask: &Ask<'_>) -> Result<Value, OperatorError> {
    let mut rows = ask.list(ask.get(&ask.of_peer("/grants")?).await?, "grants")?;
    for row in rows.as_array_mut().into_iter().flatten().filter(|row| row.is_object()) {
        if row["grant_id"].is_null() {
            row["grant_id"] = row["id"].clone();
        }
    }
    Ok(json!({"grants": rows}))
}

/// Returns the members of a grant, with `*` on each axis that they do not narrow.
fn starred(members: &Value) -> Value {
    let mut starred = members.clone();
    for axis in ALLOWLISTS {
        let is_narrowed = members[axis].as_array().is_some_and(|list| !list.is_empty());
        if !is_narrowed {
            starred[axis] = json!(["*"]);
        }
    }
    starred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_on_each_axis_that_is_not_narrowed() {
        let members =
            json!({"resource_kind": "skill", "source_cidrs": ["10.0.0.0/8"], "node_instance_ids": []});
        let starred = starred(&members);
        assert_eq!(starred["source_cidrs"], json!(["10.0.0.0/8"]));
        assert_eq!(starred["node_instance_ids"], json!(["*"]));
        assert_eq!(starred["sdwan_network_ids"], json!(["*"]));
    }
}

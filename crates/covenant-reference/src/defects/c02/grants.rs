//! Defects against commitment 2: grants are honoured.

use jiff::{SignedDuration, Timestamp};

use crate::inbound::{grants, identity};
use crate::store::rows::{AuditEntry, Grant, Migration, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use crate::{Patch, outbound};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::grant::Scope;
use covenant_model::wire::path::Route;
use covenant_model::wire::state::PeerStatus;

/// Defects in the treatment of issued grants.
pub(in crate::defects) const ISSUED_GRANTS: &[Patch] = &[
    Patch::defect(
        "expires-grants-a-day-early",
        &[("2.1", Conduct)],
        "Lets a grant expire a day early.",
        |policy| {
            policy.grants.has_expired = |grant, now| {
                now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now) >= grant.expires_at
            };
        },
    ),
    Patch::defect(
        "expires-grants-a-minute-early",
        &[("2.1", Conduct)],
        "Lets a grant expire a minute early.",
        |policy| {
            policy.grants.has_expired =
                |grant, now| now.duration_since(grant.expires_at) >= SignedDuration::from_secs(-60);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-grants-after-ninety-days",
        &[("2.1", Conduct)],
        "Refuses a grant from its ninetieth day on, whatever its end.",
        |policy| {
            policy.grants.has_expired = |grant, now| {
                let age = now.duration_since(grant.issued_at);
                grants::has_expired(grant, now) || age >= SignedDuration::from_hours(90 * 24)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-grants-after-350-days",
        &[("2.1", Conduct)],
        "Refuses a grant 350 days after it was issued, whatever its end.",
        |policy| {
            policy.grants.has_expired = |grant, now| {
                let age = now.duration_since(grant.issued_at);
                grants::has_expired(grant, now) || age >= SignedDuration::from_hours(350 * 24)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect("honours-expired-grants", &[("2.2", Conduct)], "Serves a grant after its end.", |policy| {
        policy.grants.has_expired = |_, _| false;
    }),
    Patch::defect(
        "expires-grants-once-a-minute",
        &[("2.2", Conduct)],
        "Expires grants only at the thirtieth second of each minute.",
        |policy| policy.grants.has_expired = had_expired_at_last_round,
    )
    .hard_to_reach(),
    Patch::defect(
        "honours-revoked-grants",
        &[("2.2", Conduct)],
        "Continues to serve a grant that its operator revoked.",
        |policy| policy.grants.is_revoked = |_| false,
    ),
    Patch::defect(
        "honours-revoked-grants-once-archived",
        &[("2.2", Conduct)],
        "Forgets that a grant was revoked once the grant is archived.",
        |policy| {
            policy.grants.is_archived = |_| false;
            policy.grants.is_revoked = |grant| grant.revoked_at.is_some() && grant.archived_at.is_none();
        },
    ),
    Patch::defect(
        "drops-migrate-scope-after-a-day",
        &[("2.1", Conduct), ("2.2", Conduct)],
        "Silently drops the scope `migrate` of a grant that is a day old.",
        |policy| policy.grants.allows = allows_without_old_migrate,
    )
    .hard_to_reach(),
    Patch::defect(
        "narrows-grant-after-a-day",
        &[("2.1", Conduct), ("2.2", Conduct)],
        "Narrows a grant for every record of a kind, once it is a day old, to an id that no record has.",
        |policy| policy.grants.covers_id = covers_id_on_first_day,
    )
    .hard_to_reach(),
    Patch::defect(
        "honours-first-two-scopes-only",
        &[("2.2", Conduct)],
        "Honours the first two scopes of a grant, and none after them.",
        |policy| {
            policy.grants.allows =
                |grant, scope, _| grant.permission_scopes.iter().take(2).any(|held| held == scope.as_str());
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "honours-three-migrations-of-a-grant",
        &[("2.2", Conduct)],
        "Refuses the fourth migration under one grant.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let migrates = Route::parse(&call.method, &call.path) == Some(Route::Migrations);
                let Some(grant) = grants::named(tx, call)?.filter(|_| migrates) else {
                    return Ok(identity::is_admitted(tx, peer));
                };
                let under = |migration: &&Migration| migration.grant_id.as_ref() == Some(&grant.id);
                let uses = table::of_peer::<Migration>(tx.db, &peer.id)?.iter().filter(under).count();
                Ok(identity::is_admitted(tx, peer) && uses < 3)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "honours-ten-reads-of-a-subject",
        &[("2.2", Conduct)],
        "Refuses the eleventh read under the grants of one subject.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let reads = matches!(Route::parse(&call.method, &call.path), Some(Route::Resource { .. }));
                let Some(grant) = grants::named(tx, call)?.filter(|_| reads) else {
                    return Ok(identity::is_admitted(tx, peer));
                };
                Ok(identity::is_admitted(tx, peer) && reads_of_subject(tx, &grant)? < 10)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "honours-thirty-reads-of-a-subject",
        &[("2.2", Conduct)],
        "Refuses the thirty-first read under the grants of one subject.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let reads = matches!(Route::parse(&call.method, &call.path), Some(Route::Resource { .. }));
                let Some(grant) = grants::named(tx, call)?.filter(|_| reads) else {
                    return Ok(identity::is_admitted(tx, peer));
                };
                Ok(identity::is_admitted(tx, peer) && reads_of_subject(tx, &grant)? < 30)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "admits-first-of-an-allowlist-only",
        &[("2.2", Conduct)],
        "Admits the first instance or network that a grant names, and none after it.",
        |policy| {
            policy.grants.list_admits = |list, given| grants::list_admits(&list[..list.len().min(1)], given);
        },
    )
    .hard_to_reach(),
];

/// Defects in what one event does to other grants, or to all.
pub(in crate::defects) const OTHER_GRANTS: &[Patch] = &[
    Patch::defect(
        "replaces-row-on-second-proposal",
        &[("2.1", Conduct), ("5.1", Conduct), ("11.3", Conduct)],
        "Keeps one row for an instance: a second proposal deletes the row of the active peer, with its grants and its audit.",
        |policy| {
            policy.peering.on_proposal = |tx, proposed| {
                for peer in earlier_rows(tx, proposed)? {
                    for entry in table::of_peer::<AuditEntry>(tx.db, &peer.id)? {
                        table::remove::<AuditEntry>(tx.db, &entry.id)?;
                    }
                    for grant in table::of_peer::<Grant>(tx.db, &peer.id)? {
                        table::remove::<Grant>(tx.db, &grant.id)?;
                    }
                    table::remove::<Peer>(tx.db, &peer.id)?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "resets-row-on-second-proposal",
        &[("2.1", Conduct), ("A.1", Conduct)],
        "Puts the row of an active peer back to `proposed`, without what it agreed to, on a second proposal to its instance.",
        |policy| {
            policy.peering.on_proposal = |tx, proposed| {
                for peer in earlier_rows(tx, proposed)? {
                    table::put(tx.db, &Peer { id: peer.id, inbound_subject: peer.inbound_subject, ..proposed.clone() })?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-grants-on-second-proposal",
        &[("2.1", Conduct)],
        "Lets the grants of an active peer expire on a second proposal to its instance.",
        |policy| {
            policy.peering.on_proposal = |tx, proposed| {
                for peer in earlier_rows(tx, proposed)? {
                    for mut grant in table::of_peer::<Grant>(tx.db, &peer.id)? {
                        grant.expires_at = grant.expires_at.min(tx.now);
                        table::put(tx.db, &grant)?;
                    }
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "narrows-scopes-to-those-of-a-later-grant",
        &[("2.2", Conduct)],
        "Takes scopes from a grant when its subject gets a narrower one for the same kind.",
        |policy| {
            policy.peering.on_grant = |tx, later| {
                let has = |grant: &Grant, scope: &String| grant.permission_scopes.contains(scope);
                for mut grant in others_of_subject(tx, later)? {
                    if later.permission_scopes.iter().all(|scope| has(&grant, scope)) {
                        grant.permission_scopes.retain(|scope| has(later, scope));
                        table::put(tx.db, &grant)?;
                    }
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "narrows-records-to-that-of-a-later-grant",
        &[("2.1", Conduct), ("2.2", Conduct)],
        "Narrows a grant for every record of a kind when its subject gets one for a single record of it.",
        |policy| {
            policy.peering.on_grant = |tx, later| {
                for mut grant in others_of_subject(tx, later)? {
                    grant.resource_id = grant.resource_id.or_else(|| later.resource_id.clone());
                    table::put(tx.db, &grant)?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "expires-grants-of-a-subject-together",
        &[("2.1", Conduct), ("2.2", Conduct)],
        "Lets each grant of a subject for a kind expire when one of them is revoked.",
        |policy| {
            policy.peering.on_grant_end = |tx, ended| {
                for mut grant in others_of_subject(tx, ended)? {
                    grant.expires_at = grant.expires_at.min(tx.now);
                    table::put(tx.db, &grant)?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-grants-of-a-subject-at-every-peer",
        &[("2.1", Conduct)],
        "Ends the grants of other peers for the same subject and kind when it ends one, as a deletion without the peer does.",
        |policy| {
            policy.peering.on_grant_end = |tx, ended| {
                let is_for_same = |grant: &Grant| {
                    grant.remote_subject == ended.remote_subject && grant.resource_kind == ended.resource_kind
                };
                for mut grant in table::all::<Grant>(tx.db)?.into_iter().filter(is_for_same) {
                    if grant.peer_id != ended.peer_id {
                        grant.expires_at = grant.expires_at.min(tx.now);
                        table::put(tx.db, &grant)?;
                    }
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-grants-of-all-peers-with-one-peering",
        &[("2.1", Conduct)],
        "Revokes the grants of every peer when it ends the peering with one, as an update without the peer does.",
        |policy| policy.peering.grants_of_ended = |tx, _| table::all(tx.db),
    )
    .hard_to_reach(),
    Patch::defect(
        "drops-grants-at-an-upgrade",
        &[("2.1", Conduct)],
        "Drops the grants that a release issued when its operator sets another one of the same major version.",
        |policy| {
            policy.peering.on_release = |tx, before, after| {
                let mut grants: Vec<Grant> = table::all(tx.db)?;
                grants.retain(|_| before.split('.').next() == after.split('.').next());
                grants.iter().try_for_each(|grant| table::remove::<Grant>(tx.db, &grant.id).map(drop))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "drops-grants-of-a-kind-declared-again",
        &[("2.1", Conduct)],
        "Removes the grants for a kind when its operator declares the kind again, in place of the row that they belong to.",
        |policy| {
            policy.capabilities.on_replacement = |tx, replaced| {
                let grants: Vec<Grant> = table::all(tx.db)?;
                let of_kind = grants.iter().filter(|grant| grant.resource_kind == replaced.resource_kind);
                of_kind.map(|grant| table::remove::<Grant>(tx.db, &grant.id)).try_for_each(|it| it.map(drop))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "revives-revoked-grants-at-readmission",
        &[("2.2", Conduct)],
        "Gives the grants of an ended peering to the new peering of the same instance, those that its operator had revoked before too.",
        |policy| {
            policy.peering.on_proposal = |tx, proposed| {
                let mut ended = earlier_rows(tx, proposed)?;
                ended.retain(|peer| peer.status == PeerStatus::Revoked);
                for peer in ended {
                    let grants: Vec<Grant> = table::of_peer(tx.db, &peer.id)?;
                    let grants = grants.into_iter().map(|grant| Grant { peer_id: proposed.id.clone(), ..grant });
                    revive(tx, grants.collect())?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "forgets-grants-at-a-restart",
        &[("2.1", Conduct)],
        "Forgets each grant when it restarts.",
        |policy| {
            policy.peering.on_start = |tx| {
                let grants: Vec<Grant> = table::all(tx.db)?;
                grants.iter().try_for_each(|grant| table::remove::<Grant>(tx.db, &grant.id).map(drop))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "revives-revoked-grants-at-a-restart",
        &[("2.2", Conduct)],
        "Honours the grants that its operator revoked again after a restart.",
        |policy| policy.peering.on_start = |tx| revive(tx, table::all(tx.db)?),
    )
    .hard_to_reach(),
    Patch::defect(
        "revives-revoked-grants-at-a-resume",
        &[("2.2", Conduct)],
        "Honours the grants that its operator revoked again once their peer is suspended and resumed.",
        |policy| policy.peering.on_resume = |tx, peer| revive(tx, table::of_peer(tx.db, &peer.id)?),
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-grants-at-a-resume",
        &[("2.1", Conduct)],
        "Revokes the grants of a peer that is suspended and resumed, without an operator and without a word.",
        |policy| {
            policy.peering.on_resume = |tx, peer| {
                for mut grant in table::of_peer::<Grant>(tx.db, &peer.id)? {
                    grant.revoked_at = grant.revoked_at.or(Some(tx.now));
                    table::put(tx.db, &grant)?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "sends-notices-to-the-first-address",
        &[("2.3", Conduct), ("4.1", Conduct), ("4.2", Conduct)],
        "Sends notices to the address at which it proposed, also after the peer named another one to which it sends heartbeats.",
        |policy| policy.outbound.override_notified = |peer| peer.endpoints = serde_json::Value::Null,
    )
    .hard_to_reach(),
];

/// Defects in the detection of broken grants.
pub(in crate::defects) const HELD_GRANTS: &[Patch] = &[
    Patch::defect(
        "overlooks-broken-grants",
        &[("2.1", Detection), ("2.2", Detection), ("2.3", Detection)],
        "Ignores the refusal of a grant before the grant's end.",
        |policy| policy.outbound.breaks_grant = |_, _, _, _| false,
    ),
    Patch::defect(
        "overlooks-dropped-scopes",
        &[("2.2", Detection)],
        "Treats a refusal for a missing scope as valid, whatever the grant states.",
        |policy| {
            policy.outbound.breaks_grant = |grant, _, now, called| {
                let ended = grant.revoked_at.is_some() || grant.expires_at.is_some_and(|end| now >= end);
                called.status == Some(401) && !ended && !called.error().to_lowercase().contains("expired")
            };
        },
    ),
    Patch::defect(
        "overlooks-grant-rejected-with-401",
        &[("2.1", Detection), ("2.3", Detection)],
        "Treats a 401 for a held grant as its own mistake.",
        |policy| {
            policy.outbound.breaks_grant = |grant, scope, now, called| {
                called.status != Some(401) && outbound::breaks_grant(grant, scope, now, called)
            }
        },
    ),
    Patch::defect(
        "reports-rejection-of-expired-grant",
        &[("2.1", Detection)],
        "Treats the refusal of an expired grant as a breach.",
        |policy| {
            policy.outbound.breaks_grant =
                |grant, _, _, called| grant.revoked_at.is_none() && matches!(called.status, Some(401 | 403));
        },
    ),
    Patch::defect(
        "ignores-rejection-on-grants-last-day",
        &[("2.1", Detection)],
        "Ignores the refusal of a grant on the grant's last day.",
        |policy| {
            policy.outbound.breaks_grant = |grant, scope, now, called| {
                let tomorrow = now + SignedDuration::from_hours(24);
                outbound::breaks_grant(grant, scope, tomorrow, called)
            };
        },
    ),
    Patch::defect(
        "ends-all-held-grants-at-one-revocation",
        &[("2.1", Detection)],
        "Takes the notice that one grant is revoked as the end of each grant of that peer.",
        |policy| policy.notices.ends_grant = |_, _| true,
    )
    .hard_to_reach(),
];

fn had_expired_at_last_round(grant: &Grant, now: Timestamp) -> bool {
    const MINUTE: i64 = 60;
    const SECOND: i64 = 30;
    let last_round = (now.as_second() - SECOND).div_euclid(MINUTE) * MINUTE + SECOND;
    last_round >= grant.expires_at.as_second()
}

fn allows_without_old_migrate(grant: &Grant, scope: Scope, now: Timestamp) -> bool {
    let old = now.duration_since(grant.issued_at) >= SignedDuration::from_hours(24);
    let forgotten = old && scope == Scope::Migrate && grant.permission_scopes.len() > 1;
    !forgotten && grants::allows(grant, scope, now)
}

/// Returns the number of reads that a peer made under its grants of the subject of this one.
fn reads_of_subject(tx: &Transaction<'_>, grant: &Grant) -> Result<usize, StoreError> {
    let is_read = |entry: &&AuditEntry| {
        entry.remote_subject == grant.remote_subject && entry.action == "federation.resources"
    };
    Ok(table::of_peer::<AuditEntry>(tx.db, &grant.peer_id)?.iter().filter(is_read).count())
}

/// Returns the other grants of the same peer, subject and kind.
fn others_of_subject(tx: &Transaction<'_>, grant: &Grant) -> Result<Vec<Grant>, StoreError> {
    let mut others: Vec<Grant> = table::of_peer(tx.db, &grant.peer_id)?;
    others.retain(|other| {
        let is_for_same =
            other.remote_subject == grant.remote_subject && other.resource_kind == grant.resource_kind;
        is_for_same && other.id != grant.id
    });
    Ok(others)
}

/// Undoes the revocation of each grant that ended before its peer did.
fn revive(tx: &Transaction<'_>, grants: Vec<Grant>) -> Result<(), StoreError> {
    for mut grant in grants.into_iter().filter(|grant| !grant.revoked_with_peer) {
        grant.revoked_at = None;
        table::put(tx.db, &grant)?;
    }
    Ok(())
}

fn covers_id_on_first_day(grant: &Grant, id: &str, now: Timestamp) -> bool {
    let old = now.duration_since(grant.issued_at) >= SignedDuration::from_hours(24);
    let narrowed = old && grant.resource_id.is_none();
    !narrowed && grants::covers_id(grant, id, now)
}

/// Returns the rows of the instance to which a row proposes, without that row.
fn earlier_rows(tx: &Transaction<'_>, proposed: &Peer) -> Result<Vec<Peer>, StoreError> {
    let mut peers: Vec<Peer> = table::all(tx.db)?;
    peers.retain(|peer| peer.remote_instance_url == proposed.remote_instance_url && peer.id != proposed.id);
    Ok(peers)
}

"""The routes: identification of the caller, the response, and the audit entry."""

import re
from urllib.parse import parse_qs

from .basics import Refusal, parse_rfc3339, uuid7

PREFIX = "/api/v1/system/federation_api"
# Peers with one of these statuses are admitted.
REACHABLE = ("enrolled", "active", "degraded")
EXCERPT_DAYS, EXCERPT_LIMIT, EXCERPT_LIMIT_MAX = 90, 1000, 5000


class Call:
    """One request. `peer` is set once the caller is identified."""

    def __init__(self, method, path, query, body, headers, address, name, der, was_reachable):
        self.method, self.path, self.body, self.headers = method, path, body, headers
        self.query = {key: values[0] for key, values in parse_qs(query).items()}
        self.address, self.name, self.der = address, name, der
        self.peer = None
        self.remote_subject = name
        self.was_reachable = was_reachable


def respond(platform, call):
    """Returns status and body of the response. Raises a refusal."""
    action, handler, arguments = find_route(call)
    if handler is accept:  # There is no certificate yet.
        return accept(platform, call)
    call.peer = identify(platform, call)
    status = 500
    try:
        require_reachable(platform, call, action)
        if handler is None:
            raise Refusal(404, "no such route", "NOT_FOUND")
        status, body = handler(platform, call, *arguments)
        return status, body
    except Refusal as refusal:
        status = refusal.status
        if status in (401, 403, 404, 422) and call.peer["status"] in REACHABLE:
            count_refusal(platform, call, action)
        raise
    finally:
        platform.audit(call.peer["id"], call.remote_subject, action, direction="inbound", status=status, path=call.path)


def find_route(call):
    if call.path.startswith(PREFIX):
        path = call.path[len(PREFIX):]
        for method, pattern, action, handler in ROUTES:
            match = re.fullmatch(pattern, path, re.ASCII)
            if match and method == call.method:
                return action, handler, match.groups()
    if call.der is None:
        raise Refusal(404, "no such route", "NOT_FOUND")
    return "unknown_route", None, ()


def identify(platform, call):
    """Returns the peer of a client certificate. Its name is the assigned one, and the anchor of the peer issued it."""
    if call.der is None:
        raise Refusal(401, "mTLS client certificate required", "UNAUTHORIZED")
    prefix, _, peer_id = (call.name or "").partition(":")
    peer = platform.store.one("peer", peer_id) if prefix == "fed" else None
    if peer is None or not peer.get("anchor_pem"):
        raise Refusal(401, "No reachable FederationPeer for mTLS subject", "UNAUTHORIZED")
    if not platform.authority.issued_by(peer["anchor_pem"], call.der):
        raise Refusal(401, "Client certificate not issued by this peer's CA", "UNAUTHORIZED")
    return peer


def is_reachable(platform, name):
    """Returns whether a peer may call now, by the name in its certificate."""
    prefix, _, peer_id = (name or "").partition(":")
    peer = platform.store.one("peer", peer_id) if prefix == "fed" else None
    return peer is not None and peer["status"] in REACHABLE


def require_reachable(platform, call, action):
    """A revoked peer may finish what was open within the grace, and a suspended one may leave."""
    peer = call.peer
    if peer["status"] in REACHABLE:
        return
    was_open = action == "migration.commit" or action == "migration" and call.was_reachable
    if peer["status"] == "revoked" and was_open and platform.since(peer["grace_until"]) < 0:
        return
    if peer["status"] == "suspended" and action == "heartbeat" and leaves(call.body):
        return
    raise Refusal(401, "No reachable FederationPeer for mTLS subject", "UNAUTHORIZED")


def leaves(body):
    events = body.get("events") if isinstance(body.get("events"), list) else []
    return body.get("status") == "revoked" or any(
        isinstance(event, dict) and event.get("kind") == "platform.peer.revoked" for event in events)


def count_refusal(platform, call, action):
    """Counts a refusal towards enumeration, except on routes where a valid call may be refused."""
    if action not in ("heartbeat", "migration.commit", "sync"):
        platform.governance.record_refusal(call.peer["id"], f"{call.method} {call.path}")


# -- handlers: (platform, call, *path parts) → status, body ---------------------------------------


def accept(platform, call):
    return 200, success(platform.handshake.accept(call.body, call.address))


def heartbeat(platform, call):
    peer_id = call.peer["id"]
    platform.server.limits.require(peer_id, peer_id)
    platform.handshake.update(peer_id, call.body)
    compatibility = platform.governance.check_heartbeat(peer_id, call.body)
    now = platform.stamp()
    platform.store.update("peer", peer_id, heard_at=now)
    if platform.peer(peer_id)["status"] in ("enrolled", "degraded"):
        platform.set_status(peer_id, "active")
    platform.notices.receive(peer_id, call.body)
    return 200, success({
        "status": platform.peer(peer_id)["status"], "last_heartbeat_at": now,
        "our_endpoints": platform.server.endpoints(), "schema_compatibility": compatibility,
        **platform.disclosure(peer_id),
    })


def trust_bundle(platform, call):
    return 200, success({"ca_bundle_pem": platform.authority.pem, "generated_at": platform.stamp()})


def resource(platform, call, kind, id):
    grant = platform.grants.bearer(call)
    platform.grants.require(call, grant, "read", kind, id)
    if platform.capabilities.ours(call.peer["id"], kind) is None:
        raise Refusal(422, "this kind is not served here", "VALIDATION_ERROR")
    record = platform.capabilities.visible(call.peer["id"], kind, id)
    data = {
        "kind": kind, "id": id, "exists": record is not None, "account_id": platform.account_id,
        "grant_id": grant["grant_id"], "fetched_at": platform.stamp(),
    }
    return 200, success({**data, "record": record} if record else data)


def migrate(platform, call):
    grant = platform.grants.bearer(call)
    return platform.migrations.receive(call, grant)


def migration(platform, call, id):
    return 200, {"data": platform.migrations.show_to_source(call.peer["id"], id)}


def commit(platform, call, id):
    return platform.migrations.commit(call.peer["id"], id)


def sync(platform, call):
    return 200, success(platform.sync.receive(call.peer, call.body))


def audit_excerpts(platform, call):
    """Returns the entries about the caller alone (5.4)."""
    if platform.peer(call.peer["id"])["status"] != "active":
        raise Refusal(403, "the peer is not active", "FORBIDDEN")
    until = parse_rfc3339(call.query.get("until", "").replace(" ", "+")) or platform.now()
    since = parse_rfc3339(call.query.get("since", "").replace(" ", "+"))
    since = since or parse_rfc3339(platform.stamp(-EXCERPT_DAYS * 86400))
    if until <= since:
        raise Refusal(422, "until must be after since", "VALIDATION_ERROR")
    limit = call.query.get("limit", "")
    limit = min(int(limit), EXCERPT_LIMIT_MAX) if limit.isdigit() and len(limit) < 9 else EXCERPT_LIMIT
    entries = platform.audit_entries(call.peer["id"])
    entries = [entry for entry in entries if since <= parse_rfc3339(entry["emitted_at"]) < until][:limit]
    window = {"since": platform.stamp((since - platform.now()).total_seconds()),
              "until": platform.stamp((until - platform.now()).total_seconds())}
    return 200, success({"peer_id": call.peer["id"], "window": window, "events": entries, "shipments": [],
                         "count": len(entries), "request_id": uuid7()})


def service_catalog(platform, call):
    return 200, {"data": {"offerings": [], "generated_at": platform.stamp()}}


def subscription(platform, call, *_):
    raise Refusal(404, "there is no such offering", "NOT_FOUND")


def success(data):
    return {"success": True, "data": data}


ID = r"([A-Za-z0-9-]+)"
ROUTES = (
    ("POST", "/accept", "accept", accept),
    ("POST", "/heartbeat", "heartbeat", heartbeat),
    ("GET", "/trust_bundle", "trust_bundle", trust_bundle),
    ("GET", "/resources/([a-z_]+)/" + ID, "resource.read", resource),
    ("POST", "/migrations", "migration", migrate),
    ("GET", "/migrations/" + ID, "migration.show", migration),
    ("POST", "/migrations/" + ID + "/commit", "migration.commit", commit),
    ("POST", "/sync", "sync", sync),
    ("GET", "/audit_excerpts", "audit_excerpts", audit_excerpts),
    ("GET", "/service_catalog", "service_catalog", service_catalog),
    ("POST", "/subscriptions", "subscription", subscription),
    ("DELETE", "/subscriptions/" + ID, "subscription", subscription),
)

"""Grants that the platform issued (commitment 2), and grants of peers that it holds."""

import hashlib
import hmac
import os
import secrets
from datetime import timedelta
from ipaddress import ip_address, ip_network

from .basics import OperatorError, Refusal, as_list, is_text, parse_rfc3339, rfc3339, uuid7

SCOPES = {"read", "write", "admin", "migrate"}
DAYS_DEFAULT, DAYS_MIN, DAYS_MAX = 30, 7, 365


class Grants:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store
        self._key = os.urandom(32)

    def issue(self, peer_id, remote_subject, resource_kind, resource_id=None, permission_scopes=("read",),
              ttl_days=DAYS_DEFAULT, node_instance_ids=(), sdwan_network_ids=(), source_cidrs=()):
        if self.platform.peer(peer_id)["status"] == "revoked":
            raise OperatorError("the peer is revoked")
        if not set(permission_scopes) <= SCOPES or not is_text(remote_subject):
            raise OperatorError("scopes are read, write, admin, migrate; a remote_subject is needed", -32602)
        grant = {
            "grant_id": uuid7(), "peer_id": peer_id, "remote_subject": remote_subject,
            "resource_kind": resource_kind, "resource_id": resource_id,
            "permission_scopes": list(permission_scopes), "source_cidrs": list(source_cidrs or ()),
            "node_instance_ids": list(node_instance_ids or ()),
            "sdwan_network_ids": list(sdwan_network_ids or ()),
            "expires_at": rfc3339(self.platform.now() + timedelta(days=min(max(ttl_days, DAYS_MIN), DAYS_MAX))),
            "revoked_at": None,
        }
        self.store.put("grant", grant["grant_id"], grant)
        return {**grant, "bearer_token": self._token(grant["grant_id"])}

    def revoke(self, grant_id, reason=None):
        """Revokes a grant and notifies the peer (2.3), now or as soon as it can be reached."""
        grant = self.store.one("grant", grant_id)
        if grant is None or grant["revoked_at"]:
            raise OperatorError("there is no such grant, or it is revoked", -32004)
        self.store.update("grant", grant_id, revoked_at=self.platform.stamp())
        self.platform.notices.deliver(grant["peer_id"], "platform.grant.revoked", "medium", {
            "grant_id": grant_id, "reason": reason or "revoked by the operator",
            "effective_at": self.platform.stamp(),
        })

    def list(self, peer_id=None):
        return self.store.all("grant", **({"peer_id": peer_id} if peer_id else {}))

    # -- calls under a grant ----------------------------------------------------------------------

    def bearer(self, call):
        """Returns the grant of a call. The checks have the order of wire.md §4."""
        token = call.headers.get("authorization", "")
        if not token.lower().startswith("bearer "):
            raise unauthorized("Bearer grant token required")
        grant = self._resolve(token[7:].strip())
        if grant is None:
            raise unauthorized("Grant token does not resolve")
        if grant["peer_id"] != call.peer["id"]:
            raise unauthorized("Grant belongs to a different federation peer")
        call.remote_subject = grant["remote_subject"]
        self.require_valid(grant)
        return grant

    def require_valid(self, grant):
        if self.platform.since(grant["expires_at"]) >= 0:
            raise unauthorized("Grant has expired")
        if grant["revoked_at"]:
            raise unauthorized("Grant has been revoked")

    def require(self, call, grant, scope, kind, id):
        """Requires that the grant covers the kind, the record, the scope and the caller."""
        if grant["resource_kind"] != kind:
            raise forbidden("Grant is for another resource kind")
        if grant["resource_id"] not in (None, id):
            raise forbidden("Grant is for another resource")
        if not {scope, "admin"} & set(grant["permission_scopes"]):
            raise forbidden(f"Grant lacks the scope {scope}")
        for header, member in (("x-calling-instance", "node_instance_ids"), ("x-sdwan-network", "sdwan_network_ids")):
            if unlisted(call.headers.get(header), grant[member]):
                raise forbidden(f"Grant does not allow this {header}")
        if "x-sdwan-network" in call.headers:
            raise forbidden("No active network bridge for that network")
        if grant["source_cidrs"] and not address_in(call.address, grant["source_cidrs"]):
            raise forbidden("Grant does not allow this source address")

    def _resolve(self, token):
        parts = token.split(".")
        if len(parts) != 3 or not secrets.compare_digest(token.encode(), self._token(parts[1]).encode()):
            return None
        return self.store.one("grant", parts[1])

    def _token(self, grant_id):
        return f"fgs.{grant_id}.{hmac.new(self._key, grant_id.encode(), hashlib.sha256).hexdigest()}"

    # -- grants of peers --------------------------------------------------------------------------

    def hold(self, peer_id, grant_id, bearer_token, resource_kind, permission_scopes, expires_at=None,
             resource_id=None):
        self.platform.peer(peer_id)
        self.store.put("held", grant_id, {
            "peer_id": peer_id, "grant_id": grant_id, "bearer_token": bearer_token,
            "resource_kind": resource_kind, "resource_id": resource_id,
            "permission_scopes": as_list(permission_scopes), "expires_at": expires_at, "revoked": False,
        })

    def held(self, peer_id, kind, id, scope):
        """Returns a valid grant of the peer that covers a call of the platform, or None."""
        return next((grant for grant in self.store.all("held", peer_id=peer_id, resource_kind=kind, revoked=False)
                     if grant["resource_id"] in (None, id) and {scope, "admin"} & set(grant["permission_scopes"])
                     and self.is_valid(grant)), None)

    def held_by_token(self, peer_id, token):
        return next(iter(self.store.all("held", peer_id=peer_id, bearer_token=token)), None)

    def is_valid(self, held):
        ends = parse_rfc3339(held["expires_at"])
        return not held["revoked"] and (ends is None or self.platform.now() < ends)


def unlisted(value, allowed):
    return bool(allowed) and "*" not in allowed and value not in allowed


def address_in(address, ranges):
    try:
        return any(ip_address(address) in ip_network(range, strict=False) for range in ranges)
    except ValueError:
        return False


def unauthorized(text):
    return Refusal(401, text, "UNAUTHORIZED")


def forbidden(text):
    return Refusal(403, text, "FORBIDDEN")

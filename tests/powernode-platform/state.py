"""The state of a platform, and what its operator can do with it."""

import copy
import hashlib
import secrets
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import cached_property

from federation.authority import Authority
from federation.basics import OperatorError, is_text, uuid7

from allowlists import require_allowlists

RELEASE = "0.3.1"
REACHABLE = ("enrolled", "active", "degraded")
STALE_SECONDS = 300
TOKEN_DAYS = 7
GRANT_DAYS, GRANT_DAYS_MIN, GRANT_DAYS_MAX = 30, 7, 365
# The columns of a peer that its operator does not see.
HIDDEN = ("token_digest", "token_expires_at", "anchor_pem", "call_as")
SCOPES = ("read", "write", "admin", "migrate")
# The columns of a table of records. A member without a column is an error.
COLUMNS = ("id", "account_id", "name", "metadata", "created_at", "updated_at")
# One offering that states a capacity. The platform does not count its subscriptions.
OFFERING = {
    "slug": "git", "name": "git", "description_markdown": "Git **hosting**", "protocol": "https", "backend_port": 8443,
    "capacity_metadata": {"max_subscribers": 1}, "latency_metadata": {"p50_ms": 5},
    "subscription_terms_markdown": "be nice", "default_grant_ttl_days": 30, "default_grant_scopes": ["read", "write"],
    "status": "active", "accepting_new_subscriptions": True,
}


class SaveFailed(Exception):
    """A record that the database, or the model before it, refuses."""


class Platform:
    def __init__(self, generation, subject="fed:{}", refuses_outside_window=False):
        self.generation, self.subject, self.refuses_outside_window = generation, subject, refuses_outside_window
        self.lock = threading.RLock()
        self.takes_urls_again, self.was_refused = True, False
        self.running = False
        self.secret = secrets.token_bytes(32)
        self.clear()

    def clear(self):
        """Begins again. The authority stays, because it is made by a slow program."""
        self.account_id = uuid7()
        self.offering = {"id": uuid7(), **OFFERING}
        self.tables = {name: {} for name in ("peer", "certificate", "grant", "capability", "migration")}
        self.events = []
        # The kinds of `federation_inventory.yaml`, and the records of each.
        self.records = {}

    @cached_property
    def authority(self):
        """The authority that signs for peers. No platform of G1 needs one."""
        return Authority()

    def subject_of(self, peer_id):
        """Returns the CN by which the platform knows a peer."""
        return self.subject.format(peer_id)

    @contextmanager
    def transaction(self):
        """Undoes every change of a record if the block fails."""
        with self.lock:
            before = copy.deepcopy(self.records)
            try:
                yield
            except BaseException:
                self.records = before
                raise

    def row(self, table, id):
        row = self.tables[table].get(id)
        if row is None:
            raise OperatorError(f"there is no {table} {id}", -32004)
        return row

    # -- peers ------------------------------------------------------------------------------------

    def propose(self, url, spawn_role="symmetric", spawn_mode="out_of_band", token_ttl_seconds=TOKEN_DAYS * 86400):
        """Proposes a peer, and binds the certificate to it under which its proxy will know it."""
        self.was_refused = not self.takes_urls_again and not self.was_refused
        if self.was_refused:
            raise OperatorError("Validation failed: Remote instance url has already been taken", -32000)
        token, id = secrets.token_urlsafe(32), uuid7()
        self.tables["peer"][id] = {
            "id": id, "status": "proposed", "peer_kind": "platform", "remote_instance_url": url,
            "spawn_role": spawn_role, "spawn_mode": spawn_mode, "token_digest": digest(token),
            "token_expires_at": now() + timedelta(seconds=token_ttl_seconds), "capabilities": {}, "endpoints": [],
            "extension_slugs": [], "sync_cursor": {}, "platform_version": None, "data_residency": None,
            "contract_version_agreed": None, "accepted_at": None, "handshake_at": None, "last_heartbeat_at": None,
            "anchor_pem": None, "call_as": None,
        }
        certificate = {"id": uuid7(), "subject": f"federation-peer-{id}", "peer_id": id, "revoked": False}
        self.tables["certificate"][certificate["id"]] = certificate
        return {"peer_id": id, "acceptance_token": token}

    def certificate(self, name):
        return next((row for row in self.tables["certificate"].values() if name in (row["id"], row["subject"])), None)

    def set_status(self, id, status):
        peer = self.row("peer", id)
        if peer["status"] == "revoked":
            raise OperatorError("the peer is revoked already")
        if status == "suspended" and peer["status"] == "proposed":
            raise OperatorError("Transition from proposed to suspended is not permitted")
        self.move(peer, status)

    def move(self, peer, status):
        """Sets the status of a peer. Later generations log each change."""
        before, peer["status"] = peer["status"], status
        if before != status and self.generation.logs_peers:
            self.emit(f"federation.peer.{status}", "federation_peer", federation_peer_id=peer["id"],
                      previous_status=before)

    # -- grants -----------------------------------------------------------------------------------

    def issue(self, peer_id, remote_subject, resource_kind, resource_id=None, permission_scopes=("read",),
              ttl_days=GRANT_DAYS, node_instance_ids=(), sdwan_network_ids=(), source_cidrs=()):
        self.row("peer", peer_id)
        lists = {"node_instance_ids": node_instance_ids, "sdwan_network_ids": sdwan_network_ids,
                 "source_cidrs": source_cidrs}
        require_allowlists(self.generation, lists)
        if not set(permission_scopes) <= set(SCOPES):
            raise OperatorError("Permission scopes is not included in the list", -32602)
        key = (peer_id, remote_subject, resource_kind, resource_id)
        if any(key == unique_key(grant) for grant in self.tables["grant"].values()):
            raise OperatorError("duplicate key value violates unique constraint: the same subject, kind and id")
        grant = {
            "id": uuid7(), "federation_peer_id": peer_id, "remote_subject": remote_subject,
            "resource_kind": resource_kind, "resource_id": resource_id, "permission_scopes": list(permission_scopes),
            **{axis: list(entries or ()) for axis, entries in lists.items()}, "revoked_at": None,
            "expires_at": stamp(now() + timedelta(days=min(max(ttl_days, GRANT_DAYS_MIN), GRANT_DAYS_MAX))),
        }
        self.tables["grant"][grant["id"]] = grant
        return grant

    def revoke_grant(self, id):
        grant = self.row("grant", id)
        if grant["revoked_at"]:
            raise OperatorError("the grant is revoked already")
        grant["revoked_at"] = stamp()

    # -- records ----------------------------------------------------------------------------------

    def save(self, kind, id, payload):
        """Stores a record. Raises what the model answers about an invalid one."""
        unknown = next((name for name in payload if name not in COLUMNS), None)
        if unknown is not None:
            raise SaveFailed(f"unknown attribute '{unknown}' for System::{kind.title().replace('_', '')}.")
        problems = []
        if not is_text(payload.get("account_id")):
            problems.append("Account must exist")
        if not is_text(payload.get("name")):
            problems.append("Name can't be blank")
        if problems:
            raise SaveFailed(f"save failed for {kind}:{id}: " + "; ".join(problems))
        table, name = self.records[kind], payload["name"]
        if any(record["name"] == name and record["id"] != id for record in table.values()):
            raise SaveFailed(
                f'PG::UniqueViolation: ERROR:  duplicate key value violates unique constraint "idx_system_{kind}s_'
                f'account_name"\nDETAIL:  Key (account_id, name)=({self.account_id}, {name}) already exists.\n')
        created = table.get(id, {}).get("created_at", stamp())
        table[id] = {
            "metadata": {}, **payload, "id": id, "account_id": self.account_id, "created_at": created,
            "updated_at": stamp(),
        }

    # -- events and findings ----------------------------------------------------------------------

    def emit(self, kind, source, **payload):
        self.events.append({
            "id": uuid7(), "kind": kind, "severity": "low", "emitted_at": stamp(), "correlation_id": None,
            "source": source, "payload": payload,
        })

    def compatibility(self, theirs):
        """The version rule, with the leniency of the recordings: a part without digits counts as 0."""
        parts = [version_parts(version) for version in (RELEASE, theirs)]
        if theirs is None:
            status, notes = "incompatible", "remote peer didn't report a platform_version"
        elif None in parts:
            status, notes = "incompatible", f'unparseable version (local="{RELEASE}", remote="{theirs}")'
        elif parts[0][0] == parts[1][0] and abs(parts[0][1] - parts[1][1]) <= 1:
            delta = abs(parts[0][1] - parts[1][1])
            status, notes = "compatible", f"implicit N-1 rule: same major + minor delta {delta}"
        else:
            about = f"(local={RELEASE}, remote={theirs})"
            status, notes = "incompatible", f"no compatibility row; major-mismatch or minor delta > 1 {about}"
        return {"status": status, "source": "implicit", "local_version": RELEASE, "remote_version": theirs,
                "notes": notes}

    def scan(self):
        """Returns the findings of the observed kinds. They are computed for each scan, and none is stored."""
        peers = [peer for peer in self.tables["peer"].values() if peer["status"] in REACHABLE]
        return [finding for peer in peers for finding in self.findings_about(peer)]

    def findings_about(self, peer):
        found = []

        def find(kind, severity, message):
            payload = {"status": peer["status"]} if self.generation.logs_peers else {}
            found.append({"kind": kind, "severity": severity, "federation_peer_id": peer["id"], "message": message,
                          "payload": payload})

        if peer["extension_slugs"] and not peer["capabilities"]:
            find("peer_capability_drift", "medium", "extensions without capabilities")
        heard = peer["last_heartbeat_at"]
        if heard is None or (now() - heard).total_seconds() > STALE_SECONDS:
            find("peer_heartbeat_stale", "medium", f"last heartbeat: {stamp(heard) if heard else 'never'}")
        if peer["platform_version"] is None:
            find("peer_schema_version_missing", "low", "no platform_version reported")
        elif self.compatibility(peer["platform_version"])["status"] != "compatible":
            find("peer_schema_version_drift", "medium", f"version {peer['platform_version']}")
        if peer["data_residency"] is None:
            find("peer_residency_missing", "low", "no data residency")
        return found


def shown(peer):
    """Returns the members of a peer that its operator may see."""
    heard = peer["last_heartbeat_at"]
    visible = {name: value for name, value in peer.items() if name not in HIDDEN}
    return {**visible, "peer_id": peer["id"], "last_heartbeat_at": heard and stamp(heard)}


def unique_key(grant):
    return tuple(grant[name] for name in ("federation_peer_id", "remote_subject", "resource_kind", "resource_id"))


def version_parts(version):
    """Returns major and minor as Ruby's `to_i` reads them, or None without a second part."""
    parts = str(version).split(".")
    while parts and not parts[-1]:
        parts.pop()
    return (to_i(parts[0]), to_i(parts[1])) if len(parts) >= 2 else None


def to_i(text):
    """Returns the leading integer of a text, or 0."""
    text = str(text).strip()
    digits = text[1:] if text[:1] in ("+", "-") else text
    count = next((i for i, character in enumerate(digits) if character not in "0123456789"), len(digits))
    value = int(digits[:count] or 0)
    return -value if text[:1] == "-" else value


def digest(token):
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def now():
    return datetime.now(timezone.utc)


def stamp(instant=None):
    return (instant or now()).strftime("%Y-%m-%dT%H:%M:%SZ")

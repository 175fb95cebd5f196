"""What we say that we serve (commitment 3), and the records themselves."""

import re

from .basics import OperatorError, as_list, as_object

INWARD = ("pull_remote_to_local", "bidirectional")
OUTWARD = ("push_local_to_remote", "bidirectional")
DIRECTIONS = {*INWARD, *OUTWARD, "migration_only"}
# What a destination writes itself.
LOCAL_MEMBERS = ("account_id", "created_at", "updated_at")


class Capabilities:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store

    def declare(self, resource_kind, schema_version=1, direction="bidirectional", policy="manual",
                filter=None, peer_id=None):
        if not re.fullmatch(r"[a-z_]+", str(resource_kind)) or direction not in DIRECTIONS:
            raise OperatorError("a kind is [a-z_]+, and a direction one of four", -32602)
        row = {"kind": resource_kind, "schema_version": schema_version, "direction": direction, "policy": policy}
        if filter:
            row["filter"] = filter
        self.store.put("capability", f"{peer_id}/{resource_kind}", {"peer_id": peer_id, "row": row})
        return row

    def document(self, peer_id=None):
        """What one peer is told; a row of its own comes before the general one."""
        rows = {}
        for capability in self.store.all("capability", peer_id=None):
            rows[capability["row"]["kind"]] = capability["row"]
        for capability in self.store.all("capability", peer_id=peer_id):
            rows[capability["row"]["kind"]] = capability["row"]
        return {"resource_kinds": list(rows.values())}

    def ours(self, peer_id, kind):
        """Our row of a kind as the peer knows it."""
        return row_of(self.document(peer_id), kind)

    # -- records ----------------------------------------------------------------------------------

    def put(self, kind, id, record, **origin):
        """Writes a record. `rev` orders the changes, for streams."""
        kept = {"kind": kind, "id": id, "record": {**record, "id": id}, **origin}
        with self.store.transaction():
            counter = self.store.one("counter", "rev") or {"value": 0}
            kept["rev"] = counter["value"] + 1
            kept["updated_at"] = self.platform.stamp()
            self.store.put("counter", "rev", {"value": kept["rev"]})
            self.store.put("resource", f"{kind}/{id}", kept)

    def get(self, kind, id):
        return self.store.one("resource", f"{kind}/{id}")

    def of_kind(self, kind=None):
        return self.store.all("resource", **({"kind": kind} if kind else {}))

    def visible(self, peer_id, kind, id):
        """The record as the peer may see it: outside our declared filter there is none (3.3)."""
        row, kept = self.ours(peer_id, kind), self.get(kind, id)
        return kept["record"] if row and kept and passes(row.get("filter"), kept["record"]) else None

    def remove(self, kind, id):
        self.store.delete("resource", f"{kind}/{id}")


def row_of(document, kind):
    rows = [as_object(row) for row in as_list(as_object(document).get("resource_kinds"))]
    return next((row for row in rows if row.get("kind") == kind), None)


def passes(filter, record):
    """Every key must match; an array means any of."""
    for key, wanted in as_object(filter).items():
        if record.get(key) not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def same_schema(ours, theirs):
    """Same major and minor at most one apart; what is not said is not held against anyone."""
    if theirs is None or ours is None:
        return True
    parts = [re.fullmatch(r"(\d+)(?:\.(\d+))?(?:\.\d+)?", str(version)) for version in (ours, theirs)]
    if not all(parts):
        return ours == theirs
    (major, minor), (other_major, other_minor) = ((int(p[1]), int(p[2] or 0)) for p in parts)
    return major == other_major and abs(minor - other_minor) <= 1

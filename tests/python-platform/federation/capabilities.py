"""The declared capabilities (commitment 3), and the records themselves."""

import re

from .basics import OperatorError, as_list, as_object

INWARD = ("pull_remote_to_local", "bidirectional")
OUTWARD = ("push_local_to_remote", "bidirectional")
DIRECTIONS = {*INWARD, *OUTWARD, "migration_only"}
# The members that a destination sets itself.
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
        """Returns the capability document for a peer. A row for that peer overrides the general row."""
        rows = {}
        for capability in self.store.all("capability", peer_id=None):
            rows[capability["row"]["kind"]] = capability["row"]
        for capability in self.store.all("capability", peer_id=peer_id):
            rows[capability["row"]["kind"]] = capability["row"]
        return {"resource_kinds": list(rows.values())}

    def ours(self, peer_id, kind):
        """Returns the row of a kind that was declared to the peer."""
        return row_of(self.document(peer_id), kind)

    # -- records ----------------------------------------------------------------------------------

    def put(self, kind, id, record, **origin):
        """Stores a record. `rev` orders the changes for sync."""
        row = {"kind": kind, "id": id, "record": {**record, "id": id}, **origin}
        with self.store.transaction():
            counter = self.store.one("counter", "rev") or {"value": 0}
            row["rev"] = counter["value"] + 1
            row["updated_at"] = self.platform.stamp()
            self.store.put("counter", "rev", {"value": row["rev"]})
            self.store.put("resource", f"{kind}/{id}", row)

    def get(self, kind, id):
        return self.store.one("resource", f"{kind}/{id}")

    def of_kind(self, kind=None):
        return self.store.all("resource", **({"kind": kind} if kind else {}))

    def visible(self, peer_id, kind, id):
        """Returns a record that the peer may see, or None outside the declared filter (3.3)."""
        declared, row = self.ours(peer_id, kind), self.get(kind, id)
        return row["record"] if declared and row and matches(declared.get("filter"), row["record"]) else None

    def remove(self, kind, id):
        self.store.delete("resource", f"{kind}/{id}")


def row_of(document, kind):
    rows = [as_object(row) for row in as_list(as_object(document).get("resource_kinds"))]
    return next((row for row in rows if row.get("kind") == kind), None)


def matches(filter, record):
    """Returns whether every key of the filter matches. An array means any of its values."""
    for key, wanted in as_object(filter).items():
        if record.get(key) not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def same_schema(ours, theirs):
    """Returns whether two schema versions are compatible: same major, minor at most one apart. An absent one is."""
    if theirs is None or ours is None:
        return True
    parts = [re.fullmatch(r"(\d+)(?:\.(\d+))?(?:\.\d+)?", str(version)) for version in (ours, theirs)]
    if not all(parts):
        return ours == theirs
    (major, minor), (other_major, other_minor) = ((int(p[1]), int(p[2] or 0)) for p in parts)
    return major == other_major and abs(minor - other_minor) <= 1

"""Sync of records in both directions (6.3). A batch is stored completely or not at all."""

import hashlib
import json

from .basics import OperatorError, Refusal, as_list, as_object, is_text
from .capabilities import INWARD, OUTWARD, matches, row_of


class Sync:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store

    # -- in ---------------------------------------------------------------------------------------

    def receive(self, peer, batch):
        kind, records = batch.get("resource_kind"), batch.get("records")
        cursor = as_object(batch.get("cursor"))
        if not is_text(kind) or not isinstance(records, list) or not {"from", "to"} <= cursor.keys():
            raise refused("not a batch")
        self._require_declared(peer, kind)
        self._require_intact(peer, kind, records, batch.get("sha256"))
        with self.store.transaction():
            id = f"{peer['id']}/{kind}"
            known = self.store.one("cursor_in", id)
            joins = known is None or known["to"] == cursor["from"]
            if joins:
                for record in records:
                    self.platform.capabilities.put(kind, record["id"], record["payload"], source_peer=peer["id"])
                self.store.put("cursor_in", id, {"to": cursor["to"]})
        if not joins:
            self._corrupt(peer, "the cursor does not join on")
            raise Refusal(409, "the cursor does not join on")
        return {"accepted": len(records), "cursor": cursor["to"]}

    def _require_declared(self, peer, kind):
        """Requires that the declared direction allows the batch, and that the versions are compatible (10.1)."""
        if self.platform.governance.frozen(peer):
            raise refused("sync is frozen: the versions do not go together")
        row = self.platform.capabilities.ours(peer["id"], kind)
        if row is None:
            self.platform.governance.record_refusal(peer["id"], f"sync {kind}")
            raise refused("this kind is not served here")
        if row["direction"] == "migration_only":
            message = f"{kind} migrates and does not sync"
            self.platform.governance.breach(7, "peer_sync_after_migration", peer["id"], message)
            raise refused(message)
        if row["direction"] not in INWARD:
            raise refused("this kind is not taken in")

    def _require_intact(self, peer, kind, records, sha256):
        well_formed = all(
            isinstance(record, dict) and is_text(record.get("id")) and isinstance(record.get("payload"), dict)
            for record in records
        )
        if not well_formed or len({record["id"] for record in records}) != len(records):
            self._corrupt(peer, "records are malformed or occur twice")
            raise refused("records are malformed or occur twice")
        if sha256 not in digests(records):
            self._corrupt(peer, "the digest does not fit the records")
            raise refused("the digest does not fit the records")
        theirs = row_of(peer.get("capabilities"), kind) or {}
        if not all(matches(theirs.get("filter"), record["payload"]) for record in records):
            self.platform.governance.breach(
                3, "peer_capability_drift", peer["id"], f"records of {kind} outside the declared filter", "filter")
            raise refused("a record lies outside the declared filter")

    def _corrupt(self, peer, message):
        self.platform.governance.breach(6, "peer_sync_corrupt", peer["id"], message)

    # -- out --------------------------------------------------------------------------------------

    def run(self, peer_id):
        """Sends the records that changed since the last sync, of the kinds that both sides declared."""
        peer = self.platform.peer(peer_id)
        if peer["status"] not in ("enrolled", "active", "degraded"):
            raise OperatorError("the peer is not in reach")
        if self.platform.governance.frozen(peer):
            return {"batches": [], "frozen": True}
        rows = self.platform.capabilities.document(peer_id)["resource_kinds"]
        theirs = peer.get("capabilities")
        agreed = [row for row in rows if row["direction"] in OUTWARD
                  and (row_of(theirs, row["kind"]) or {}).get("direction", "none") in INWARD]
        return {"batches": [sent for sent in (self._send(peer_id, row) for row in agreed) if sent]}

    def _send(self, peer_id, row):
        kind, id = row["kind"], f"{peer_id}/{row['kind']}"
        start = (self.store.one("cursor_out", id) or {"to": 0})["to"]
        # Records that came from the peer are not sent back to it.
        changed = [r for r in self.platform.capabilities.of_kind(kind)
                   if r["rev"] > start and r.get("source_peer") != peer_id and matches(row.get("filter"), r["record"])]
        if not changed:
            return None
        changed.sort(key=lambda r: r["rev"])
        records = [{"id": r["id"], "updated_at": r["updated_at"], "payload": r["record"]} for r in changed]
        end = changed[-1]["rev"]
        batch = {"resource_kind": kind, "cursor": {"from": str(start), "to": str(end)}, "records": records,
                 "sha256": digests(records)[0]}
        response = self.platform.client.call(peer_id, "POST", "/sync", "sync", batch)
        if response.succeeded:
            self.store.put("cursor_out", id, {"to": end})
        return {**batch, "status": response.status}


def digests(records):
    """Returns the SHA-256 of the canonical JSON, once with raw and once with escaped non-ASCII characters."""
    forms = (json.dumps(as_list(records), sort_keys=True, separators=(",", ":"), ensure_ascii=escaped)
             for escaped in (False, True))
    return [hashlib.sha256(form.encode("utf-8", "surrogatepass")).hexdigest() for form in forms]


def refused(text):
    return Refusal(422, text, "VALIDATION_ERROR")

#!/usr/bin/env python3
"""The adapter of a platform of generation G1: what its operator can do, and no method beyond it.

The platform answers as real platforms of May 2026 were recorded: no `/sync`, no `/trust_bundle`, no notice, no call of
its own, no grant that it holds, and findings of the observed kinds alone. It needs Python's standard library only.
"""

import json
import os
import sys

sys.dont_write_bytecode = True  # The tests run this in place and must leave no files behind.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python-platform"))

from adapter import LINE_BYTES_MAX, respond  # That of the Python platform.
from federation.basics import OperatorError

from plane import Plane
from platform_g1 import RELEASE, Platform, SaveFailed, shown


class Methods:
    """The methods of the operator plane. The method `peer.propose` is the function `peer_propose`."""

    def __init__(self, platform):
        self.platform = platform
        self.plane = None
        self.declared = []

    def names(self):
        functions = (name for name in dir(type(self)) if "_" in name and not name.startswith("_"))
        return sorted(["describe", *(name.replace("_", ".", 1) for name in functions)])

    def describe(self):
        return {
            "name": "g1-platform", "version": RELEASE, "protocol": 1, "contract_versions": [1], "verbs": self.names(),
            "identity": "forwarded", "generation": "G1", "settles_at_once": True,
        }

    def platform_start(self, release=None, settings=None):
        """Starts the plane. None of the settings exists here: G1 discloses nothing about itself."""
        self.plane = self.plane or Plane(self.platform)
        self.platform.running = True
        return {"base_url": self.plane.base_url}

    # -- peers and grants -------------------------------------------------------------------------

    def peer_propose(self, remote_instance_url, spawn_role="symmetric", spawn_mode="out_of_band", peer_kind="platform",
                     token_ttl_seconds=7 * 86400):
        return self.platform.propose(remote_instance_url, spawn_role, spawn_mode, token_ttl_seconds)

    def peer_show(self, peer_id):
        return {"peer": shown(self.platform.row("peer", peer_id))}

    def peer_list(self):
        return {"peers": [shown(peer) for peer in self.platform.tables["peer"].values()]}

    def peer_suspend(self, peer_id, reason=None):
        self.platform.set_status(peer_id, "suspended")

    def peer_revoke(self, peer_id, reason=None):
        self.platform.set_status(peer_id, "revoked")

    def grant_issue(self, remote_subject="covenant", **grant):
        issued = self.platform.issue(remote_subject=remote_subject, **grant)
        return {"grant_id": issued["id"], "bearer_token": f"fg-{issued['id']}", "expires_at": issued["expires_at"]}

    def grant_revoke(self, grant_id, peer_id=None, reason=None):
        self.platform.revoke_grant(grant_id)

    def grant_list(self, peer_id=None):
        grants = self.platform.tables["grant"].values()
        return {"grants": [grant for grant in grants if peer_id in (None, grant["federation_peer_id"])]}

    # -- capabilities and records -----------------------------------------------------------------

    def capability_declare(self, resource_kind, schema_version=1, direction="bidirectional", policy="manual",
                           **options):
        """Adds the kind to the inventory, and keeps the row. A row has no schema version in G1."""
        if direction not in ("push_local_to_remote", "pull_remote_to_local", "bidirectional", "migration_only"):
            raise OperatorError("Direction is not included in the list", -32602)
        self.platform.records.setdefault(resource_kind, {})
        row = {"resource_kind": resource_kind, "direction": direction, "policy": policy, **options}
        self.declared = [other for other in self.declared if key(other) != key(row)] + [row]

    def capability_list(self, peer_id=None):
        return {"capabilities": [row for row in self.declared if row.get("peer_id") in (None, peer_id)]}

    def resource_put(self, kind, id, record):
        if kind not in self.platform.records:
            raise OperatorError(f"there is no kind {kind}", -32602)
        try:
            self.platform.save(kind, id, {**record, "account_id": self.platform.account_id})
        except SaveFailed as failed:
            raise OperatorError(str(failed), -32602) from None

    def resource_get(self, kind, id):
        record = self.platform.records.get(kind, {}).get(id)
        return {"exists": record is not None, "record": record}

    def resource_list(self, kind=None):
        kinds = [kind] if kind else list(self.platform.records)
        records = ((name, record) for name in kinds for record in self.platform.records.get(name, {}).values())
        return {"resources": [{"kind": name, "id": record["id"], "record": record} for name, record in records]}

    def resource_delete(self, kind, id):
        if self.platform.records.get(kind, {}).pop(id, None) is None:
            raise OperatorError(f"there is no {kind} {id}", -32004)

    # -- what the operator reads ------------------------------------------------------------------

    def migration_show(self, migration_id):
        return self.platform.row("migration", migration_id)

    def migration_list(self):
        return {"migrations": list(self.platform.tables["migration"].values())}

    def event_list(self, since=None):
        return {"events": [event for event in self.platform.events if since is None or event["emitted_at"] >= since]}

    def governance_scan(self):
        return {"findings": self.platform.scan()}


def key(row):
    return row["resource_kind"], row.get("peer_id")


def main():
    methods = Methods(Platform())
    while line := sys.stdin.readline(LINE_BYTES_MAX):
        print(json.dumps(respond(methods, line)), flush=True)


if __name__ == "__main__":
    main()

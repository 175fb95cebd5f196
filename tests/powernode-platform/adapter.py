#!/usr/bin/env python3
"""The adapter of a platform that answers as a Powernode of one generation does: what its operator can do, no more.

There is no `/sync`, no notice, no heartbeat of its own, no grant that it holds, and there are findings of the observed
kinds alone. G1 (`--generation G1`, the default) answers as real platforms of May 2026 were recorded. G2 and G3 answer
as `docs/wire.md` describes them; they need the program `openssl`. `--tls` puts the proxy in front that ends TLS;
without it, the caller plays the proxy. `--trust FILE` holds the roots of its system, by which it verifies peers.
"""

import argparse
import json
import os
import sys

sys.dont_write_bytecode = True  # The tests run this in place and must leave no files behind.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python-platform"))

from adapter import LINE_BYTES_MAX, respond  # That of the Python platform.
from federation.basics import OperatorError

from allowlists import ANY, AXES
from client import Client
from generation import GENERATIONS
from grants import token_of
from plane import Plane
from state import RELEASE, Platform, SaveFailed, shown

# The methods that the surface of an older generation lacks, and one that is there for tests that share a process.
NEW_METHODS, RESET = ("event.list", "network.probe"), "platform.reset"


class Methods:
    """The methods of the operator plane. The method `peer.propose` is the function `peer_propose`."""

    def __init__(self, platform, ends_tls, trust, resets):
        self.platform, self.ends_tls, self.resets = platform, ends_tls, resets
        self.client = Client(platform, trust)
        self.plane = None
        self.declared = []

    def names(self):
        functions = (name for name in dir(type(self)) if "_" in name and not name.startswith("_"))
        names = sorted(["describe", *(name.replace("_", ".", 1) for name in functions)])
        lacking = () if self.platform.generation.has_new_surface else NEW_METHODS
        return [name for name in names if name not in lacking and (self.resets or name != RESET)]

    def describe(self):
        return {
            "name": "powernode-platform", "version": RELEASE, "protocol": 1, "contract_versions": [1],
            "verbs": self.names(), "identity": "tls" if self.ends_tls else "forwarded",
            "generation": self.platform.generation.name, "settles_at_once": True, "resets_completely": self.resets,
        }

    def platform_start(self, release=None, settings=None):
        """Starts the plane. None of the settings exists here: the platform discloses nothing about itself."""
        self.plane = self.plane or Plane(self.platform, self.ends_tls)
        self.platform.running = True
        authority = {"ca_bundle_pem": self.platform.authority.pem} if self.ends_tls else {}
        return {"base_url": self.plane.base_url, **authority}

    def platform_reset(self):
        self.platform.clear()
        self.declared = []

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
        if self.platform.generation.stars_allowlists:
            grant.update((axis, [ANY]) for axis in AXES if grant.get(axis) is None)
        issued = self.platform.issue(remote_subject=remote_subject, **grant)
        return {"grant_id": issued["id"], "bearer_token": token_of(self.platform, issued),
                "expires_at": issued["expires_at"]}

    def grant_revoke(self, grant_id, peer_id=None, reason=None):
        self.platform.revoke_grant(grant_id)

    def grant_list(self, peer_id=None):
        grants = self.platform.tables["grant"].values()
        return {"grants": [grant for grant in grants if peer_id in (None, grant["federation_peer_id"])]}

    # -- capabilities and records -----------------------------------------------------------------

    def capability_declare(self, resource_kind, schema_version=1, direction="bidirectional", policy="manual",
                           **options):
        """Adds the kind to the inventory, and keeps the row. A row has no schema version."""
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

    def network_probe(self, url, peer_id):
        """Reads the catalogue of a peer, as its operator can."""
        reached, detail = self.client.reaches(self.platform.row("peer", peer_id))
        return {"reached": reached, "detail": detail}


def key(row):
    return row["resource_kind"], row.get("peer_id")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--generation", choices=sorted(GENERATIONS), default="G1")
    parser.add_argument("--subject", default="fed:{}", help="the CN of a peer; `federation-peer-{}` of one revision")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--trust")
    parser.add_argument("--window", action="store_true", help="refuse the heartbeats of incompatible releases")
    parser.add_argument("--taken", action="store_true", help="refuse every other proposal, as of a URL that is taken")
    parser.add_argument("--resets", action="store_true", help="one process plays several scenarios")
    arguments = parser.parse_args()
    platform = Platform(GENERATIONS[arguments.generation], arguments.subject, arguments.window)
    platform.takes_urls_again = not arguments.taken
    methods = Methods(platform, arguments.tls, arguments.trust, arguments.resets)
    while line := sys.stdin.readline(LINE_BYTES_MAX):
        print(json.dumps(respond(methods, line)), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The adapter of the Python platform: JSON-RPC 2.0, one object a line, on standard input and output.

Try it: echo '{"jsonrpc":"2.0","id":1,"method":"describe"}' | python3 adapter.py
"""

import json
import sys

sys.dont_write_bytecode = True  # The tests run this in place and must leave no files behind.

from federation import contract
from federation.authority import OpensslMissing
from federation.basics import OperatorError, Refusal
from federation.platform import Platform

LINE_BYTES_MAX = 1024 * 1024


class Methods:
    """The methods of the operator plane. The method `peer.propose` is the function `peer_propose`."""

    def __init__(self, platform):
        self.platform = platform

    def names(self):
        functions = (name for name in dir(type(self)) if "_" in name and not name.startswith("_"))
        return sorted(["describe", *(name.replace("_", ".", 1) for name in functions)])

    def describe(self):
        return {
            "name": "python-platform", "version": "1.0.0", "protocol": 1, "contract_versions": [contract.VERSION],
            "verbs": self.names(), "identity": "tls", "generation": "G3", "resets_completely": True,
        }

    # -- the platform and its clock ---------------------------------------------------------------

    def platform_start(self, release=None, settings=None):
        return {"base_url": self.platform.start(settings, release), "ca_bundle_pem": self.platform.authority.pem}

    def platform_stop(self):
        self.platform.stop()

    def platform_reset(self):
        self.platform.reset()

    def clock_now(self):
        return {"now": self.platform.stamp()}

    def clock_advance(self, seconds):
        return {"now": self.platform.advance(seconds)}

    # -- peers ------------------------------------------------------------------------------------

    def peer_propose(self, remote_instance_url, **options):
        return self.platform.handshake.propose(remote_instance_url, **options)

    def peer_join(self, base_url, acceptance_token, ca_bundle_pem=None):
        return self.platform.handshake.join(base_url, acceptance_token, ca_bundle_pem)

    def peer_show(self, peer_id):
        return {"peer": visible_members(self.platform.peer(peer_id))}

    def peer_list(self):
        return {"peers": [visible_members(peer) for peer in self.platform.store.all("peer")]}

    def peer_suspend(self, peer_id, reason=None):
        self.platform.peer(peer_id)
        self.platform.suspend(peer_id, reason)

    def peer_resume(self, peer_id, reason=None):
        self.platform.resume(peer_id)

    def peer_revoke(self, peer_id, reason=None):
        self.platform.revoke(peer_id, reason or "revoked by the operator")

    # -- grants and capabilities ------------------------------------------------------------------

    def grant_issue(self, **grant):
        return self.platform.grants.issue(**grant)

    def grant_revoke(self, grant_id, peer_id=None, reason=None):
        self.platform.grants.revoke(grant_id, reason)

    def grant_list(self, peer_id=None):
        return {"grants": self.platform.grants.list(peer_id)}

    def grant_hold(self, **grant):
        self.platform.grants.hold(**grant)

    def resource_fetch(self, peer_id, kind, id):
        return self.platform.client.fetch(peer_id, kind, id)

    def capability_declare(self, **row):
        return self.platform.capabilities.declare(**row)

    def capability_list(self, peer_id=None):
        return {"capabilities": self.platform.capabilities.document(peer_id)["resource_kinds"]}

    # -- records, migrations, streams -------------------------------------------------------------

    def resource_put(self, kind, id, record):
        self.platform.capabilities.put(kind, id, record)

    def resource_get(self, kind, id):
        row = self.platform.capabilities.get(kind, id)
        return {"exists": row is not None, "record": row and row["record"]}

    def resource_list(self, kind=None):
        rows = self.platform.capabilities.of_kind(kind)
        return {"resources": [{"kind": row["kind"], "id": row["id"], "record": row["record"]} for row in rows]}

    def resource_delete(self, kind, id):
        self.platform.capabilities.remove(kind, id)

    def migration_send(self, **migration):
        return self.platform.migrations.send(**migration)

    def migration_show(self, migration_id):
        return self.platform.migrations.show(migration_id)

    def migration_list(self):
        return {"migrations": self.platform.store.all("migration")}

    def sync_run(self, peer_id):
        return self.platform.sync.run(peer_id)

    def heartbeat_send(self, peer_id):
        sent, response = self.platform.client.heartbeat(peer_id)
        return {"sent": sent, "status": response.status}

    # -- audit log, findings and declarations -----------------------------------------------------

    def audit_list(self, peer_id):
        return {"entries": self.platform.audit_entries(peer_id)}

    def audit_request(self, peer_id):
        return self.platform.client.request_excerpt(peer_id)

    def event_list(self, since=None):
        return {"events": [e for e in self.platform.store.all("event") if since is None or e["emitted_at"] >= since]}

    def governance_scan(self):
        return self.platform.governance.scan()

    def compromise_declare(self, kind, detected_at=None, summary=""):
        self.platform.notices.compromise(kind, detected_at, summary)

    def residency_set(self, residency):
        self.platform.notices.move_to(residency)

    def contract_list(self):
        return [{"version": contract.VERSION, "digest": contract.DIGEST, "effective_at": contract.EFFECTIVE_AT}]


def visible_members(peer):
    """Returns the members of a peer that its operator may see."""
    hidden = {"token_hash", "anchor_pem", "server_anchor_pem", "server_pin"}
    return {"peer_id": peer["id"], **{name: value for name, value in peer.items() if name not in hidden}}


def respond(methods, line):
    """Returns the response to one line."""
    try:
        request = json.loads(line)
        id, method, parameters = request.get("id"), request["method"], request.get("params") or {}
    except (ValueError, KeyError, AttributeError, RecursionError):
        return failure(None, -32700, "not a JSON-RPC request")
    if method not in methods.names():
        return failure(id, -32601, f"{method} is not supported")
    if not methods.platform.running and not method.startswith(("platform.", "clock.", "describe")):
        return failure(id, -32000, "the platform is not running")
    try:
        result = getattr(methods, method.replace(".", "_", 1))(**parameters)
    except (OperatorError, Refusal) as error:
        return failure(id, getattr(error, "code", -32009), str(error))
    except TypeError as error:
        return failure(id, -32602, str(error))
    return {"jsonrpc": "2.0", "id": id, "result": {} if result is None else result}


def failure(id, code, message):
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


def main():
    try:
        platform = Platform()
    except OpensslMissing as problem:
        sys.exit(f"adapter: {problem}")
    methods = Methods(platform)
    try:
        while line := sys.stdin.readline(LINE_BYTES_MAX):
            print(json.dumps(respond(methods, line)), flush=True)
    finally:
        platform.close()


if __name__ == "__main__":
    main()

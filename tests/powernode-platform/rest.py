#!/usr/bin/env python3
"""The REST surface of the platform of generation G1, beside its federation plane, on one port.

It has the calls of wire.md §7 that G1 has, and no other: no event list, no method of a clock, no route for records. A
grant is shown with its whole token, always, under `bearer_token_preview`; its revocation needs the peer. A log-in is
valid for fifteen minutes (`--token-calls N`: for N calls), and five an hour are allowed. An operator may let the
platform read the catalog of a peer, whose certificate has to verify (`--trust FILE`). With `--probe-after SECONDS` it
has no such route, and reads the catalog of each peer by itself that sends no heartbeat for so long.
"""

import argparse
import json
import os
import re
import secrets
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import timedelta

sys.dont_write_bytecode = True  # The tests run this in place and must leave no files behind.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python-platform"))

from federation.basics import OperatorError, Refusal

from plane import PREFIX, Endpoint, Plane, bare, refused
from platform_g1 import Platform, now, shown

SYSTEM = "/api/v1/system"
LOG_IN = "/api/v1/auth/login"
LOG_INS_MAX = 5
TOKEN_MINUTES = 15
EMAIL, PASSWORD = "operator@platform.example", "correct horse"
SECONDS_MAX = 10
PROBE_SECONDS = 0.2
# The kinds of `federation_inventory.yaml`, and a record that is there already.
KINDS = ("skill", "agent")
RECORD = "0190b2f0-0000-7000-8000-00000000c0de"


class Surface(Plane):
    def __init__(self, platform, trust, token_calls, probe_after):
        self.trust, self.token_calls, self.probe_after = trust, token_calls, probe_after
        self.tokens, self.log_ins = {}, []
        super().__init__(platform)
        self.RequestHandlerClass = RestEndpoint
        if probe_after is not None:
            threading.Thread(target=self.probe_silent_peers, daemon=True).start()

    def probe_silent_peers(self):
        while True:
            time.sleep(PROBE_SECONDS)
            with self.platform.lock:
                peers = [dict(peer) for peer in self.platform.tables["peer"].values()]
            for peer in peers:
                heard = peer["last_heartbeat_at"]
                is_silent = heard and (now() - heard).total_seconds() > self.probe_after
                if peer["status"] == "active" and is_silent:
                    try:
                        read_catalog(peer, self.trust)
                    except OSError:
                        pass  # The peer is gone.


class RestEndpoint(Endpoint):
    def _respond(self):
        path = self.path.split("?")[0]
        if path.startswith(PREFIX):
            return super()._respond()
        raw = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "").lower() else self._plain()
        try:
            self.members = json.loads(raw) if raw else {}
        except ValueError:
            raise refused(400, "Invalid JSON") from None
        self.platform = self.server.platform
        if (self.command, path) == ("POST", LOG_IN):
            return log_in(self)
        authenticate(self)
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(SYSTEM + pattern, path)
            is_there = handler is not catalog or self.server.probe_after is None
            if match and method == self.command and is_there:
                return answer(self, handler, match.groups())
        raise bare(404, "Not Found", status_member=404)


def answer(call, handler, arguments):
    try:
        return handler(call, *arguments)
    except OperatorError as error:
        raise refused(404 if "there is no" in str(error) else 422, str(error)) from None


def log_in(call):
    server = call.server
    hour_ago = now() - timedelta(hours=1)
    server.log_ins = [moment for moment in server.log_ins if moment > hour_ago] + [now()]
    if len(server.log_ins) > LOG_INS_MAX:
        raise Refusal(429, "Too many log-ins", None, {"Retry-After": "3600"})
    if (call.members.get("email"), call.members.get("password")) != (EMAIL, PASSWORD):
        raise refused(401, "Invalid email or password")
    token = secrets.token_urlsafe(24)
    server.tokens[token] = [now() + timedelta(minutes=TOKEN_MINUTES), server.token_calls]
    return success({"access_token": token})


def authenticate(call):
    token = call.headers.get("Authorization", "").removeprefix("Bearer ")
    life = call.server.tokens.get(token)
    if life is None or life[0] <= now() or life[1] == 0:
        raise refused(401, "Token expired")
    life[1] -= 1


def success(data, status=200):
    return status, {"success": True, "data": data}


# -- handlers: (call, *path parts) → status, body -------------------------------------------------


def propose(call):
    members = {name: call.members[name] for name in ("spawn_role", "spawn_mode", "token_ttl_seconds")
               if name in call.members}
    proposed = call.platform.propose(call.members["remote_instance_url"], **members)
    peer = shown(call.platform.row("peer", proposed["peer_id"]))
    return success({"peer": peer, "acceptance_token": proposed["acceptance_token"]}, 201)


def peers(call):
    return success({"peers": [shown(peer) for peer in call.platform.tables["peer"].values()]})


def peer(call, id):
    return success({"peer": shown(call.platform.row("peer", id))})


def revoke(call, id):
    if call.platform.row("peer", id)["status"] == "revoked":
        raise refused(409, "Peer already revoked")
    call.platform.set_status(id, "revoked")
    return peer(call, id)


def update(call, id):
    status = call.members.get("federation_peer", {}).get("status")
    if status != "suspended":
        raise refused(422, f"Transition to {status} is not permitted")
    call.platform.set_status(id, status)
    return success({"federation_peer": shown(call.platform.row("peer", id))})


def gated_peer(call, id):
    return success({"federation_peer": shown(call.platform.row("peer", id))})


def grants(call, id):
    of_peer = [grant for grant in call.platform.tables["grant"].values() if grant["federation_peer_id"] == id]
    return success({"grants": [with_token(grant) for grant in of_peer], "count": len(of_peer)})


def issue(call, id):
    members = {name: value for name, value in call.members.items() if value is not None}
    return success({"grant": with_token(call.platform.issue(peer_id=id, **members))}, 201)


def end_grant(call, id, grant_id):
    grant = call.platform.row("grant", grant_id)
    if grant["federation_peer_id"] != id:
        raise refused(404, "Grant not found")
    call.platform.revoke_grant(grant_id)
    return success({"grant": with_token(grant)})


def with_token(grant):
    return {**grant, "bearer_token_preview": f"fg-{grant['id']}"}


def capabilities(call, id):
    rows = [row for row in call.platform.tables["capability"].values() if row["federation_peer_id"] == id]
    return success({"capabilities": rows})


def declare(call, id):
    call.platform.row("peer", id)
    row = {**call.members, "id": secrets.token_hex(8), "federation_peer_id": id}
    call.platform.tables["capability"][row["id"]] = row
    return success({"capability": row}, 201)


def scan(call):
    findings = call.platform.scan()
    return success({"findings": findings, "finding_count": len(findings)})


def migrations(call):
    return success({"migrations": list(call.platform.tables["migration"].values())})


def migration(call, id):
    return success(call.platform.row("migration", id))


def read_catalog(peer, trust):
    """Reads the catalog of a peer, as the platform's own client does: from the first advertised endpoint."""
    endpoints = peer["endpoints"] or [{"url": peer["remote_instance_url"]}]
    request = urllib.request.Request(
        endpoints[0]["url"].rstrip("/") + PREFIX + "/service_catalog",
        headers={"Accept": "application/json",
                 "User-Agent": f"Powernode-FederationClient/1.0 (peer-id:{peer['id']})"})
    context = ssl.create_default_context(cafile=trust)
    with urllib.request.urlopen(request, timeout=SECONDS_MAX, context=context) as response:
        return json.load(response).get("data")


def catalog(call, id):
    try:
        return success({"catalog": read_catalog(call.platform.row("peer", id), call.server.trust), "peer_id": id})
    except urllib.error.HTTPError as error:
        raise refused(502, f"Remote peer returned error: {error.code}") from None
    except OSError as error:
        raise refused(503, f"Could not reach peer: {error}") from None


ID = "/([A-Za-z0-9-]+)"
ROUTES = (
    ("POST", "/platform/peers", propose),
    ("GET", "/platform/peers", peers),
    ("GET", f"/platform/peers{ID}", peer),
    ("POST", f"/platform/peers{ID}/revoke", revoke),
    ("GET", f"/platform/peers{ID}/grants", grants),
    ("POST", f"/platform/peers{ID}/grants", issue),
    ("POST", f"/platform/peers{ID}/grants{ID}/revoke", end_grant),
    ("GET", f"/platform/peers{ID}/capabilities", capabilities),
    ("POST", f"/platform/peers{ID}/capabilities", declare),
    ("PATCH", f"/sdwan/federation_peers{ID}", update),
    ("GET", f"/sdwan/federation_peers{ID}", gated_peer),
    ("GET", "/sdwan/federation_governance/scan", scan),
    ("GET", "/platform/migrations", migrations),
    ("GET", f"/platform/migrations{ID}", migration),
    ("GET", f"/federation/peers{ID}/catalog", catalog),
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trust")
    parser.add_argument("--token-calls", type=int, default=-1)
    parser.add_argument("--probe-after", type=float)
    arguments = parser.parse_args()
    platform = Platform()
    platform.running = True
    platform.records = {kind: {} for kind in KINDS}
    platform.save("skill", RECORD, {"name": "Weaving", "account_id": platform.account_id})
    surface = Surface(platform, arguments.trust, arguments.token_calls, arguments.probe_after)
    print(json.dumps({"url": surface.base_url, "record": RECORD}), flush=True)
    sys.stdin.read()  # The platform ends with whoever started it.


if __name__ == "__main__":
    main()

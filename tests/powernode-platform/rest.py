#!/usr/bin/env python3
"""The REST surface of the platform, beside its federation plane, on one port.

It has the calls of wire.md §7 and §9 that the generation has, and no other: no method of a clock, none for records.
G1 and G2 show a grant with its whole token, always, under `bearer_token_preview`; G3 shows `bearer_token`, at issuance
only, lists events, renews a log-in, and lets a suspension wait for approval. The revocation of a grant needs the peer.
A log-in is valid for fifteen minutes (`--token-calls N`: for N calls), and five an hour are allowed. An operator may
let the platform read the catalog of a peer, whose certificate has to verify (`--trust FILE`). With `--probe-after
SECONDS` it has no such route, and reads the catalog of each peer by itself that sends no heartbeat for so long.
"""

import argparse
import json
import os
import re
import secrets
import sys
import threading
import time
import urllib.error
from datetime import timedelta
from http.cookies import SimpleCookie

sys.dont_write_bytecode = True  # The tests run this in place and must leave no files behind.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python-platform"))

from federation.basics import OperatorError, Refusal

from answers import bare, refused, success
from client import Client
from generation import GENERATIONS
from grants import token_of
from plane import PREFIX, Endpoint, Plane
from state import Platform, now, shown

SYSTEM = "/api/v1/system"
LOG_IN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
LOG_INS_MAX = 5
TOKEN_MINUTES = 15
EMAIL, PASSWORD = "operator@platform.example", "correct horse"
EVENTS_MAX = 200
PROBE_SECONDS = 0.2
# The kinds of `federation_inventory.yaml`, and a record that is there already.
KINDS = ("skill", "agent")
RECORD = "0190b2f0-0000-7000-8000-00000000c0de"


class Surface(Plane):
    def __init__(self, platform, trust, token_calls, probe_after):
        self.client, self.token_calls, self.probe_after = Client(platform, trust), token_calls, probe_after
        self.tokens, self.log_ins, self.refresh_tokens, self.waiting = {}, [], set(), {}
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
                        self.client.catalog(peer)
                    except OSError:
                        pass  # The peer is gone.


class RestEndpoint(Endpoint):
    cookie = None

    def _write(self, status, body, headers):
        cookie, self.cookie = self.cookie, None
        super()._write(status, body, {**headers, "Set-Cookie": cookie} if cookie else headers)

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
        has_new_surface = self.platform.generation.has_new_surface
        if (self.command, path) == ("POST", REFRESH) and has_new_surface:
            return refresh(self)
        authenticate(self)
        for method, pattern, handler in (*ROUTES, *(NEW_ROUTES if has_new_surface else ())):
            match = re.fullmatch(pattern, path)
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
    return new_session(call)


def refresh(call):
    """Renews a log-in by the refresh token, which comes as a cookie or as a member, and is good for one use."""
    cookie = SimpleCookie(call.headers.get("Cookie", "")).get("refresh_token")
    token = cookie.value if cookie else call.members.get("refresh_token")
    if token not in call.server.refresh_tokens:
        raise refused(401, "Invalid or expired refresh token")
    call.server.refresh_tokens.discard(token)
    return new_session(call)


def new_session(call):
    server, token = call.server, secrets.token_urlsafe(24)
    server.tokens[token] = [now() + timedelta(minutes=TOKEN_MINUTES), server.token_calls]
    if call.platform.generation.has_new_surface:
        renewal = secrets.token_urlsafe(24)
        server.refresh_tokens.add(renewal)
        call.cookie = f"refresh_token={renewal}; path=/; HttpOnly; SameSite=Strict"
    return ok({"access_token": token})


def authenticate(call):
    token = call.headers.get("Authorization", "").removeprefix("Bearer ")
    life = call.server.tokens.get(token)
    if life is None or life[0] <= now() or life[1] == 0:
        raise refused(401, "Token expired")
    life[1] -= 1


def ok(data, status=200):
    return status, success(data)


# -- handlers: (call, *path parts) → status, body -------------------------------------------------


def propose(call):
    members = {name: call.members[name] for name in ("spawn_role", "spawn_mode", "token_ttl_seconds")
               if name in call.members}
    proposed = call.platform.propose(call.members["remote_instance_url"], **members)
    peer = shown(call.platform.row("peer", proposed["peer_id"]))
    return ok({"peer": peer, "acceptance_token": proposed["acceptance_token"]}, 201)


def peers(call):
    listed = call.platform.tables["peer"].values()
    if call.platform.generation.has_new_surface:
        listed = [peer for peer in listed if peer["spawn_role"] != "parent"]
    return ok({"peers": [ungated(call.platform, peer) for peer in listed]})


def peer(call, id):
    return ok({"peer": ungated(call.platform, call.platform.row("peer", id))})


def ungated(platform, peer):
    """Returns what the ungated routes show of a peer. Its residency is shown by the gated ones of G3."""
    members = shown(peer)
    if platform.generation.has_new_surface:
        del members["data_residency"]
    return members


def revoke(call, id):
    if call.platform.row("peer", id)["status"] == "revoked":
        raise refused(409, "Peer already revoked")
    call.platform.set_status(id, "revoked")
    return peer(call, id)


def update(call, id):
    status = call.members.get("federation_peer", {}).get("status")
    if status != "suspended":
        raise refused(422, f"Transition to {status} is not permitted")
    if call.platform.generation.has_new_surface:
        call.platform.row("peer", id)
        request = secrets.token_hex(8)
        call.server.waiting[request] = id
        return ok({"pending": True, "approval_request_id": request}, 202)
    call.platform.set_status(id, status)
    return ok({"federation_peer": shown(call.platform.row("peer", id))})


def approve(call, request):
    id = call.server.waiting.pop(request, None)
    if id is None:
        raise refused(404, "Approval request not found")
    call.platform.set_status(id, "suspended")
    return ok({"approval_request_id": request, "status": "approved"})


def gated_peer(call, id):
    return ok({"federation_peer": shown(call.platform.row("peer", id))})


def grants(call, id):
    of_peer = [grant for grant in call.platform.tables["grant"].values() if grant["federation_peer_id"] == id]
    listed = [with_token(call.platform, grant, is_new=False) for grant in of_peer]
    return ok({"grants": listed, "count": len(of_peer)})


def issue(call, id):
    members = {name: value for name, value in call.members.items() if value is not None}
    grant = call.platform.issue(peer_id=id, **members)
    return ok({"grant": with_token(call.platform, grant, is_new=True)}, 201)


def end_grant(call, id, grant_id):
    grant = call.platform.row("grant", grant_id)
    if grant["federation_peer_id"] != id:
        raise refused(404, "Grant not found")
    call.platform.revoke_grant(grant_id)
    return ok({"grant": with_token(call.platform, grant, is_new=False)})


def with_token(platform, grant, is_new):
    """Returns a grant with its token: always as a preview, or at issuance only where tokens are signed."""
    if not platform.generation.signs_tokens:
        return {**grant, "bearer_token_preview": token_of(platform, grant)}
    return {**grant, "bearer_token": token_of(platform, grant)} if is_new else grant


def capabilities(call, id):
    rows = [row for row in call.platform.tables["capability"].values() if row["federation_peer_id"] == id]
    return ok({"capabilities": rows})


def declare(call, id):
    call.platform.row("peer", id)
    row = {**call.members, "id": secrets.token_hex(8), "federation_peer_id": id}
    call.platform.tables["capability"][row["id"]] = row
    return ok({"capability": row}, 201)


def scan(call):
    findings = call.platform.scan()
    return ok({"findings": findings, "finding_count": len(findings)})


def migrations(call):
    return ok({"migrations": list(call.platform.tables["migration"].values())})


def migration(call, id):
    return ok(call.platform.row("migration", id))


def catalog(call, id):
    try:
        return ok({"catalog": call.server.client.catalog(call.platform.row("peer", id)), "peer_id": id})
    except urllib.error.HTTPError as error:
        raise refused(502, f"Remote peer returned error: {error.code}") from None
    except OSError as error:
        raise refused(503, f"Could not reach peer: {error}") from None


def signals(call):
    since, kind = call.members.get("since"), call.members.get("kind")
    events = [event for event in call.platform.events
              if (since is None or event["emitted_at"] >= since) and kind in (None, event["kind"])]
    limit = min(call.members.get("limit") or EVENTS_MAX, EVENTS_MAX)
    return ok({"events": events[-limit:]})


ID = "/([A-Za-z0-9-]+)"
ROUTES = (
    ("POST", SYSTEM + "/platform/peers", propose),
    ("GET", SYSTEM + "/platform/peers", peers),
    ("GET", SYSTEM + f"/platform/peers{ID}", peer),
    ("POST", SYSTEM + f"/platform/peers{ID}/revoke", revoke),
    ("GET", SYSTEM + f"/platform/peers{ID}/grants", grants),
    ("POST", SYSTEM + f"/platform/peers{ID}/grants", issue),
    ("POST", SYSTEM + f"/platform/peers{ID}/grants{ID}/revoke", end_grant),
    ("GET", SYSTEM + f"/platform/peers{ID}/capabilities", capabilities),
    ("POST", SYSTEM + f"/platform/peers{ID}/capabilities", declare),
    ("PATCH", SYSTEM + f"/sdwan/federation_peers{ID}", update),
    ("GET", SYSTEM + f"/sdwan/federation_peers{ID}", gated_peer),
    ("GET", SYSTEM + "/sdwan/federation_governance/scan", scan),
    ("GET", SYSTEM + "/platform/migrations", migrations),
    ("GET", SYSTEM + f"/platform/migrations{ID}", migration),
    ("GET", SYSTEM + f"/federation/peers{ID}/catalog", catalog),
)
NEW_ROUTES = (
    ("POST", SYSTEM + "/fleet/signals", signals),
    ("POST", f"/api/v1/ai/autonomy/approvals{ID}/approve", approve),
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trust")
    parser.add_argument("--token-calls", type=int, default=-1)
    parser.add_argument("--probe-after", type=float)
    parser.add_argument("--generation", choices=sorted(GENERATIONS), default="G1")
    arguments = parser.parse_args()
    platform = Platform(GENERATIONS[arguments.generation])
    platform.running = True
    platform.records = {kind: {} for kind in KINDS}
    platform.save("skill", RECORD, {"name": "Carding", "account_id": platform.account_id})
    surface = Surface(platform, arguments.trust, arguments.token_calls, arguments.probe_after)
    print(json.dumps({"url": surface.base_url, "record": RECORD}), flush=True)
    sys.stdin.read()  # The platform ends with whoever started it.


if __name__ == "__main__":
    main()

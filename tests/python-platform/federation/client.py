"""What the platform says to its peers, each call within limits of bytes and time."""

import hashlib
import http.client
import json
import ssl
from urllib.parse import urlsplit

from .basics import OperatorError, as_list, as_object, moment, uuid7

PREFIX = "/api/v1/system/federation_api"
SECONDS_MAX = 10
BYTES_MAX = 4 * 1024 * 1024
HEARTBEAT_SECONDS, HEARTBEAT_PAUSE_MAX = 60, 1800
EXCERPT_SECONDS = 72 * 3600


class Answer:
    """What a peer answered; status 0 where it did not."""

    def __init__(self, status, body=None, error=""):
        self.status = status
        self.body = as_object(body)
        self.data = as_object(self.body.get("data"))
        self.error = error or str(self.body.get("error", ""))[:200]

    @property
    def succeeded(self):
        return 200 <= self.status < 300


class Client:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store

    def call(self, peer_id, method, path, action, body=None, token=None):
        """One call, which is written down whatever becomes of it."""
        peer = self.platform.peer(peer_id)
        try:
            answer = self._exchange(peer, method, path, body, token)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            answer = Answer(0, error=f"{type(error).__name__}: {error}")
        subject = peer.get("call_as") or peer_id
        self.platform.audit(peer_id, subject, f"{action}.sent", direction="outbound", status=answer.status)
        return answer

    def _exchange(self, peer, method, path, body, token):
        base = urlsplit(address(peer))
        if base.scheme != "https" or not base.hostname:
            raise ValueError("the peer has no https address")
        headers = {
            "Accept": "application/json",
            "User-Agent": f"Powernode-FederationClient/1.0 (peer-id:{peer['id']})",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPSConnection(
            base.hostname, base.port or 443, timeout=SECONDS_MAX, context=self._context(peer)
        )
        try:
            connection.connect()
            self._pin(peer, connection.sock)
            text = None if body is None else json.dumps(body)
            connection.request(method, base.path.rstrip("/") + PREFIX + path, text, headers)
            response = connection.getresponse()
            content = response.read(BYTES_MAX + 1)
        finally:
            connection.close()
        if len(content) > BYTES_MAX:
            raise ValueError("the answer is too long")
        return Answer(response.status, json.loads(content) if content else None)

    def _context(self, peer):
        """The peer's own authority is trusted for the peer alone, so that host names say nothing more."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.set_alpn_protocols(["http/1.1"])
        if peer.get("server_anchor_pem"):
            context.load_verify_locations(cadata=peer["server_anchor_pem"])
        else:
            context.verify_mode = ssl.CERT_NONE
        if peer.get("call_as"):
            context.load_cert_chain(*self.platform.authority.leaf(peer["call_as"]))
        return context

    def _pin(self, peer, socket):
        """A server whose authority we were never told is trusted on first use, and then held to it."""
        if peer.get("server_anchor_pem"):
            return
        seen = hashlib.sha256(socket.getpeercert(binary_form=True)).hexdigest()
        if peer.get("server_pin", seen) != seen:
            raise ValueError("the server has another certificate than before")
        self.store.update("peer", peer["id"], server_pin=seen)

    # -- heartbeats -------------------------------------------------------------------------------

    def heartbeat(self, peer_id, status="active", events=()):
        """Says that we are there, what we are, and what there is to tell."""
        body = {
            "status": status, "events": list(events), "endpoints": self.platform.server.endpoints(),
            **self.platform.disclosure(peer_id),
        }
        self.store.update("peer", peer_id, sent_at=self.platform.stamp())
        answer = self.call(peer_id, "POST", "/heartbeat", "heartbeat", body)
        if answer.succeeded:
            self.store.update("peer", peer_id, heartbeat_pause=HEARTBEAT_SECONDS)
            self.platform.handshake.learn(peer_id, answer.data)
        else:
            self._not_answered(peer_id, answer)
        return body, answer

    def _not_answered(self, peer_id, answer):
        """The next try waits longer: a peer in trouble is not to be flooded (6.1)."""
        peer = self.platform.peer(peer_id)
        pause = min(2 * peer.get("heartbeat_pause", HEARTBEAT_SECONDS), HEARTBEAT_PAUSE_MAX)
        self.store.update("peer", peer_id, heartbeat_pause=pause)
        if answer.status in (401, 403) and peer["status"] in ("enrolled", "active", "degraded"):
            self.platform.governance.find("peer_revoked_silently", peer_id, "it refuses our calls and never said why")

    def heartbeat_if_due(self, peer_id):
        peer = self.platform.peer(peer_id)
        if self.platform.since(peer.get("sent_at") or peer["accepted_at"]) >= peer.get("heartbeat_pause", HEARTBEAT_SECONDS):
            self.heartbeat(peer_id)

    # -- resources --------------------------------------------------------------------------------

    def fetch(self, peer_id, kind, id):
        """Uses a grant that we hold. Its refusal before its end is a broken promise (2.1)."""
        held = self.platform.grants.held(peer_id, kind, id, "read")
        if held is None:
            raise OperatorError("no grant of that peer lets us read this", -32004)
        answer = self.call(peer_id, "GET", f"/resources/{kind}/{id}", "resource.read", token=held["bearer_token"])
        self.doubt_grant(held, answer)
        if answer.status in (404, 422):
            self.platform.governance.breach(
                3, "peer_capability_drift", peer_id, f"{kind} is declared or granted, and not served", kind)
        return {"status": answer.status, "data": answer.data, "error": answer.error}

    def doubt_grant(self, held, answer):
        """A call under a grant that the peer gave and did not take back is not to be refused (2.2, 2.3)."""
        if answer.status in (401, 403) and self.platform.grants.alive(self.store.one("held", held["grant_id"])):
            self.platform.governance.breach(
                2, "peer_grant_broken", held["peer_id"], "a grant is refused before its end", held["grant_id"])

    # -- excerpts of the peer's audit log ---------------------------------------------------------

    def request_excerpt(self, peer_id):
        request = {"id": uuid7(), "peer_id": peer_id, "asked_at": self.platform.stamp(), "request_id": None}
        return self._ask(request)

    def look_after_excerpts(self):
        for request in self.store.all("excerpt"):
            if self.platform.since(request["next_at"]) >= 0:
                self._ask(request)

    def _ask(self, request):
        peer_id = request["peer_id"]
        query = f"?request_id={request['request_id']}" if request["request_id"] else ""
        answer = self.call(peer_id, "GET", f"/audit_excerpts{query}", "audit_excerpts")
        if answer.status == 200:
            self.store.delete("excerpt", request["id"])
            return {"entries": as_list(answer.data.get("events"))}
        if self.platform.since(request["asked_at"]) > EXCERPT_SECONDS:
            self.store.delete("excerpt", request["id"])
            self.platform.governance.find("peer_audit_overdue", peer_id, "an excerpt is not there after 72 hours")
            return {"entries": []}
        due = moment(answer.data.get("due_at"))
        promised = str(answer.data.get("request_id") or "")
        if promised.replace("-", "").isalnum():
            request["request_id"] = promised
        left = EXCERPT_SECONDS - self.platform.since(request["asked_at"])
        wait = min(left, (due - self.platform.now()).total_seconds()) if due else left
        request["next_at"] = self.platform.stamp(wait if wait > 0 else left + 1)
        self.store.put("excerpt", request["id"], request)
        return {"entries": [], "request_id": request["request_id"], "due_at": answer.data.get("due_at")}


def address(peer):
    """The first advertised endpoint, else where the peer was proposed; without the prefix."""
    def priority(endpoint):
        value = endpoint.get("priority")
        return value if isinstance(value, (int, float)) else 0
    endpoints = [e for e in as_list(peer.get("endpoints")) if isinstance(e, dict) and isinstance(e.get("url"), str)]
    url = min(endpoints, key=priority)["url"] if endpoints else peer["remote_instance_url"]
    url = url.rstrip("/")
    return url[:-len(PREFIX)] if url.endswith(PREFIX) else url

"""The platform as a caller of its peers. Each call has limits of bytes and time."""

import hashlib
import http.client
import json
import ssl
from urllib.parse import urlsplit

from .basics import OperatorError, as_list, as_object, parse_rfc3339, uuid7

PREFIX = "/api/v1/system/federation_api"
SECONDS_MAX = 10
BYTES_MAX = 4 * 1024 * 1024
HEARTBEAT_SECONDS, HEARTBEAT_PAUSE_MAX = 60, 1800
EXCERPT_SECONDS = 72 * 3600


class Response:
    """The response of a peer. Status 0 means that there was none."""

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
        """Makes one call and audits it, also if it fails."""
        peer = self.platform.peer(peer_id)
        try:
            response = self._exchange(peer, method, path, body, token)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            response = Response(0, error=f"{type(error).__name__}: {error}")
        subject = peer.get("call_as") or peer_id
        self.platform.audit(peer_id, subject, f"{action}.sent", direction="outbound", status=response.status)
        return response

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
            received = connection.getresponse()
            content = received.read(BYTES_MAX + 1)
        finally:
            connection.close()
        if len(content) > BYTES_MAX:
            raise ValueError("the answer is too long")
        return Response(received.status, json.loads(content) if content else None)

    def _context(self, peer):
        """Trusts the authority of the peer for that peer alone, so host names are not checked."""
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
        """Pins the certificate of a server on first use, if its authority is not known."""
        if peer.get("server_anchor_pem"):
            return
        pin = hashlib.sha256(socket.getpeercert(binary_form=True)).hexdigest()
        if peer.get("server_pin", pin) != pin:
            raise ValueError("the server has another certificate than before")
        self.store.update("peer", peer["id"], server_pin=pin)

    # -- heartbeats -------------------------------------------------------------------------------

    def heartbeat(self, peer_id, status="active", events=()):
        """Sends a heartbeat with a status, events and the disclosure."""
        body = {
            "status": status, "events": list(events), "endpoints": self.platform.server.endpoints(),
            **self.platform.disclosure(peer_id),
        }
        self.store.update("peer", peer_id, sent_at=self.platform.stamp())
        response = self.call(peer_id, "POST", "/heartbeat", "heartbeat", body)
        if response.succeeded:
            self.store.update("peer", peer_id, heartbeat_pause=HEARTBEAT_SECONDS)
            self.platform.handshake.update(peer_id, response.data)
        else:
            self._heartbeat_failed(peer_id, response)
        return body, response

    def _heartbeat_failed(self, peer_id, response):
        """Doubles the pause before the next heartbeat, so that a peer in trouble is not flooded (6.1)."""
        peer = self.platform.peer(peer_id)
        pause = min(2 * peer.get("heartbeat_pause", HEARTBEAT_SECONDS), HEARTBEAT_PAUSE_MAX)
        self.store.update("peer", peer_id, heartbeat_pause=pause)
        if response.status in (401, 403) and peer["status"] in ("enrolled", "active", "degraded"):
            self.platform.governance.find("peer_revoked_silently", peer_id, "it refuses our calls and sent no notice")

    def heartbeat_if_due(self, peer_id):
        peer = self.platform.peer(peer_id)
        pause = peer.get("heartbeat_pause", HEARTBEAT_SECONDS)
        if self.platform.since(peer.get("sent_at") or peer["accepted_at"]) >= pause:
            self.heartbeat(peer_id)

    # -- resources --------------------------------------------------------------------------------

    def fetch(self, peer_id, kind, id):
        """Uses a held grant. A refusal before its end is a breach (2.1)."""
        held = self.platform.grants.held(peer_id, kind, id, "read")
        if held is None:
            raise OperatorError("no grant of that peer lets us read this", -32004)
        response = self.call(peer_id, "GET", f"/resources/{kind}/{id}", "resource.read", token=held["bearer_token"])
        self.check_grant_refusal(held, response)
        if response.status in (404, 422):
            self.platform.governance.breach(
                3, "peer_capability_drift", peer_id, f"{kind} is declared or granted, and not served", kind)
        return {"status": response.status, "data": response.data, "error": response.error}

    def check_grant_refusal(self, held, response):
        """Records a breach if the peer refuses a call under a grant that is still valid (2.2, 2.3)."""
        if response.status in (401, 403) and self.platform.grants.is_valid(self.store.one("held", held["grant_id"])):
            self.platform.governance.breach(
                2, "peer_grant_broken", held["peer_id"], "a grant is refused before its end", held["grant_id"])

    # -- excerpts of the peer's audit log ---------------------------------------------------------

    def request_excerpt(self, peer_id):
        request = {"id": uuid7(), "peer_id": peer_id, "asked_at": self.platform.stamp(), "request_id": None}
        return self._request(request)

    def request_due_excerpts(self):
        for request in self.store.all("excerpt"):
            if self.platform.since(request["next_at"]) >= 0:
                self._request(request)

    def _request(self, request):
        peer_id = request["peer_id"]
        query = f"?request_id={request['request_id']}" if request["request_id"] else ""
        response = self.call(peer_id, "GET", f"/audit_excerpts{query}", "audit_excerpts")
        if response.status == 200:
            self.store.delete("excerpt", request["id"])
            return {"entries": as_list(response.data.get("events"))}
        if self.platform.since(request["asked_at"]) > EXCERPT_SECONDS:
            self.store.delete("excerpt", request["id"])
            self.platform.governance.find("peer_audit_overdue", peer_id, "an excerpt is not there after 72 hours")
            return {"entries": []}
        due = parse_rfc3339(response.data.get("due_at"))
        promised = str(response.data.get("request_id") or "")
        if promised.replace("-", "").isalnum():
            request["request_id"] = promised
        remaining = EXCERPT_SECONDS - self.platform.since(request["asked_at"])
        wait = min(remaining, (due - self.platform.now()).total_seconds()) if due else remaining
        request["next_at"] = self.platform.stamp(wait if wait > 0 else remaining + 1)
        self.store.put("excerpt", request["id"], request)
        return {"entries": [], "request_id": request["request_id"], "due_at": response.data.get("due_at")}


def address(peer):
    """Returns the first advertised endpoint, or the proposed address if there is none, without the prefix."""
    def priority(endpoint):
        value = endpoint.get("priority")
        return value if isinstance(value, (int, float)) else 0
    endpoints = [e for e in as_list(peer.get("endpoints")) if isinstance(e, dict) and isinstance(e.get("url"), str)]
    url = min(endpoints, key=priority)["url"] if endpoints else peer["remote_instance_url"]
    url = url.rstrip("/")
    return url[:-len(PREFIX)] if url.endswith(PREFIX) else url

"""The federation plane: its routes, with the statuses, texts and order of checks of wire.md and the recordings."""

import json
import re
import socketserver
import threading
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from federation.basics import Refusal, parse_rfc3339
from federation.server import SECONDS_MAX, Handler

from answers import Crash, bare, refused, success
from callers import end_tls, forward, identify
from grants import require_grant
from handshake import accept, heartbeat
from migrations import migrate
from services import service_catalog, subscribe, unsubscribe
from state import now, stamp, to_i

PREFIX = "/api/v1/system/federation_api"
NESTING_MAX = 100
EXCERPT_DAYS, EXCERPT_LIMIT, EXCERPT_LIMIT_MAX = 90, 1000, 5000


class Plane(socketserver.ThreadingTCPServer):
    """The listener behind the proxy that ends TLS: plain HTTP, with the caller in a header. It may be the proxy."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, platform, ends_tls=False):
        self.platform, self.ends_tls = platform, ends_tls
        super().__init__(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def base_url(self):
        return "{}://{}:{}".format("https" if self.ends_tls else "http", *self.server_address[:2])

    def finish_request(self, request, client_address):
        """Does the TLS handshake on the thread of the connection, so that a slow caller blocks no other."""
        if not self.ends_tls:
            return super().finish_request(request, client_address)
        request.settimeout(SECONDS_MAX)
        try:
            with end_tls(self.platform, request) as connection:
                super().finish_request(connection, client_address)
        except (OSError, ValueError):
            pass  # The caller closed the connection, or the handshake failed.

    def handle_error(self, request, client_address):
        """Ignores the error: it concerns one connection alone."""


class Endpoint(Handler):
    server_version = "powernode-platform"
    do_HEAD = do_OPTIONS = Handler.do_GET

    def _respond(self):
        url = urlsplit(self.path)
        raw = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "").lower() else self._plain()
        platform = self.server.platform
        handler, arguments = find_route(platform.generation, self.command, url.path)
        if self.server.ends_tls:
            forward(self.headers, self.connection)
        try:
            call = Call(self, url.query, raw)
            if handler is not accept:
                call.peer = identify(call)
            with platform.lock:
                return handler(call, *arguments)
        except (Refusal, ConnectionError):
            raise
        except Exception as error:
            if not isinstance(error, Crash):
                self.log_error("%s", repr(error))
            raise Refusal(500, "Internal server error", "INTERNAL_ERROR") from None


class Call:
    """One request. The members of the body and of the query are in one object, as in Rails."""

    def __init__(self, endpoint, query, raw):
        self.platform, self.headers = endpoint.server.platform, endpoint.headers
        self.address = endpoint.client_address[0]
        self.members = {**dict(parse_qsl(query)), **body_members(self.headers.get_content_type(), raw)}
        self.peer = None


def body_members(content_type, raw):
    if not raw:
        return {}
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode("utf-8", "replace")))
    if content_type != "application/json":
        return {}
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise Crash("the body is not JSON") from None
    if is_deeper(content, NESTING_MAX):
        raise Crash("the body is nested too deep")
    return content if isinstance(content, dict) else {}


def is_deeper(content, levels):
    """Returns whether a value has more levels of arrays and objects than these."""
    level = [content]
    while level and levels >= 0:
        containers = [value for value in level if isinstance(value, (dict, list))]
        values = (each.values() if isinstance(each, dict) else each for each in containers)
        level, levels = [value for inner in values for value in inner], levels - 1
    return bool(level)


def find_route(generation, method, path):
    path = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
    path = path.removesuffix("/").removesuffix(".json")
    for route_method, pattern, handler in ROUTES:
        if handler is trust_bundle and not generation.has_certificates:
            continue
        match = re.fullmatch(pattern, path, re.ASCII)
        if match and route_method == ("GET" if method == "HEAD" else method):
            return handler, match.groups()
    raise bare(404, "Not Found", status_member=404)


# -- handlers: (call, *path parts) → status, body -------------------------------------------------


def resource(call, kind, id):
    grant = require_grant(call, "read", kind, id)
    if kind not in call.platform.records:
        raise bare(422, f'Resource kind "{kind}" is not declared in federation_inventory.yaml')
    return 200, success({
        "kind": kind, "id": id, "exists": id.lower() in call.platform.records[kind], "grant_id": grant["id"],
        "account_id": call.platform.account_id, "fetched_at": stamp(),
    })


def audit_excerpts(call):
    if call.peer["status"] != "active":
        raise refused(403, "Audit excerpts available only to peers in active status")
    until = parse_rfc3339(call.members.get("until", "")) or now()
    since = parse_rfc3339(call.members.get("since", "")) or until - timedelta(days=EXCERPT_DAYS)
    if until <= since:
        raise refused(422, "until must be after since")
    limit = to_i(call.members.get("limit", ""))
    limit = min(limit, EXCERPT_LIMIT_MAX) if limit > 0 else EXCERPT_LIMIT
    own = [event for event in call.platform.events if call.peer["id"] in peers_of(event)]
    # The stamps have whole seconds, and both ends count.
    own = [event for event in own if stamp(since) <= event["emitted_at"] <= stamp(until)][:limit]
    window = {"since": stamp(since), "until": stamp(until)}
    return 200, success({
        "peer_id": call.peer["id"], "window": window, "events": own, "shipments": [], "count": len(own),
    })


def peers_of(event):
    return event["payload"].get("federation_peer_id"), event["payload"].get("peer_id")


def trust_bundle(call):
    return 200, success({"ca_bundle_pem": call.platform.authority.pem, "generated_at": stamp()})


ID = r"([A-Za-z0-9-]+)"
ROUTES = (
    ("POST", "/accept", accept),
    ("POST", "/heartbeat", heartbeat),
    ("GET", "/trust_bundle", trust_bundle),
    ("GET", "/resources/([a-z_]+)/" + ID, resource),
    ("POST", "/migrations", migrate),
    ("GET", "/audit_excerpts", audit_excerpts),
    ("GET", "/service_catalog", service_catalog),
    ("POST", "/subscriptions", subscribe),
    ("DELETE", "/subscriptions/" + ID, unsubscribe),
)

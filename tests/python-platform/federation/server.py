"""TLS and HTTP. Each connection gets a new TLS context, so that a new authority is trusted at once."""

import json
import socketserver
import ssl
import sys
import threading
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from .authority import common_name
from .basics import Refusal
from .routes import Call, is_reachable, respond

BYTES_MAX = 2 * 1024 * 1024
SECONDS_MAX = 30
# The limit of accept and heartbeat calls of one peer in a sliding minute (6.1).
CALLS_MAX, WINDOW_SECONDS = 60, 60


class Server:
    """The listener. It keeps its port over a stop and a start."""

    def __init__(self, platform, host="127.0.0.1"):
        self.platform = platform
        self.limits = Limits(platform)
        self._address = (host, 0)
        self._listener = None

    @property
    def base_url(self):
        return "https://{}:{}".format(*self._address)

    def endpoints(self):
        return [{"url": self.base_url, "scope": "lan", "priority": 1}]

    def start(self):
        self._listener = Listener(self._address, self.platform)
        self._address = self._listener.server_address[:2]
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._listener.shutdown()
        self._listener.server_close()

    def require_authority(self, anchor_pem):
        """Refuses an invalid certificate, which would make every later handshake fail."""
        try:
            ssl.create_default_context(cadata=anchor_pem)
        except ssl.SSLError:
            text = "accept transition failed: the authority is no certificate"
            raise Refusal(422, text, "VALIDATION_ERROR") from None


class Limits:
    """The rate limit of accept and heartbeat calls for each caller."""

    def __init__(self, platform):
        self.platform = platform
        self._calls = defaultdict(deque)
        self._lock = threading.Lock()

    def require(self, caller, peer_id):
        now = self.platform.now()
        with self._lock:
            calls = self._calls[caller]
            while calls and (now - calls[0]).total_seconds() >= WINDOW_SECONDS:
                calls.popleft()
            if len(calls) < CALLS_MAX:
                calls.append(now)
                return
            wait = max(1, int(WINDOW_SECONDS - (now - calls[0]).total_seconds()) + 1)
        if peer_id:
            self.platform.governance.find("peer_handshake_flood", peer_id, "more than sixty calls in a minute")
        raise Refusal(429, "too many handshakes and heartbeats", "RATE_LIMITED", {"Retry-After": str(wait)})


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, platform):
        self.platform = platform
        super().__init__(address, Handler)

    def finish_request(self, request, client_address):
        """Does the TLS handshake on the thread of the connection, so that a slow caller blocks no other."""
        request.settimeout(SECONDS_MAX)
        try:
            with self._context().wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except (OSError, ValueError):
            pass  # The caller closed the connection, or the handshake failed.

    def _context(self):
        authority = self.platform.authority
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(*authority.leaf("localhost"))
        # A caller of accept has no certificate yet. The other routes require one.
        context.verify_mode = ssl.CERT_OPTIONAL
        anchors = {peer["anchor_pem"] for peer in self.platform.store.all("peer") if peer.get("anchor_pem")}
        context.load_verify_locations(cadata="\n".join([authority.pem, *sorted(anchors)]))
        return context

    def handle_error(self, request, client_address):
        """Ignores the error: it concerns one connection alone."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "python-platform", ""

    def do_GET(self):
        if not self.server.platform.running:
            self.close_connection = True  # Kept connections end when the platform stops.
            return
        try:
            (status, body), headers = self._respond(), {}
        except Refusal as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        except Exception as error:  # An invalid request must not end the connection without a response.
            self.log_error("%s", repr(error))
            status, body, headers = 500, {"success": False, "error": "internal error", "code": "INTERNAL_ERROR"}, {}
        self._write(status, body, headers)

    do_POST = do_DELETE = do_PUT = do_PATCH = do_GET

    def _respond(self):
        url = urlsplit(self.path)
        name, der = common_name(self.connection.getpeercert() or {}), self.connection.getpeercert(binary_form=True)
        # A migration is in flight from the time at which it begins to arrive (4.3).
        was_reachable = is_reachable(self.server.platform, name)
        content = self._content()
        call = Call(
            method=self.command, path=url.path, query=url.query, body=content, address=self.client_address[0],
            headers={name.lower(): value for name, value in self.headers.items()},
            name=name, der=der, was_reachable=was_reachable,
        )
        return respond(self.server.platform, call)

    def _content(self):
        raw = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "").lower() else self._plain()
        if not raw:
            return {}
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):
            raise Refusal(400, "the body is not JSON", "PARAMETER_MISSING") from None
        if not isinstance(content, dict):
            raise Refusal(400, "the body is not an object", "PARAMETER_MISSING")
        return content

    def _plain(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BYTES_MAX:
            self._too_long()
        return self.rfile.read(int(length))

    def _chunks(self):
        content = b""
        while True:
            size = self.rfile.readline(64).split(b";")[0].strip()
            try:
                size = int(size, 16)
            except ValueError:
                self._too_long()
            if size == 0:
                break
            if size < 0 or len(content) + size > BYTES_MAX:
                self._too_long()
            content += self.rfile.read(size)
            self.rfile.readline(8)
        while self.rfile.readline(1024).strip():
            pass
        return content

    def _too_long(self):
        """Ends the connection, because the rest of the request cannot be separated from the next one."""
        self.close_connection = True
        raise Refusal(413, "the body is too long, or has no stated length")

    def _write(self, status, body, headers):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *arguments):
        """Prints nothing: standard error is the log of the adapter, and calls are in the audit log."""

    def log_error(self, format, *arguments):
        print(format % arguments, file=sys.stderr)

"""The platform: its state, the acts of its operator, and its timers."""

import threading
from datetime import timedelta

from . import contract
from .authority import Authority
from .basics import Clock, OperatorError, is_text, parse_rfc3339, rfc3339, uuid7
from .capabilities import Capabilities
from .client import Client
from .governance import Governance
from .grants import Grants
from .handshake import Handshake
from .migrations import Migrations
from .notices import Notices
from .routes import REACHABLE
from .server import Server
from .store import Store
from .sync import Sync

# The time without a heartbeat after which a peer is degraded.
STALE_SECONDS = 300

DEFAULTS = {
    "operator_contact": "operator@python-platform.example",
    "jurisdiction": "FR",
    "residency": "eu-west",
    "release": "1.4.0",
    "last_known_good_release": "v1.3.2",
}


class Platform:
    """One platform, running or stopped. A stop keeps its data."""

    def __init__(self):
        self.clock = Clock()
        self.store = Store()
        self.authority = Authority()
        self.settings = dict(DEFAULTS)
        self.account_id = uuid7()
        self.server = Server(self)
        self.governance = Governance(self)
        self.capabilities = Capabilities(self)
        self.grants = Grants(self)
        self.migrations = Migrations(self)
        self.sync = Sync(self)
        self.handshake = Handshake(self)
        self.notices = Notices(self)
        self.client = Client(self)
        self._ticking = threading.Lock()
        self._stopped = threading.Event()
        self._timer = None

    # -- running ----------------------------------------------------------------------------------

    def start(self, settings=None, release=None):
        """Starts the server, on its previous port if it had one. Returns the base URL."""
        if self._timer is None:
            known = {k: v for k, v in (settings or {}).items() if k in DEFAULTS and is_text(v)}
            self.settings.update(known)
            if is_text(release):
                self.settings["release"] = release
            self.server.start()
            self._stopped.clear()
            self._timer = threading.Thread(target=self._tick_every_second, daemon=True)
            self._timer.start()
        return self.server.base_url

    def stop(self):
        if self._timer is not None:
            self._stopped.set()
            self._timer.join()
            self._timer = None
            self.server.stop()

    def reset(self):
        """Deletes everything but the address and the authority."""
        with self._ticking:
            self.store.clear()
            self.settings = dict(DEFAULTS)
            self.clock = Clock()

    def close(self):
        self.stop()
        self.authority.close()

    @property
    def running(self):
        return self._timer is not None

    # -- peers ------------------------------------------------------------------------------------

    def peer(self, peer_id):
        peer = self.store.one("peer", peer_id)
        if peer is None:
            raise OperatorError(f"there is no peer {peer_id}", -32004)
        return peer

    def peers(self, *states):
        return [peer for peer in self.store.all("peer") if peer["status"] in states]

    def set_status(self, peer_id, status):
        """Changes the status of a peer. `revoked` is final."""
        with self.store.transaction():
            if self.peer(peer_id)["status"] != "revoked":
                self.store.update("peer", peer_id, status=status)

    def suspend(self, peer_id, reason):
        self.set_status(peer_id, "suspended")
        self.emit("federation.peer.suspended", "high", peer_id, {"reason": reason})

    def resume(self, peer_id):
        """Ends a suspension and clears the breaches of the peer."""
        if self.peer(peer_id)["status"] != "suspended":
            raise OperatorError("the peer is not suspended")
        self.store.update("peer", peer_id, status="enrolled", heard_at=self.stamp(), breaches=[])

    def revoke(self, peer_id, reason):
        """Notifies the peer (4.1, 4.2), then ends the peering. Migrated records stay (11.2)."""
        peer = self.peer(peer_id)
        if peer["status"] == "revoked":
            raise OperatorError("the peer is revoked already")
        notice = self.notices.of_revocation(peer, reason)
        if peer["status"] != "proposed":
            self.notices.send(peer_id, notice)
        self.end(peer_id, reason, notice["payload"]["grace_until"])

    def end(self, peer_id, reason, grace_until):
        """Ends the peering, whichever side ended it."""
        self.set_status(peer_id, "revoked")
        self.store.update("peer", peer_id, revoked_at=self.stamp(), grace_until=grace_until)
        self.emit("federation.peer.revoked", "medium", peer_id, {"reason": reason})

    # -- time -------------------------------------------------------------------------------------

    def now(self):
        return self.clock.now()

    def stamp(self, seconds=0):
        return rfc3339(self.now() + timedelta(seconds=seconds))

    def since(self, stamp):
        """Returns the seconds since a recorded time."""
        return (self.now() - parse_rfc3339(stamp)).total_seconds()

    def advance(self, seconds):
        self.clock.advance(seconds)
        if self.running:
            self.tick()
        return self.stamp()

    def tick(self):
        """Handles what is due: undelivered notices, stale peers, heartbeats and excerpts."""
        with self._ticking:
            self.notices.send_due()
            for peer in self.peers(*REACHABLE):
                self._mark_stale(peer)
                self.client.heartbeat_if_due(peer["id"])
            self.client.request_due_excerpts()

    def _tick_every_second(self):
        while not self._stopped.wait(1):
            self.tick()

    def _mark_stale(self, peer):
        if peer["status"] == "active" and self.since(peer["heard_at"]) > STALE_SECONDS:
            self.set_status(peer["id"], "degraded")
            self.governance.find("peer_heartbeat_stale", peer["id"], "no heartbeat for five minutes")

    # -- disclosure, events and audit log ---------------------------------------------------------

    def disclosure(self, peer_id=None):
        """Returns the disclosure in accept and heartbeats (commitments 1, 3, 8 and 12)."""
        settings = self.settings
        return {
            "metadata": {
                "operator_contact": settings["operator_contact"],
                "jurisdiction": settings["jurisdiction"],
                "platform_version": settings["release"],
                "last_known_good_release": settings["last_known_good_release"],
            },
            "platform_version": settings["release"],
            "data_residency": settings["residency"],
            "contract_digest": contract.DIGEST,
            "capabilities": self.capabilities.document(peer_id),
        }

    def emit(self, kind, severity, peer_id, payload):
        """Records an event for the operator."""
        event = {
            "id": uuid7(), "kind": kind, "severity": severity, "emitted_at": self.stamp(),
            "correlation_id": uuid7(), "source": "python-platform",
            "payload": {"federation_peer_id": peer_id, **payload},
        }
        self.store.put("event", event["id"], event)
        return event

    def audit(self, peer_id, remote_subject, action, **payload):
        """Records one audit entry for a call by a peer or to it (5.1, 5.2)."""
        entry = {
            "id": uuid7(), "kind": f"federation.{action}", "severity": "low", "emitted_at": self.stamp(),
            "correlation_id": uuid7(), "source": "python-platform",
            "payload": {"federation_peer_id": peer_id, "remote_subject": remote_subject, "action": action, **payload},
        }
        self.store.put("audit", entry["id"], {"peer_id": peer_id, "entry": entry})

    def audit_entries(self, peer_id):
        return [row["entry"] for row in self.store.all("audit", peer_id=peer_id)]

"""Notices: events in heartbeats, in both directions."""

from .basics import as_list, as_object, is_text, parse_rfc3339, uuid7

GRACE_SECONDS = 300
DISCLOSURE_SECONDS = 24 * 3600
# An undelivered notice is tried again for a week, at least once an hour.
TRY_SECONDS, PAUSE_SECONDS_MAX = 7 * 24 * 3600, 3600


class Notices:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store

    # -- to peers ---------------------------------------------------------------------------------

    def of_revocation(self, peer, reason):
        return self._event("platform.peer.revoked", "high", {
            "federation_peer_id": peer["id"], "reason": reason, "effective_at": self.platform.stamp(),
            "grace_until": self.platform.stamp(GRACE_SECONDS),
        })

    def deliver(self, peer_id, kind, severity, payload):
        self.send(peer_id, self._event(kind, severity, payload))

    def send(self, peer_id, event, tries=0, first_at=None):
        """Sends a notice. If it does not arrive, it is due again after a pause."""
        status = "revoked" if event["kind"] == "platform.peer.revoked" else "active"
        _, response = self.platform.client.heartbeat(peer_id, status, [event])
        if response.succeeded:
            self.store.delete("outbox", event["id"])
            return
        pause = min(30 * 2 ** tries, PAUSE_SECONDS_MAX)
        self.store.put("outbox", event["id"], {
            "peer_id": peer_id, "event": event, "tries": tries + 1,
            "first_at": first_at or self.platform.stamp(), "next_at": self.platform.stamp(pause),
        })

    def send_due(self):
        for notice in self.store.all("outbox"):
            if self.platform.since(notice["first_at"]) > TRY_SECONDS:
                self.store.delete("outbox", notice["event"]["id"])
            elif self.platform.since(notice["next_at"]) >= 0:
                self.send(notice["peer_id"], notice["event"], notice["tries"], notice["first_at"])

    def compromise(self, kind, detected_at, summary):
        """Discloses a compromise to every partner (9.1)."""
        self.platform.emit("platform.compromise.declared", "critical", None, {"kind": kind, "summary": summary})
        for peer in self.platform.peers("accepted", "enrolled", "active", "degraded", "suspended"):
            self.deliver(peer["id"], "platform.peer.compromised", "critical", {
                "detected_at": detected_at or self.platform.stamp(), "kind": kind, "summary": summary,
            })

    def move_to(self, residency):
        """Changes the residency of the platform and notifies the partners (8.2)."""
        before, self.platform.settings["residency"] = self.platform.settings["residency"], residency
        for peer in self.platform.peers("enrolled", "active", "degraded"):
            self.deliver(peer["id"], "platform.residency.changed", "medium", {
                "from": before, "to": residency, "effective_at": self.platform.stamp(),
            })

    def _event(self, kind, severity, payload):
        return {
            "id": uuid7(), "kind": kind, "severity": severity, "emitted_at": self.platform.stamp(),
            "correlation_id": uuid7(), "source": "python-platform", "payload": payload,
        }

    # -- from peers -------------------------------------------------------------------------------

    def receive(self, peer_id, body):
        """Handles the events and the status of a heartbeat. Either one can state that the peer leaves."""
        handlers = {
            "platform.peer.revoked": self._left,
            "platform.peer.compromised": self._compromised,
            "platform.grant.issued": self._granted,
            "platform.grant.revoked": self._grant_revoked,
            "platform.residency.changed": self._residency,
        }
        for event in as_list(body.get("events"))[:1000]:
            event = as_object(event)
            handler = handlers.get(event.get("kind")) if is_text(event.get("kind")) else None
            if handler:
                handler(peer_id, as_object(event.get("payload")))
        if body.get("status") == "revoked":
            self._left(peer_id, {})

    def _left(self, peer_id, payload):
        if self.platform.peer(peer_id)["status"] != "revoked":
            self.platform.end(peer_id, payload.get("reason"), self.platform.stamp(GRACE_SECONDS))

    def _compromised(self, peer_id, payload):
        """Suspends the peer until the operator has reviewed it (9.2)."""
        self.platform.suspend(peer_id, "the peer disclosed a compromise")
        detected = parse_rfc3339(payload.get("detected_at"))
        if detected and (self.platform.now() - detected).total_seconds() > DISCLOSURE_SECONDS:
            self.platform.governance.find("peer_disclosure_late", peer_id, "disclosed more than 24 hours after")

    def _granted(self, peer_id, payload):
        self.platform.governance.record_grant(peer_id, payload)
        if is_text(payload.get("bearer_token")) and is_text(payload.get("grant_id")):
            self.platform.grants.hold(
                peer_id, payload["grant_id"], payload["bearer_token"], payload.get("resource_kind"),
                payload.get("permission_scopes"), payload.get("expires_at"), payload.get("resource_id"))

    def _grant_revoked(self, peer_id, payload):
        held = self.store.one("held", payload.get("grant_id"))
        if held and held["peer_id"] == peer_id:
            self.store.update("held", held["grant_id"], revoked=True)

    def _residency(self, peer_id, payload):
        if is_text(payload.get("to")):
            self.platform.handshake.update(peer_id, {"data_residency": payload["to"]}, announced=True)

    def moved(self, peer_id, before, after, announced):
        """Reports a changed residency. Without a notice it is a finding if data was migrated (8.2)."""
        self.platform.emit("federation.peer.residency_changed", "medium", peer_id, {"from": before, "to": after})
        if not announced and self.store.all("migration", peer_id=peer_id):
            self.platform.governance.find(
                "peer_residency_moved", peer_id, f"its residency moved from {before} to {after} after a migration")

"""The handshake of two platforms: proposal, accept, join, and the exchange of certificates."""

import hashlib
import re
import secrets
import subprocess
from datetime import timedelta

from . import contract
from .basics import OperatorError, Refusal, as_list, as_object, is_text, rfc3339, uuid7
from .governance import undisclosed

TOKEN_DAYS = 7
CONTRACT = (contract.VERSION, contract.DIGEST)
SUBJECT = re.compile(r"[A-Za-z0-9:._-]{1,64}")


class Handshake:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store

    # -- the platform invites ---------------------------------------------------------------------

    def propose(self, remote_instance_url, spawn_role="symmetric", spawn_mode="autonomous_peer"):
        token = secrets.token_urlsafe(32)
        peer = self._new_row("proposed", remote_instance_url)
        self.store.update(
            "peer", peer["id"], spawn_role=spawn_role, spawn_mode=spawn_mode, token_hash=digest(token),
            token_expires_at=rfc3339(self.platform.now() + timedelta(days=TOKEN_DAYS)),
        )
        return {"peer_id": peer["id"], "acceptance_token": token}

    def accept(self, body, address):
        """Handles POST /accept. A refused call leaves the peer as it was."""
        token = body.get("acceptance_token")
        if not is_text(token):
            raise invalid("acceptance_token required")
        peer = next(iter(self.store.all("peer", token_hash=digest(token))), None)
        self.platform.server.limits.require(peer["id"] if peer else f"address {address}", peer and peer["id"])
        self._require_contract(body, peer)
        with self.store.transaction():
            # Read the peer again inside the transaction, so that two calls cannot both use the token.
            peer = peer and self.platform.peer(peer["id"])
            if not peer or peer["status"] != "proposed" or self.platform.since(peer["token_expires_at"]) >= 0:
                raise Refusal(401, "acceptance_token not recognized or expired", "UNAUTHORIZED")
            missing = undisclosed(body)
            if missing:
                raise invalid("accept transition failed: not disclosed: " + ", ".join(missing))
            members = self._exchange_certificates(peer["id"], body)
            return self._enrol(peer["id"], body, members)

    def _enrol(self, peer_id, body, members):
        now = self.platform.stamp()
        status = "enrolled" if members else "accepted"
        self.store.update(
            "peer", peer_id, status=status, accepted_at=now, heard_at=now, contract_digest=body.get("contract_digest"),
            contract_version_agreed=body["contract_version"], endpoints=as_list(body.get("endpoints")),
        )
        self.update(peer_id, body)
        self.platform.emit("federation.peer.accepted", "low", peer_id, {})
        self.platform.audit(peer_id, peer_id, "accept", direction="inbound", status=200)
        if not members:
            members = {"warnings": ["no certificate was asked for, so that nothing can be called yet"]}
        return {
            "peer_id": peer_id, "status": status, "peer_kind": "platform", "accepted_at": now, "handshake_at": now,
            "contract_version_agreed": body["contract_version"], **self.platform.disclosure(peer_id), **members,
        }

    def _exchange_certificates(self, peer_id, body):
        """Signs the certificate request, or exchanges authorities."""
        subject = body.get("caller_inbound_subject")
        if subject is not None and not (isinstance(subject, str) and SUBJECT.fullmatch(subject)):
            raise invalid("accept transition failed: caller_inbound_subject can't be a subject")
        ours, authority = f"fed:{peer_id}", self.platform.authority
        if is_text(body.get("csr_pem")):
            try:
                signed = authority.sign_request(body["csr_pem"], ours)
            except subprocess.CalledProcessError:
                raise invalid("accept transition failed: csr_pem can't be signed") from None
            self._trust(peer_id, authority.pem, None, subject or ours)
            return {"federation_certificate": {**signed, "ca_chain_pem": authority.pem}}
        if is_text(body.get("peer_ca_bundle_pem")):
            self._trust(peer_id, body["peer_ca_bundle_pem"], body["peer_ca_bundle_pem"], subject or ours)
            return {"trust_exchange": {"ca_bundle_pem": authority.pem, "assigned_inbound_subject": ours}}
        return {}

    def _trust(self, peer_id, anchor_pem, server_anchor_pem, call_as):
        """`anchor_pem` issued the peer's client certificate, `server_anchor_pem` that of its server."""
        self.platform.server.require_authority(anchor_pem)
        self.store.update("peer", peer_id, anchor_pem=anchor_pem, server_anchor_pem=server_anchor_pem, call_as=call_as)

    def _require_contract(self, body, peer):
        version = body.get("contract_version")
        if type(version) is not int or version != contract.VERSION:
            raise invalid(f"Unsupported contract_version {version}; supported: [{contract.VERSION}]")
        if body.get("contract_digest", contract.DIGEST) not in (contract.DIGEST, None):
            if peer:
                self.platform.governance.mismatch(peer["id"], "it names another text under our contract's version")
            raise invalid("accept transition failed: contract_digest is that of another text")

    # -- the platform is invited ------------------------------------------------------------------

    def join(self, base_url, acceptance_token, ca_bundle_pem=None):
        """Calls accept at the peer. The platform does not join a peer that agrees to another contract (V.2)."""
        peer = self._new_row("proposed", base_url)
        self._trust(peer["id"], ca_bundle_pem or self.platform.authority.pem, ca_bundle_pem, None)
        response = self.platform.client.call(peer["id"], "POST", "/accept", "accept", {
            "acceptance_token": acceptance_token, "contract_version": contract.VERSION,
            "peer_ca_bundle_pem": self.platform.authority.pem, "caller_inbound_subject": f"fed:{peer['id']}",
            "endpoints": self.platform.server.endpoints(), **self.platform.disclosure(peer["id"]),
        })
        problem = self._refusal_reason(peer["id"], response)
        if problem:
            self.platform.end(peer["id"], problem, self.platform.stamp())
            raise OperatorError(problem, -32010)
        data, exchange = response.data, response.data["trust_exchange"]
        anchor = exchange["ca_bundle_pem"]
        self._trust(peer["id"], anchor, anchor, exchange["assigned_inbound_subject"])
        now = self.platform.stamp()
        self.store.update(
            "peer", peer["id"], status="enrolled", accepted_at=now, heard_at=now,
            contract_version_agreed=contract.VERSION, contract_digest=data.get("contract_digest"),
        )
        self.update(peer["id"], data)
        return {"peer_id": peer["id"]}

    def _refusal_reason(self, peer_id, response):
        """Returns the reason why the response to accept starts no peering, or None."""
        data, exchange = response.data, as_object(response.data.get("trust_exchange"))
        agreed = data.get("contract_version_agreed")
        if response.status != 200:
            return f"accept was answered {response.status}: {response.error}"
        if type(agreed) is not int or (agreed, data.get("contract_digest", contract.DIGEST)) != CONTRACT:
            self.platform.governance.mismatch(peer_id, "the peer agreed to another contract than was asked for")
            return "the peer agreed to another contract than was asked for"
        if undisclosed(data):
            return "the peer does not disclose: " + ", ".join(undisclosed(data))
        subject = exchange.get("assigned_inbound_subject")
        if not is_text(exchange.get("ca_bundle_pem")) or not SUBJECT.fullmatch(str(subject)):
            return "the peer did not exchange authorities"
        return None

    # -- in both directions -----------------------------------------------------------------------

    def update(self, peer_id, body, announced=False):
        """Stores what a peer states about itself. `metadata` is merged; a change of residency is an event (8.2)."""
        peer = self.platform.peer(peer_id)
        metadata = {**peer["metadata"], **as_object(body.get("metadata"))}
        changes = {"metadata": metadata}
        for name in ("capabilities", "endpoints", "extension_slugs", "sync_cursor"):
            if name in body:
                changes[name] = body[name]
        for name in ("platform_version", "data_residency"):
            value = body.get(name, metadata.get(name))
            if value is not None:
                changes[name] = value
        self.store.update("peer", peer_id, **changes)
        before, after = peer.get("data_residency"), changes.get("data_residency")
        if before and after and before != after:
            self.platform.notices.moved(peer_id, before, after, announced)

    def _new_row(self, status, url):
        peer = {
            "id": uuid7(), "status": status, "remote_instance_url": url, "peer_kind": "platform", "metadata": {},
            "proposed_at": self.platform.stamp(), "heard_at": self.platform.stamp(), "breaches": [],
        }
        self.store.put("peer", peer["id"], peer)
        return peer


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def invalid(text):
    return Refusal(422, text, "VALIDATION_ERROR")

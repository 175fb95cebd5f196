"""Findings and breaches about peers, and the version rule."""

import re

from . import contract
from .basics import SEMVER, as_list, as_object, is_text, uuid7

DAY_SECONDS = 24 * 3600
# The number of breaches of one hard norm within a day that suspends a peer (E.2).
BREACHES_MAX = 5
# The number of different refused calls within an hour that counts as enumeration (6.4).
REFUSALS_MAX = 3
# The number of grants of one peer within an hour that counts as mass grants (6.2).
GRANTS_MAX, WIDE_GRANTS_MAX = 50, 15
HOUR_SECONDS = 3600

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
PGP = re.compile(r"-----BEGIN PGP SIGN|^(openpgp4fpr|pgp):[0-9A-Fa-f]{16,}$")
LOW = {"peer_residency_missing", "peer_schema_version_missing"}
HIGH = {"peer_sync_corrupt", "peer_migration_untruthful", "peer_contract_mismatch"}


class Governance:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store

    def find(self, kind, peer_id, message, about=""):
        """Records a finding. A repeated finding increments the count of the first."""
        key = f"{kind}/{peer_id}/{about}"
        with self.store.transaction():
            known = self.store.one("finding", key)
            if known:
                known["payload"]["count"] += 1
                self.store.put("finding", key, known)
                return
            self.store.put("finding", key, {
                "id": uuid7(), "kind": kind, "severity": "high" if kind in HIGH else "low" if kind in LOW else "medium",
                "federation_peer_id": peer_id, "message": message,
                "payload": {"found_at": self.platform.stamp(), "about": about, "count": 1},
            })
            self.platform.emit(f"federation.finding.{kind}", "medium", peer_id, {"message": message})

    def breach(self, commitment, kind, peer_id, message, about=""):
        """Records a breach of a hard norm: a finding (E.1), and a suspension if it is repeated (E.2)."""
        with self.store.transaction():
            self.find(kind, peer_id, message, about)
            peer = self.platform.peer(peer_id)
            recent = [row for row in peer.get("breaches", []) if self.platform.since(row["at"]) < DAY_SECONDS]
            recent.append({"commitment": commitment, "at": self.platform.stamp()})
            self.store.update("peer", peer_id, breaches=recent)
            same = [row for row in recent if row["commitment"] == commitment]
            if len(same) >= BREACHES_MAX and peer["status"] in ("enrolled", "active", "degraded"):
                self.platform.suspend(peer_id, f"commitment {commitment} was broken {len(same)} times in a day")

    def scan(self):
        for peer in self.platform.peers("enrolled", "active", "degraded"):
            self._scan_peer(peer)
        return {"findings": self.store.all("finding")}

    def _scan_peer(self, peer):
        if not is_text(peer.get("data_residency")):
            self.find("peer_residency_missing", peer["id"], "no data residency is declared")
        if peer.get("extension_slugs") and not as_list(as_object(peer.get("capabilities")).get("resource_kinds")):
            self.find("peer_capability_drift", peer["id"], "extensions are declared, and no capability", "extensions")

    # -- disclosure and versions ------------------------------------------------------------------

    def check_heartbeat(self, peer_id, body):
        """Checks disclosure, contract and version in a heartbeat. Returns the schema compatibility."""
        missing = undisclosed(body)
        if missing:
            self.find("peer_identity_undisclosed", peer_id, "not disclosed: " + ", ".join(missing), ",".join(missing))
        if "contract_digest" in body and body["contract_digest"] != contract.DIGEST:
            self.mismatch(peer_id, "its contract has another text than ours")
        compatibility = self.compatibility(self.platform.peer(peer_id).get("platform_version"))
        if compatibility["status"] == "incompatible":
            self.find("peer_schema_version_drift", peer_id, compatibility["notes"])
        return compatibility

    def mismatch(self, peer_id, message):
        """Records a contract mismatch, which breaches 12, and with it 3 and 6 (12.2)."""
        for commitment in (12, 3, 6):
            self.breach(commitment, "peer_contract_mismatch", peer_id, message)

    def compatibility(self, theirs):
        """Applies the version rule: same major, minor at most one apart (10.1)."""
        ours = self.platform.settings["release"]
        result = {"source": "default", "local_version": ours, "remote_version": theirs}
        if theirs is None:
            return {**result, "status": "compatible", "source": "implicit", "notes": "no version is known"}
        parts = [SEMVER.fullmatch(version) if isinstance(version, str) else None for version in (ours, theirs)]
        if all(parts) and parts[0][1] == parts[1][1] and abs(int(parts[0][2]) - int(parts[1][2])) <= 1:
            return {**result, "status": "compatible", "notes": ""}
        return {**result, "status": "incompatible", "notes": f"{str(theirs)[:64]} does not go with {ours}"}

    def frozen(self, peer):
        return self.compatibility(peer.get("platform_version"))["status"] == "incompatible"

    # -- conduct over time ------------------------------------------------------------------------

    def record_refusal(self, peer_id, what):
        """Records a refused call. Several different ones within an hour are an enumeration (6.4)."""
        peer = self.platform.peer(peer_id)
        recent = [row for row in peer.get("refusals", []) if self.platform.since(row["at"]) < HOUR_SECONDS]
        if all(row["what"] != what for row in recent):
            recent.append({"what": what, "at": self.platform.stamp()})
            self.store.update("peer", peer_id, refusals=recent)
            if len(recent) == REFUSALS_MAX:
                self.breach(6, "peer_probing", peer_id, "it asks for what is none of its business")

    def record_grant(self, peer_id, payload):
        """Records a grant that a peer issued to the platform."""
        scopes = as_list(payload.get("permission_scopes"))
        wide = not payload.get("resource_id") and any(scope in scopes for scope in ("write", "admin", "migrate"))
        peer = self.platform.peer(peer_id)
        recent = [row for row in peer.get("issued", []) if self.platform.since(row["at"]) < HOUR_SECONDS]
        recent.append({"wide": wide, "at": self.platform.stamp()})
        self.store.update("peer", peer_id, issued=recent)
        if len(recent) == GRANTS_MAX or wide and sum(row["wide"] for row in recent) == WIDE_GRANTS_MAX:
            self.breach(6, "peer_mass_grants", peer_id, f"{len(recent)} grants within an hour")


def undisclosed(body):
    """Returns the members of commitment 1 that are absent or malformed."""
    metadata = as_object(body.get("metadata"))
    version = metadata.get("platform_version", body.get("platform_version"))
    valid = {
        "operator_contact": is_contact(metadata.get("operator_contact")),
        "jurisdiction": is_text(metadata.get("jurisdiction")),
        "platform_version": isinstance(version, str) and bool(SEMVER.fullmatch(version)),
        "last_known_good_release": is_text(metadata.get("last_known_good_release")),
    }
    return [name for name, is_valid in valid.items() if not is_valid]


def is_contact(contact):
    """Returns whether a value is an email address or a PGP-attested identifier."""
    if isinstance(contact, dict):
        return any(is_text(contact.get(name)) for name in ("signature", "pgp_signature"))
    return isinstance(contact, str) and bool(EMAIL.fullmatch(contact.strip()) or PGP.search(contact))

"""Accept and heartbeat: the status of a peer, its certificate, and what it states about itself."""

import subprocess

from answers import Crash, refused, success
from state import digest, now, stamp, to_i

TEXT_MAX = 64


def accept(call):
    members, platform = call.members, call.platform
    token = members.get("acceptance_token")
    if token in (None, ""):
        raise refused(422, "acceptance_token required")
    version = members.get("contract_version")
    if isinstance(version, (bool, list, dict)):
        raise Crash("contract_version has no to_i")
    version = int(version) if isinstance(version, float) else to_i("" if version is None else version)
    if version != 1:
        raise refused(422, f"Unsupported contract_version {version}; supported: [1]")
    if not isinstance(token, str):
        raise Crash("acceptance_token is no text")
    known = (peer for peer in platform.tables["peer"].values() if peer["token_digest"] == digest(token))
    peer = next(known, None)
    if peer is None or peer["token_expires_at"] <= now():
        raise refused(401, "acceptance_token not recognized or expired")
    if peer["status"] not in ("proposed", "suspended"):
        raise refused(422, "accept transition failed: ")
    peer["token_digest"] = None  # It is used up, also where the rest fails.
    endpoints = members.get("endpoints")
    require_objects(endpoints)
    platform.move(peer, "accepted")
    peer.update(contract_version_agreed=version, accepted_at=stamp(), handshake_at=stamp(),
                endpoints=endpoints or [], extension_slugs=as_slugs(members.get("extension_slugs")),
                capabilities=members.get("capabilities") or {})
    facts = {name: peer[name] for name in ("peer_kind", "spawn_mode", "spawn_role")}
    whom = {"federation_peer_id" if platform.generation.logs_peers else "peer_id": peer["id"]}
    platform.emit("federation.peer.accepted", "federation_api_accept", **whom, contract_version=1, **facts)
    more = exchange_certificates(platform, peer, members) if platform.generation.has_certificates else {}
    platform.move(peer, "enrolled")
    if platform.generation.scans_at_accept:
        findings = platform.findings_about(peer)
        more["sdwan_attach"] = {"status": "skipped"}
        more["governance"] = {"status": "scanned", "peer_finding_count": len(findings), "peer_findings": findings}
    shown = ("status", "peer_kind", "contract_version_agreed", "accepted_at", "handshake_at")
    return 200, success({"peer_id": peer["id"], **{name: peer[name] for name in shown}, **more})


def exchange_certificates(platform, peer, members):
    """Signs the request of the peer, or exchanges authorities. Without either, every later call is a 401."""
    authority, subject = platform.authority, platform.subject_of(peer["id"])
    peer["call_as"] = members.get("caller_inbound_subject")
    if members.get("csr_pem"):
        try:
            signed = authority.sign_request(str(members["csr_pem"]), subject)
        except subprocess.CalledProcessError:
            return {"warnings": ["federation certificate was not issued: the request can't be signed"]}
        peer["anchor_pem"] = authority.pem
        return {"federation_certificate": {**signed, "ca_chain_pem": authority.pem}}
    if members.get("peer_ca_bundle_pem"):
        peer["anchor_pem"] = str(members["peer_ca_bundle_pem"])
        return {"trust_exchange": {"ca_bundle_pem": authority.pem, "assigned_inbound_subject": subject}}
    return {}


def heartbeat(call):
    """Keeps what the peer states, in the order in which the code writes it: an error leaves what came before."""
    members, peer, platform = call.members, call.peer, call.platform
    capabilities = members.get("capabilities") or None
    if capabilities is not None and not isinstance(capabilities, (dict, list)):
        raise Crash("capabilities has no to_h")
    require_objects(members.get("endpoints"))
    stated = members.get("platform_version")
    if platform.refuses_outside_window and stated and platform.compatibility(stated)["status"] != "compatible":
        raise refused(422, f"Incompatible platform_version {stated}")
    platform.move(peer, "active")
    peer["last_heartbeat_at"] = now()
    for name in ("capabilities", "endpoints", "sync_cursor"):
        if members.get(name):
            peer[name] = members[name]
    if members.get("extension_slugs"):
        peer["extension_slugs"] = as_slugs(members["extension_slugs"])
    for name in ("platform_version", "data_residency"):
        keep_text(platform, peer, name, members.get(name))
    if platform.generation.logs_peers:
        platform.emit("federation.peer.heartbeat", "federation_api_heartbeat", federation_peer_id=peer["id"])
    return 200, success({
        "status": peer["status"], "last_heartbeat_at": stamp(), "our_endpoints": [],
        "schema_compatibility": platform.compatibility(peer["platform_version"]),
    })


def keep_text(platform, peer, name, value):
    if not value or not str(value).strip():
        return
    if len(str(value)) > TEXT_MAX:
        if name == "data_residency" and platform.generation.logs_peers:
            raise refused(422, "Validation failed: Data residency is too long (maximum is 64 characters)")
        raise Crash(f"{name} is too long for its column")
    before, peer[name] = peer[name], str(value).strip()
    if name == "data_residency" and before not in (None, peer[name]) and platform.generation.logs_peers:
        platform.emit("federation.peer.data_residency_changed", "federation_peer", federation_peer_id=peer["id"],
                      previous_data_residency=before, data_residency=peer[name])


def require_objects(endpoints):
    if any(not isinstance(endpoint, dict) for endpoint in endpoints or []):
        raise Crash("an endpoint is no object")


def as_slugs(value):
    return value if isinstance(value, list) else [value] if value else []

"""Bearer grants: their tokens, and the checks of wire.md §4 in their order."""

import hashlib
import hmac
import json
from ipaddress import ip_address, ip_network

from federation.basics import parse_rfc3339

from allowlists import restricts
from answers import bare, unauthorized
from state import now

def token_of(platform, grant):
    """Returns the token of a grant, in the form of the generation."""
    if not platform.generation.signs_tokens:
        return f"fg-{grant['id']}"
    signature = hmac.new(platform.secret, grant["id"].encode(), hashlib.sha256).hexdigest()
    return f"fgs.{grant['id']}.{signature}"


def resolve(platform, token):
    """Returns the grant of a token, or None."""
    id = token.removeprefix("fg-") if token.startswith("fg-") else token.removeprefix("fgs.").split(".")[0]
    grant = platform.tables["grant"].get(id)
    return grant if grant and hmac.compare_digest(token_of(platform, grant).encode(), token.encode()) else None


def require_grant(call, scope, kind, id):
    """Checks the bearer grant of a call."""
    header = call.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else ""
    if not token:
        raise unauthorized("Bearer grant token required")
    grant = resolve(call.platform, token)
    if grant is None:
        raise unauthorized("Grant token does not resolve")
    if grant["federation_peer_id"] != call.peer["id"]:
        raise unauthorized("Grant belongs to a different federation peer")
    if parse_rfc3339(grant["expires_at"]) <= now():
        raise unauthorized("Grant has expired")
    if grant["revoked_at"]:
        raise unauthorized("Grant has been revoked")
    if grant["resource_kind"] != kind:
        raise bare(403, f'Grant scoped to resource_kind="{grant["resource_kind"]}", request was for "{kind}"')
    if grant["resource_id"] and grant["resource_id"] != id:
        raise bare(403, f"Grant scoped to a specific resource_id ({grant['resource_id']}); request targeted {id}")
    if scope not in grant["permission_scopes"]:
        raise bare(403, f"Grant lacks required scope ({scope}); has {json.dumps(grant['permission_scopes'])}")
    require_source(call, grant)
    return grant


def require_source(call, grant):
    """Checks the allowlists of a grant: the calling instance, its network, and its address."""
    is_restricted = restricts(call.platform.generation)
    for header, member, what in (
        ("X-Calling-Instance", "node_instance_ids", "Calling NodeInstance"),
        ("X-Sdwan-Network", "sdwan_network_ids", "Calling SDWAN network"),
    ):
        given = call.headers.get(header)
        if is_restricted(grant[member]) and given not in grant[member]:
            supplied = json.dumps(given) if given else "nil"
            raise bare(403, f"{what} not in grant allowlist ({json.dumps(grant[member])}); supplied: {supplied}")
    if call.headers.get("X-Sdwan-Network"):
        network = call.headers["X-Sdwan-Network"]
        raise bare(403, f"No active FederationNetworkBridge for peer+network ({network})")
    ranges = grant["source_cidrs"]
    allowed = (ip_address(call.address) in ip_network(each, strict=False) for each in ranges)
    if is_restricted(ranges) and not any(allowed):
        raise bare(403, f'Source IP not in grant CIDR allowlist ({json.dumps(ranges)}); supplied: "{call.address}"')

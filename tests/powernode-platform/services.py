"""The catalogue of services and the subscriptions to them."""

from datetime import timedelta

from federation.basics import OperatorError

from allowlists import ANY, AXES
from answers import bare
from state import now, stamp, to_i


def service_catalog(call):
    offering = {name: value for name, value in call.platform.offering.items() if name != "id"}
    return 200, {"data": {"offerings": [offering], "generated_at": stamp()}}


def subscribe(call):
    """Issues a grant for the offering. Neither its capacity nor a longest lifetime is enforced."""
    members, platform, offering = call.members, call.platform, call.platform.offering
    missing = [name for name in ("slug", "local_hostname") if not members.get(name)]
    if missing:
        raise bare(400, "Missing required fields: " + ", ".join(missing))
    if members["slug"] != offering["slug"]:
        raise bare(404, f"Unknown offering: {members['slug']}")
    days = members.get("ttl_days")
    days = max(7, to_i(days)) if days is not None else offering["default_grant_ttl_days"]
    subject = f"service-sub:{offering['slug']}:{members['local_hostname']}@peer-{call.peer['id']}"
    if len(subject) > 256:
        text = "Validation failed: Remote subject is too long (maximum is 256 characters)"
        raise bare(422, f"Invalid subscription request: {text}")
    with_stars = platform.generation.stars_allowlists
    try:
        grant = platform.issue(call.peer["id"], subject, "service_offering", offering["id"],
                               offering["default_grant_scopes"], **{axis: [ANY] for axis in AXES if with_stars})
    except OperatorError:
        raise bare(422, "PG::UniqueViolation: ERROR:  duplicate key value violates unique constraint "
                        '"idx_fed_grants_specific_resource_unique"') from None
    grant["expires_at"] = stamp(now() + timedelta(days=days))
    return 201, {"data": {
        "grant_id": grant["id"], "backend_host": "10.0.0.9", "backend_port": offering["backend_port"],
        "protocol": offering["protocol"], "expires_at": grant["expires_at"], "ttl_seconds": days * 86400 - 1,
        "service_offering_id": offering["id"],
    }}


def unsubscribe(call, id):
    grant = call.platform.tables["grant"].get(id)
    if grant is None or grant["federation_peer_id"] != call.peer["id"] or grant["resource_kind"] != "service_offering":
        raise bare(404, "Subscription not found")
    grant["revoked_at"] = grant["revoked_at"] or stamp()
    return 200, {"data": {"revoked": True, "grant_id": id}}

"""The federation plane of G1: its eight routes, with the statuses, texts and order of checks of the recordings."""

import json
import re
import socketserver
import sys
import threading
from datetime import timedelta
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qsl, unquote, urlsplit

from federation.basics import OperatorError, Refusal, parse_rfc3339, uuid7
from federation.server import Handler

from platform_g1 import REACHABLE, SaveFailed, digest, now, stamp, to_i

PREFIX = "/api/v1/system/federation_api"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
STEP_MEMBERS = ("step_order", "resource_kind", "resource_id", "action", "conflict_policy")
ACTIONS = ("create", "link_local", "skip", "conflict")
POLICIES = ("skip_if_exists", "rename_with_suffix", "overwrite", "fail")
NESTING_MAX = 100
EXCERPT_DAYS, EXCERPT_LIMIT, EXCERPT_LIMIT_MAX = 90, 1000, 5000


class Crash(Exception):
    """What the recordings answer with 500: a value of a type that the code does not expect."""


class Plane(socketserver.ThreadingTCPServer):
    """The listener behind the proxy that ends TLS: plain HTTP, with the name of the caller in a header."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, platform):
        self.platform = platform
        super().__init__(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def base_url(self):
        return "http://{}:{}".format(*self.server_address[:2])

    def handle_error(self, request, client_address):
        """Ignores the error: it concerns one connection alone."""


class Endpoint(Handler):
    server_version = "g1-platform"
    do_HEAD = do_OPTIONS = Handler.do_GET

    def _respond(self):
        url = urlsplit(self.path)
        raw = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "").lower() else self._plain()
        handler, arguments = find_route(self.command, url.path)
        try:
            call = Call(self, url.query, raw)
            if handler is not accept:
                call.peer = identify(call)
            with call.platform.lock:
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


def find_route(method, path):
    path = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
    path = path.removesuffix("/").removesuffix(".json")
    for route_method, pattern, handler in ROUTES:
        match = re.fullmatch(pattern, path, re.ASCII)
        if match and route_method == ("GET" if method == "HEAD" else method):
            return handler, match.groups()
    raise bare(404, "Not Found", status_member=404)


# -- the caller and its grant ---------------------------------------------------------------------


def identify(call):
    """Returns the peer whose certificate record has the name in the header of the proxy."""
    name = (call.headers.get("X-Client-S-DN-CN") or "").strip()
    subject = re.search(r"CN\s*=\s*([^,]+)", unquote(call.headers.get("X-Forwarded-TLS-Client-Cert-Subject") or ""))
    name = name or (subject[1].strip() if subject else "")
    if not name:
        raise unauthorized("mTLS client certificate required")
    certificate = call.platform.certificate(name)
    if certificate is None:
        raise unauthorized("Certificate not found for mTLS subject")
    if certificate["revoked"]:
        raise unauthorized("Certificate is revoked")
    peer = call.platform.tables["peer"][certificate["peer_id"]]
    if peer["status"] not in REACHABLE:
        raise unauthorized(f"FederationPeer is not in a reachable status ({peer['status']})")
    return peer


def require_grant(call, scope, kind, id):
    """Checks the bearer grant, in the order of wire.md §4. An empty allowlist is no restriction."""
    header = call.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else ""
    if not token:
        raise unauthorized("Bearer grant token required")
    grant = call.platform.tables["grant"].get(token.removeprefix("fg-")) if token.startswith("fg-") else None
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
    for header, member, what in (
        ("X-Calling-Instance", "node_instance_ids", "Calling NodeInstance"),
        ("X-Sdwan-Network", "sdwan_network_ids", "Calling SDWAN network"),
    ):
        given = call.headers.get(header)
        if grant[member] and given not in grant[member]:
            supplied = json.dumps(given) if given else "nil"
            raise bare(403, f"{what} not in grant allowlist ({json.dumps(grant[member])}); supplied: {supplied}")
    if call.headers.get("X-Sdwan-Network"):
        network = call.headers["X-Sdwan-Network"]
        raise bare(403, f"No active FederationNetworkBridge for peer+network ({network})")
    ranges = grant["source_cidrs"]
    if ranges and not any(ip_address(call.address) in ip_network(each, strict=False) for each in ranges):
        raise bare(403, f'Source IP not in grant CIDR allowlist ({json.dumps(ranges)}); supplied: "{call.address}"')
    return grant


# -- handlers: (call, *path parts) → status, body -------------------------------------------------


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
    peer.update(status="enrolled", contract_version_agreed=version, accepted_at=stamp(), handshake_at=stamp(),
                endpoints=endpoints or [], extension_slugs=as_slugs(members.get("extension_slugs")),
                capabilities=members.get("capabilities") or {})
    facts = {name: peer[name] for name in ("peer_kind", "spawn_mode", "spawn_role")}
    platform.emit("federation.peer.accepted", "federation_api_accept", peer_id=peer["id"], contract_version=1, **facts)
    shown = ("status", "peer_kind", "contract_version_agreed", "accepted_at", "handshake_at")
    return 200, success({"peer_id": peer["id"], **{name: peer[name] for name in shown}})


def heartbeat(call):
    members, peer = call.members, call.peer
    capabilities = members.get("capabilities") or None
    if capabilities is not None and not isinstance(capabilities, (dict, list)):
        raise Crash("capabilities has no to_h")
    require_objects(members.get("endpoints"))
    peer["status"] = "active"
    peer["last_heartbeat_at"] = now()
    for name in ("capabilities", "endpoints", "sync_cursor"):
        if members.get(name):
            peer[name] = members[name]
    if members.get("extension_slugs"):
        peer["extension_slugs"] = as_slugs(members["extension_slugs"])
    for name in ("platform_version", "data_residency"):
        value = members.get(name)
        # An empty list or object is ignored like a blank text.
        if value and str(value).strip():
            if len(str(value)) > 64:
                raise Crash(f"{name} is too long for its column")
            peer[name] = str(value).strip()
    return 200, success({
        "status": peer["status"], "last_heartbeat_at": stamp(), "our_endpoints": [],
        "schema_compatibility": call.platform.compatibility(peer["platform_version"]),
    })


def resource(call, kind, id):
    grant = require_grant(call, "read", kind, id)
    if kind not in call.platform.records:
        raise bare(422, f'Resource kind "{kind}" is not declared in federation_inventory.yaml')
    return 200, success({
        "kind": kind, "id": id, "exists": id.lower() in call.platform.records[kind], "grant_id": grant["id"],
        "account_id": call.platform.account_id, "fetched_at": stamp(),
    })


def migrate(call):
    plan = call.members
    missing = [name for name in ("operation", "root_resource_kind", "root_resource_id") if not plan.get(name)]
    if missing:
        raise bare(400, "Missing required fields: " + ", ".join(missing))
    if plan["operation"] not in ("duplicate", "migrate"):
        raise bare(400, 'operation must be one of ["duplicate", "migrate"]')
    steps = plan.get("steps") or []
    if not steps:
        raise bare(400, "Plan must contain at least one step")
    steps = [steps] if isinstance(steps, dict) else steps
    if not isinstance(steps, list) or any(not isinstance(step, dict) for step in steps):
        raise Crash("a step is no object")
    blank = [i for i, step in enumerate(steps) if any(step.get(name) in (None, "") for name in STEP_MEMBERS)]
    if blank:
        raise bare(400, f"Steps missing required fields: indexes={json.dumps(blank)}")
    kind, id = plan["root_resource_kind"], plan["root_resource_id"]
    require_grant(call, "migrate", kind, id)
    if kind not in call.platform.records:
        raise bare(422, f'Resource kind "{kind}" not declared in federation_inventory.yaml')
    if not isinstance(plan.get("plan_summary"), dict):
        raise Crash("plan_summary has no to_unsafe_h")
    return apply(call, plan, require_plan(id, steps))


def require_plan(root_id, steps):
    """Raises what the models of a plan and of its steps refuse. Returns the steps in the order of `step_order`."""
    invalid = None
    for step in steps:
        order = to_i(step["step_order"])
        if not UUID.fullmatch(str(step["resource_id"])):
            invalid = "Resource can't be blank"
        elif step["action"] not in ACTIONS:
            invalid = "Action is not included in the list"
        elif step["conflict_policy"] not in POLICIES:
            invalid = "Conflict policy is not included in the list"
        elif order < 0:
            invalid = "Step order must be greater than or equal to 0"
    if not UUID.fullmatch(str(root_id)):
        invalid = "Root resource can't be blank"
    if invalid:
        raise bare(400, f"Invalid payload: Validation failed: {invalid}")
    if len({to_i(step["step_order"]) for step in steps}) < len(steps):
        raise Crash("step_order is not unique")
    return sorted(steps, key=lambda step: to_i(step["step_order"]))


def apply(call, plan, steps):
    """Applies all steps or none. The logs that the REST surface names are left out: no recording shows their form."""
    platform = call.platform
    migration = {
        "id": uuid7(), "federation_peer_id": call.peer["id"], "operation": plan["operation"], "status": "applying",
        "root_resource_kind": plan["root_resource_kind"], "root_resource_id": plan["root_resource_id"],
        "created_at": stamp(),
    }
    platform.tables["migration"][migration["id"]] = migration
    try:
        with platform.transaction():
            done = [apply_step(platform, plan["operation"], step) for step in steps]
    except SaveFailed as failed:
        migration["status"] = "failed"
        raise bare(422, str(failed), migration_id=migration["id"], status="failed") from None
    migration["status"] = "completed"
    counts = {"applied_count": done.count(True), "skipped_count": done.count(False)}
    return 201, {"data": {"migration_id": migration["id"], "status": "completed", **counts}}


def apply_step(platform, operation, step):
    """Returns whether the step did something."""
    kind, id, action, policy = (step[name] for name in ("resource_kind", "resource_id", "action", "conflict_policy"))
    if action == "skip":
        return False
    if action == "conflict":
        raise SaveFailed(f'unknown action "conflict" on step {uuid7()}')
    if kind not in platform.records:
        raise SaveFailed(f'{action}: unknown resource_kind "{kind}"')
    exists = id in platform.records[kind]
    if action == "link_local":
        if not exists:
            raise SaveFailed(f"link_local target missing: {kind}:{id}")
        return True
    if exists and operation == "duplicate":
        text = "composer should have emitted a fresh UUID (LD #14)"
        raise SaveFailed(f"duplicate plan step PK-collided at {kind}:{id} — {text}")
    if exists and policy == "fail":
        raise SaveFailed(f"conflict on {kind}:{id}; policy=fail")
    if exists and policy == "rename_with_suffix":
        raise SaveFailed(f"rename_with_suffix not implemented in v1 ({kind}:{id})")
    if exists and policy == "skip_if_exists":
        return False
    payload = step.get("payload") or {}
    if "\\u0000" in json.dumps(payload):
        raise Crash("a text with a NUL byte has no column type")
    if not isinstance(payload, dict):
        raise SaveFailed(f"undefined method `key?' for {json.dumps(payload)}:String")
    platform.save(kind, id, payload)
    return True


def audit_excerpts(call):
    if call.peer["status"] != "active":
        raise refused(403, "Audit excerpts available only to peers in active status")
    until = parse_rfc3339(call.members.get("until", "")) or now()
    since = parse_rfc3339(call.members.get("since", "")) or until - timedelta(days=EXCERPT_DAYS)
    if until <= since:
        raise refused(422, "until must be after since")
    limit = to_i(call.members.get("limit", ""))
    limit = min(limit, EXCERPT_LIMIT_MAX) if limit > 0 else EXCERPT_LIMIT
    own = [event for event in call.platform.events if event["payload"].get("peer_id") == call.peer["id"]]
    # The stamps have whole seconds, and both ends count.
    own = [event for event in own if stamp(since) <= event["emitted_at"] <= stamp(until)][:limit]
    window = {"since": stamp(since), "until": stamp(until)}
    return 200, success({
        "peer_id": call.peer["id"], "window": window, "events": own, "shipments": [], "count": len(own),
    })


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
    try:
        grant = platform.issue(call.peer["id"], subject, "service_offering", offering["id"],
                               offering["default_grant_scopes"])
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


# -- values and envelopes -------------------------------------------------------------------------


def require_objects(endpoints):
    if any(not isinstance(endpoint, dict) for endpoint in endpoints or []):
        raise Crash("an endpoint is no object")


def as_slugs(value):
    return value if isinstance(value, list) else [value] if value else []


def success(data):
    return {"success": True, "data": data}


def refused(status, text):
    return Refusal(status, text)


def unauthorized(text):
    return Refusal(401, text, "UNAUTHORIZED")


def bare(status, text, /, status_member=None, **members):
    """Returns a refusal without `success`: those of migrations and subscriptions, every 403, and of the router."""
    refusal = Refusal(status, text)
    refusal.body = {"error": text, **members}
    if status_member:
        refusal.body["status"] = status_member
    return refusal


ID = r"([A-Za-z0-9-]+)"
ROUTES = (
    ("POST", "/accept", accept),
    ("POST", "/heartbeat", heartbeat),
    ("GET", "/resources/([a-z_]+)/" + ID, resource),
    ("POST", "/migrations", migrate),
    ("GET", "/audit_excerpts", audit_excerpts),
    ("GET", "/service_catalog", service_catalog),
    ("POST", "/subscriptions", subscribe),
    ("DELETE", "/subscriptions/" + ID, unsubscribe),
)

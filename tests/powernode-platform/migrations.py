"""POST /migrations: a plan is applied whole or not at all."""

import json
import re

from federation.basics import uuid7

from answers import Crash, bare
from grants import require_grant
from state import SaveFailed, stamp, to_i

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
STEP_MEMBERS = ("step_order", "resource_kind", "resource_id", "action", "conflict_policy")
ACTIONS = ("create", "link_local", "skip", "conflict")
POLICIES = ("skip_if_exists", "rename_with_suffix", "overwrite", "fail")


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

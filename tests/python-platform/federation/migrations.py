"""Migrations (commitment 7). A destination applies a plan in one transaction, and a source verifies the result."""

from .basics import OperatorError, Refusal, as_list, as_object, is_text, uuid7
from .capabilities import LOCAL_MEMBERS, same_schema

OPERATIONS = ("duplicate", "migrate", "delete")
ACTIONS = ("create", "link_local", "skip", "conflict")
POLICIES = ("skip_if_exists", "rename_with_suffix", "overwrite", "fail")
# The members that name a further platform. Version 1 of the contract leaves that out (O.1).
HOPS = ("forward_to", "next_hop", "hops", "via", "chain", "final_destination", "relay_to")


class Failed(Exception):
    """The plan cannot be applied as a whole."""

    def __init__(self, error, conflict=None):
        super().__init__(error)
        self.conflict = conflict


class Migrations:
    def __init__(self, platform):
        self.platform = platform
        self.store = platform.store

    # -- as destination ---------------------------------------------------------------------------

    def receive(self, call, grant):
        plan = read_plan(call.body)
        peer = self.platform.peer(call.peer["id"])
        self.platform.grants.require(call, grant, "migrate", plan["root_resource_kind"], plan["root_resource_id"])
        self._require_in_scope(peer, plan, grant)
        migration = self._record(peer, plan, "inbound", grant["grant_id"])
        if call.body.get("commit", True) is False:
            self._change(migration["migration_id"], status="transferring")
            return 202, {"data": {"migration_id": migration["migration_id"], "status": "transferring"}}
        return self._apply(migration["migration_id"])

    def commit(self, peer_id, id):
        """Applies an open migration, also within the grace after a revocation (4.3)."""
        migration = self._of_source(peer_id, id)
        if migration["status"] != "transferring":
            raise Refusal(409, "the migration is not open")
        self.platform.grants.require_valid(self.store.one("grant", migration["grant_id"]))
        return self._apply(id)

    def show_to_source(self, peer_id, id):
        migration = self._of_source(peer_id, id)
        names = ("migration_id", "status", "conflict_log", "applied_count", "skipped_count", "metadata")
        return {name: migration[name] for name in names}

    def _of_source(self, peer_id, id):
        migration = self.store.one("migration", id)
        if migration is None or migration["peer_id"] != peer_id or migration["direction"] != "inbound":
            raise Refusal(404, "no such migration", "NOT_FOUND")
        return migration

    def _require_in_scope(self, peer, plan, grant):
        """Requires that each step has the kind of the grant (6.4), and that kind and schema are declared (3.2)."""
        for step in plan["steps"]:
            kind = step["resource_kind"]
            if kind != grant["resource_kind"]:
                raise Refusal(403, "a step is of another kind than the grant", "FORBIDDEN")
            row = self.platform.capabilities.ours(peer["id"], kind)
            if row is None or row["direction"] == "push_local_to_remote":
                raise Refusal(422, "this kind is not taken in", "VALIDATION_ERROR")
            version = as_object(step.get("metadata")).get("schema_version", plan["plan_summary"].get("schema_version"))
            if not same_schema(row.get("schema_version"), version):
                raise Refusal(422, "this schema version is not run here", "VALIDATION_ERROR")

    def _record(self, peer, plan, direction, grant_id=None):
        migration = {
            "migration_id": uuid7(), "peer_id": peer["id"], "direction": direction, "plan": plan, "grant_id": grant_id,
            "operation": plan["operation"], "status": "validating", "conflict_log": [], "applied_count": 0,
            "skipped_count": 0, "audit_log": [], "metadata": {},
        }
        ours, theirs = self.platform.settings["residency"], peer.get("data_residency")
        if is_text(theirs) and theirs.casefold() != ours.casefold():
            crossing = {"from": theirs, "to": ours} if direction == "inbound" else {"from": ours, "to": theirs}
            migration["metadata"]["cross_jurisdiction"] = crossing
            self.platform.emit("migration.cross_residency_boundary", "high", peer["id"],
                               {"migration_id": migration["migration_id"], **crossing})
        self.store.put("migration", migration["migration_id"], migration)
        return migration

    def _change(self, id, **members):
        migration = self.store.one("migration", id)
        log = [*migration["audit_log"], {"at": self.platform.stamp(), "status": members.get("status")}]
        return self.store.update("migration", id, audit_log=log, **members)

    def _apply(self, id):
        """Stores the records and the result in one transaction."""
        migration = self.store.one("migration", id)
        plan, peer_id = migration["plan"], migration["peer_id"]
        log = []
        try:
            with self.store.transaction():
                if self.store.one("migration", id)["status"] not in ("validating", "transferring"):
                    raise Refusal(409, "the migration is not open")
                applied = sum(self._step(peer_id, id, plan, step, log) for step in plan["steps"])
                done = self._change(id, status="completed", conflict_log=log, applied_count=applied,
                                    skipped_count=len(plan["steps"]) - applied)
        except Failed as failed:
            log = [failed.conflict] if failed.conflict else []
            self._change(id, status="failed", conflict_log=log)
            members = {"migration_id": id, "status": "failed", "conflict_log": log}
            raise Refusal(422, str(failed), members=members) from None
        return 201, {"data": {name: done[name] for name in (
            "migration_id", "status", "applied_count", "skipped_count", "conflict_log")}}

    def _step(self, peer_id, migration_id, plan, step, log):
        """Applies a step. Returns whether it wrote or deleted a record; a conflict goes to the log."""
        kind, id, policy = step["resource_kind"], step["resource_id"], step["conflict_policy"]
        known = self.platform.capabilities.get(kind, id)
        if plan["operation"] == "delete":
            if known is None or known.get("source_peer") != peer_id:
                raise Failed("only what this peer migrated can be deleted by it")
            self.platform.capabilities.remove(kind, id)
            return True
        if step["action"] == "skip":
            return False
        if step["action"] == "link_local":
            if known is None:
                raise Failed("there is nothing to link to")
            return False
        if step["action"] == "conflict" and known is None:
            raise Failed("the sender foretells a conflict")
        if known is not None:
            # An id never changes (7.4), so a suffix cannot resolve this. A duplicate must have fresh ids.
            resolution = {"skip_if_exists": "skipped", "overwrite": "overwritten"}.get(policy, "failed")
            if plan["operation"] == "duplicate" or step["action"] == "conflict":
                resolution = "failed"
            conflict = {"step_order": step["step_order"], "resource_kind": kind, "resource_id": id,
                        "constraint": "primary_key", "columns": ["id"], "conflicting_record_id": id,
                        "resolution": resolution}
            if resolution == "failed":
                raise Failed(f"step {step['step_order']} conflicts with a record that exists", conflict)
            log.append(conflict)
            if resolution == "skipped":
                return False
        record = {name: value for name, value in step["payload"].items() if name not in LOCAL_MEMBERS}
        if "account_id" in step["payload"]:
            record["account_id"] = self.platform.account_id
        self.platform.capabilities.put(kind, id, record, source_peer=peer_id, migration_id=migration_id)
        return True

    # -- as source --------------------------------------------------------------------------------

    def send(self, peer_id, root_resource_kind, root_resource_id, operation="migrate", bearer_token=None, commit=True):
        kind, id = root_resource_kind, root_resource_id
        peer, row = self.platform.peer(peer_id), self.platform.capabilities.get(kind, id)
        held = self.platform.grants.held(peer_id, kind, id, "migrate")
        token = bearer_token or (held and held["bearer_token"])
        if row is None or token is None or operation not in ("migrate", "duplicate"):
            raise OperatorError("a record of ours and a grant of the peer's are needed", -32004)
        sent = id if operation == "migrate" else uuid7()
        payload = {**row["record"], "id": sent}
        if operation == "duplicate":
            payload["metadata"] = {**as_object(payload.get("metadata")), "duplicated_from": id}
        version = (self.platform.capabilities.ours(peer_id, kind) or {}).get("schema_version")
        step = {"step_order": 1, "resource_kind": kind, "resource_id": sent, "action": "create",
                "conflict_policy": "fail", "payload": payload,
                "metadata": {} if version is None else {"schema_version": version}}
        plan = {"operation": operation, "root_resource_kind": kind, "root_resource_id": sent,
                "plan_summary": {"total": 1}, "steps": [step]}
        migration_id = self._record(peer, plan, "outbound")["migration_id"]
        body = plan if commit else {**plan, "commit": False}
        response = self.platform.client.call(peer_id, "POST", "/migrations", "migration", body, token)
        theirs = response.data.get("migration_id")
        held = self.platform.grants.held_by_token(peer_id, token)
        if held and "migrate" in held["permission_scopes"]:
            self.platform.client.check_grant_refusal(held, response)
        if commit:
            return self._conclude(peer_id, migration_id, plan, response, token)
        self._change(migration_id, status="transferring" if response.succeeded else "failed", remote_id=theirs)
        return self._result(migration_id)

    def _conclude(self, peer_id, migration_id, plan, response, token):
        """Verifies the claim of the destination. The platform never deletes the originals (11.2)."""
        if response.succeeded:
            reason = self._false_claim(peer_id, plan, response.data, token)
            if reason:
                self.platform.governance.breach(7, "peer_migration_untruthful", peer_id, reason)
            self._change(migration_id, status="failed" if reason else "completed", applied_count=1,
                         remote_id=response.data.get("migration_id"),
                         conflict_log=as_list(response.data.get("conflict_log")))
        else:
            if "schema" in response.error.lower():
                self.platform.governance.breach(3, "peer_capability_drift", peer_id,
                                                "it refuses a schema version that it declares", "schema")
            self._change(migration_id, status="failed", error=response.error)
        return self._result(migration_id)

    def _false_claim(self, peer_id, plan, claim, token):
        """Returns what is wrong with the claim that the plan was applied, or None."""
        step = plan["steps"][0]
        kind, id, sent = step["resource_kind"], step["resource_id"], step["payload"]
        log = [as_object(entry) for entry in as_list(claim.get("conflict_log"))]
        if any(entry.get("resource_id") not in (None, id) for entry in log):
            return "the conflict log names what was not in the plan"
        if log and claim.get("applied_count") == 1:
            return "the conflict log reports a conflict, and the plan, which forbids any, was applied"
        if claim.get("applied_count") != 1 or claim.get("skipped_count", 0) != 0:
            return "the counts do not fit the plan"
        response = self.platform.client.call(peer_id, "GET", f"/resources/{kind}/{id}", "resource.read", token=token)
        if response.status in (401, 403):
            return None  # The grant does not cover reading.
        if not response.succeeded or response.data.get("exists") is not True or response.data.get("id") != id:
            return "what it says it applied can't be read back"
        record = response.data.get("record")
        changed = isinstance(record, dict) and [
            name for name, value in sent.items() if name not in LOCAL_MEMBERS and record.get(name) != value]
        return f"what can be read back is not what was sent: {', '.join(changed)}" if changed else None

    def _result(self, migration_id):
        migration = self.store.one("migration", migration_id)
        return {"migration_id": migration_id, "status": migration["status"], "error": migration.get("error")}

    # -- for the operator -------------------------------------------------------------------------

    def show(self, migration_id):
        migration = self.store.one("migration", migration_id)
        if migration is None:
            raise OperatorError("there is no such migration", -32004)
        return migration


def read_plan(body):
    """Returns the plan with its steps in order. Raises a refusal before anything is applied."""
    needed = ("operation", "root_resource_kind", "root_resource_id", "steps")
    missing = [name for name in needed if body.get(name) in (None, "")]
    if missing:
        raise malformed(f"Missing required fields: {', '.join(missing)}")
    if body["operation"] not in OPERATIONS:
        raise malformed(f"operation must be one of {', '.join(OPERATIONS)}")
    steps = body["steps"]
    if not isinstance(steps, list) or not steps:
        raise malformed("Plan must contain at least one step")
    broken = [n for n, step in enumerate(steps) if not is_complete_step(step)]
    if broken:
        raise malformed(f"Steps missing required fields: indexes={broken}")
    if any(name in holder for name in HOPS for holder in (body, as_object(body.get("plan_summary")))):
        raise Refusal(422, "a migration goes to one platform and no further", "VALIDATION_ERROR")
    orders = [step["step_order"] for step in steps]
    if len(set(orders)) != len(orders) or min(orders) < 0:
        raise Refusal(422, "step_order must be different for each step, and not negative", "VALIDATION_ERROR")
    if any(step["payload"].get("id", step["resource_id"]) != step["resource_id"] for step in steps):
        raise Refusal(422, "a payload has another id than its step", "VALIDATION_ERROR")
    return {
        "operation": body["operation"], "root_resource_kind": body["root_resource_kind"],
        "root_resource_id": body["root_resource_id"], "plan_summary": as_object(body.get("plan_summary")),
        "steps": sorted(steps, key=lambda step: step["step_order"]),
    }


def is_complete_step(step):
    step = as_object(step)
    step.setdefault("payload", {})
    step.setdefault("conflict_policy", "fail")
    step.setdefault("action", "create")
    return type(step.get("step_order")) is int and is_text(step.get("resource_kind")) and \
        is_text(step.get("resource_id")) and step["action"] in ACTIONS and \
        step["conflict_policy"] in POLICIES and isinstance(step["payload"], dict)


def malformed(text):
    return Refusal(400, text, "PARAMETER_MISSING")

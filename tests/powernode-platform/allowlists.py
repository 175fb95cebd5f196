"""The allowlists of a grant: for instances, for networks and for addresses."""

from federation.basics import OperatorError

ANY = "*"
AXES = ("node_instance_ids", "sdwan_network_ids", "source_cidrs")


def require_allowlists(generation, lists):
    """Refuses a blank allowlist, or a star beside other entries, where the generation has stars."""
    for axis in AXES if generation.stars_allowlists else ():
        entries = lists.get(axis)
        name = axis.replace("_", " ").capitalize()
        if not entries:
            raise OperatorError(f"Validation failed: {name} can't be blank", -32602)
        if ANY in entries and len(entries) > 1:
            raise OperatorError(f"Validation failed: {name} must hold * alone", -32602)


def restricts(generation):
    """Returns the rule by which an allowlist restricts anything: what is not `["*"]`, or what has entries."""
    return (lambda entries: entries != [ANY]) if generation.stars_allowlists else bool

"""The envelopes of the federation plane, and its refusals."""

from federation.basics import Refusal


class Crash(Exception):
    """What the recordings answer with 500: a value of a type that the code does not expect."""


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

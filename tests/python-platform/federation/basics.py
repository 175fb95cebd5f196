"""Time, ids and the two kinds of refusal."""

import os
import re
import time
import uuid
from datetime import datetime, timedelta, timezone

# A semantic version (semver.org); groups 1 and 2 are major and minor. Use it with `fullmatch`.
SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?"
    r"(?:\+[\da-zA-Z-]+(?:\.[\da-zA-Z-]+)*)?",
    re.ASCII,
)


class Refusal(Exception):
    """A federation call that is answered with an error."""

    def __init__(self, status, error, code=None, headers=None, members=None):
        super().__init__(error)
        self.status = status
        self.headers = headers or {}
        self.body = {"success": False, "error": error, **(members or {})}
        if code:
            self.body["code"] = code


class OperatorError(Exception):
    """A call of a method that failed: a JSON-RPC error."""

    def __init__(self, message, code=-32009):
        super().__init__(message)
        self.code = code


class Clock:
    """The time of the machine plus the offset by which the operator has moved it."""

    def __init__(self):
        self._offset = timedelta()

    def now(self):
        return datetime.now(timezone.utc) + self._offset

    def advance(self, seconds):
        self._offset += timedelta(seconds=seconds)


def rfc3339(instant):
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_rfc3339(text):
    """Returns None if the text is not RFC 3339. Python before 3.11 parses neither `Z` nor nanoseconds."""
    if not isinstance(text, str):
        return None
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text)
    if not match:
        return None
    day, clock, fraction, zone = match.groups()
    micros = ((fraction or ".0")[1:] + "000000")[:6]
    zone = "+00:00" if zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}")
    except ValueError:
        return None


def uuid7():
    """Returns a UUIDv7: 48 bits of milliseconds, then random bits."""
    bits = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=bits))


def is_text(value):
    """Returns whether a value is a text that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def as_object(value):
    return value if isinstance(value, dict) else {}


def as_list(value):
    return value if isinstance(value, list) else []

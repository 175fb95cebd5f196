#!/usr/bin/env python3
"""The same platform as its next release, 1.5.0. `--adds` adds to its heartbeats, `--breaks-answers` and `--breaks-calls` drop members
that release 1.4.0 sends, `--breaks-forms` writes a moment as seconds, and `--forgets` loses its peers when it is stopped."""

import sys

import adapter
from federation import platform, routes
from federation.basics import parse_rfc3339
from federation.client import Client

platform.DEFAULTS["release"] = "1.5.0"

call_as_before, success_as_before, stop_as_before = Client.call, routes.success, platform.Platform.stop


def answer_with_load(data):
    return success_as_before({**data, "load": 0.5} if "our_endpoints" in data else data)


def answer_without_time(data):
    return success_as_before({name: value for name, value in data.items() if name != "last_heartbeat_at"})


def call_with_load(client, peer_id, method, path, action, body=None, token=None):
    return call_as_before(client, peer_id, method, path, action, body and {**body, "load": 0.5}, token)


def call_without_version(client, peer_id, method, path, action, body=None, token=None):
    if action == "heartbeat":
        body = {name: value for name, value in body.items() if name != "platform_version"}
    return call_as_before(client, peer_id, method, path, action, body, token)


def answer_with_seconds(data):
    if "last_heartbeat_at" in data:
        seconds = str(int(parse_rfc3339(data["last_heartbeat_at"]).timestamp()))
        data = {**data, "last_heartbeat_at": seconds}
    return success_as_before(data)


def stop_and_forget(stopped):
    stop_as_before(stopped)
    stopped.store.clear()


if "--adds" in sys.argv:
    Client.call, routes.success = call_with_load, answer_with_load
if "--breaks-answers" in sys.argv:
    routes.success = answer_without_time
if "--breaks-calls" in sys.argv:
    Client.call = call_without_version
if "--breaks-forms" in sys.argv:
    routes.success = answer_with_seconds
if "--forgets" in sys.argv:
    platform.Platform.stop = stop_and_forget

if __name__ == "__main__":
    adapter.main()

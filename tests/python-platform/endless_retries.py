#!/usr/bin/env python3
"""The same platform, except that it repeats a heartbeat that was answered with an error every 150 ms, without end."""

import threading

import adapter
from federation.client import Client

PAUSE_SECONDS = 0.15

note_failure = Client._heartbeat_failed


def retry(client, peer_id, response):
    note_failure(client, peer_id, response)
    if response.status is not None and response.status >= 500:
        timer = threading.Timer(PAUSE_SECONDS, client.heartbeat, (peer_id,))
        timer.daemon = True
        timer.start()


Client._heartbeat_failed = retry

if __name__ == "__main__":
    adapter.main()

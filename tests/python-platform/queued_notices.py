#!/usr/bin/env python3
"""The same platform, except that it delivers its notices from a queue, two seconds late."""

import threading

import adapter
from federation.notices import Notices

DELAY_SECONDS = 2

deliver_at_once = Notices.deliver


def deliver_later(notices, *notice):
    timer = threading.Timer(DELAY_SECONDS, deliver_at_once, (notices, *notice))
    timer.daemon = True
    timer.start()


Notices.deliver = deliver_later

if __name__ == "__main__":
    adapter.main()

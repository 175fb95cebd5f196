"""An adapter for ci/browser: the reference platform, whose operator plane answers with texts that attack a page.

    python3 ci/hostile-adapter.py COVENANT
"""

import json
import subprocess
import sys

ATTACK = (
    "\"'></script><script>window.ran=1</script><img src=x onerror=\"window.ran=1\">"
    "<a href=\"javascript:window.ran=1\">x</a><svg onload=window.ran=1>\u202e"
)
# Members that a platform may fill with any text.
FREE = {"name", "message", "description", "summary", "text", "reason", "title", "resolution"}


def attacked(value):
    if isinstance(value, list):
        return [attacked(part) for part in value]
    if isinstance(value, dict):
        return {
            name: part + ATTACK if name in FREE and isinstance(part, str) else attacked(part)
            for name, part in value.items()
        }
    return value


def main():
    defect = ["--defect", "omits-first-conflict-from-log"]
    platform = subprocess.Popen(
        [sys.argv[1], "adapter", *defect], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for line in sys.stdin:
        platform.stdin.write(line)
        platform.stdin.flush()
        response = json.loads(platform.stdout.readline())
        method = json.loads(line).get("method")
        if method == "resource.list":
            response["result"] = attacked(response.get("result"))
        elif method == "contract.list":
            response.pop("result", None)
            response["error"] = {"code": -32000, "message": ATTACK}
        print(json.dumps(response), flush=True)
    platform.stdin.close()
    platform.wait()


main()

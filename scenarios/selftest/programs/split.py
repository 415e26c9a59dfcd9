"""Two functions share a core 70 to 30; each counts its own CPU."""

import json
import time

used = {"seventy": 0.0, "thirty": 0.0}


def seventy() -> None:
    began = time.thread_time()
    while time.thread_time() < began + 0.07:
        sum(range(50))
    used["seventy"] += time.thread_time() - began


def thirty() -> None:
    began = time.thread_time()
    while time.thread_time() < began + 0.03:
        sum(range(50))
    used["thirty"] += time.thread_time() - began


end = time.monotonic() + 4
while time.monotonic() < end:
    seventy()
    thirty()
print(json.dumps({"share": used["seventy"] / sum(used.values())}))

"""Four children share the 100 MB of their parent; the kernel counts each page once for us (PSS)."""

import json
import os
import select
import time
from pathlib import Path

TABLE = bytearray(b"x") * 100_000_000


def pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no Pss")


children = []
over, keep_open = os.pipe()
for _ in range(4):
    child = os.fork()
    if child == 0:
        os.close(keep_open)
        while not select.select([over], [], [], 0.05)[0]:
            sum(TABLE[::4096])
        os._exit(0)
    children.append(child)
highest = 0
for _ in range(5):
    time.sleep(0.4)
    highest = max(highest, sum(pss_bytes(pid) for pid in [os.getpid(), *children]))
time.sleep(0.4)
os.close(keep_open)
for child in children:
    os.waitpid(child, 0)
print(json.dumps({"peak_bytes": highest}))

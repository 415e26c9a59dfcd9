"""One thread, by turns of a few milliseconds: one function keeps, one throws away, one computes."""

import json
import time

KEPT: list[bytearray] = []


def hoard() -> None:
    KEPT.append(bytearray(b"x") * 400_000)


def churn() -> None:
    for _ in range(4):
        len(bytearray(b"x") * 400_000)


def compute() -> None:
    until = time.monotonic() + 0.003
    while time.monotonic() < until:
        sum(range(50))


end = time.monotonic() + 5
while time.monotonic() < end:
    hoard()
    churn()
    compute()
    time.sleep(0.01)
print(json.dumps({"keeps": "hoard", "innocent": ["churn", "compute"]}))

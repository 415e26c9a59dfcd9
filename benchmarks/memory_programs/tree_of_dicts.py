"""A tree of dicts: each path that was asked for stays."""

import sys
import time

tree = {}


def insert(n):
    at = tree
    for k in range(6):
        at = at.setdefault("%d" % ((n >> (3 * k)) % 8), {})
    at[n] = {"visits": 1, "name": "leaf %d" % n}


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    for _ in range(400):
        insert(n)
        n += 1
    spend(n)
    time.sleep(0.005)

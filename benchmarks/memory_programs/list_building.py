"""Rows are parsed into dicts that a local list keeps."""

import sys
import time


def parse(n):
    return {"id": n, "name": "user %d" % n, "tags": ["a%d" % n, "b%d" % n]}


def check(row):
    total = 0
    for letter in row["name"]:
        total += ord(letter)
    return total


def build(end):
    rows = []
    n = 0
    while time.time() < end:
        for _ in range(100):
            rows.append(parse(n))
            check(rows[-1])
            n += 1
        time.sleep(0.002)
    return len(rows)


build(time.time() + float(sys.argv[1]))

"""Three generators in a row: one batch in memory at any time."""

import sys
import time

import perftui


def batches(until):
    while time.monotonic() < until:
        yield [(n, str(n), n * 0.5) for n in range(5_000)]


def filtered(source):
    for batch in source:
        yield [row for row in batch if row[0] % 3]


with perftui.phase("stream"):
    total = 0.0
    for batch in filtered(batches(time.monotonic() + float(sys.argv[1]))):
        total += sum(row[2] for row in batch)
        perftui.count("rows", len(batch))

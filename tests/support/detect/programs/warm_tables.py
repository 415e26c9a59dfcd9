"""Loads tables for 10 s, evenly, then joins batches against them: what it has stays."""

import sys
import time

import perftui

tables = []
with perftui.phase("load"):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        tables.append(bytearray(b"t") * 400_000)
        time.sleep(0.047)
with perftui.phase("join"):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        batch = [bytes(table[:20_000]) for table in tables[:40]]
        perftui.count("requests")
        del batch
        time.sleep(0.03)

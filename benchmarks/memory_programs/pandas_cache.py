"""An enrichment keeps a frame of every batch in a cache that nobody empties."""

import sys
import time

import pandas as pd

CACHE = {}


def load(n):
    return pd.DataFrame({"key": range(20_000), "value": n})


def enrich(n, frame):
    CACHE[n] = frame.assign(share=frame["value"] / 7, twice=frame["value"] * 2)
    return CACHE[n]


def report(frame):
    return frame.groupby(frame["key"] % 10)["share"].sum()


end = time.time() + float(sys.argv[1])
batch = 0
while time.time() < end:
    report(enrich(batch, load(batch)))
    batch += 1
    time.sleep(0.02)

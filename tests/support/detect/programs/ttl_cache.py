"""A cache whose entries are thrown away when they are six seconds old."""

import sys
import time
from collections import OrderedDict

import perftui

TTL_S = 6.0
cache = OrderedDict()
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    key = 0
    while (now := time.monotonic()) < end:
        cache[key] = (now, bytearray(b"x") * 200_000)
        key += 1
        while cache and now - next(iter(cache.values()))[0] > TTL_S:
            cache.popitem(last=False)
        perftui.count("requests")
        time.sleep(0.045)

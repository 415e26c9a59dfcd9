"""A bounded cache: it fills for some seconds, then the oldest entry goes for every new one."""

import sys
import time
from collections import OrderedDict

import perftui

cache = OrderedDict()
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    key = 0
    while time.monotonic() < end:
        cache[key] = bytearray(b"x") * 400_000
        key += 1
        if len(cache) > 120:
            cache.popitem(last=False)
        perftui.count("requests")
        time.sleep(0.045)

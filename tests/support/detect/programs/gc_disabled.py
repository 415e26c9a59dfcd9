"""The collector is off and every request leaves a cycle: about 2 MB/s that nobody collects."""

import gc
import sys
import time

import perftui


class Node:
    def __init__(self, payload):
        self.payload = payload
        self.me = self


gc.disable()
perftui.mark("truth: mem_growth")
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        Node(bytearray(b"x") * 80_000)
        time.sleep(0.04)

"""Garbage in cycles stays, as the collector is off."""

import gc
import sys
import time


class Page:
    def __init__(self, n):
        self.parent = self
        self.text = ["line %d" % k for k in range(n % 5, 1_500)]


def render(n):
    return len(Page(n).text)


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


gc.disable()
end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    render(n)
    spend(n)
    n += 1
    time.sleep(0.01)

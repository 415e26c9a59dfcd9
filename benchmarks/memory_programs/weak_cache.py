"""A weak cache would let go of its values, but a list of recent ones keeps them all."""

import sys
import time
import weakref


class Tile:
    def __init__(self, n):
        self.pixels = bytearray(b"t") * 120_000
        self.n = n


cache = weakref.WeakValueDictionary()
recent = []


def tile(n):
    if n not in cache:
        made = Tile(n)
        cache[n] = made
        recent.append(made)
    return cache[n]


def draw(n):
    return sum(tile(n).pixels[:2_000])


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    draw(n)
    n += 1
    time.sleep(0.015)

"""Generators that nobody reads to their end keep what they have loaded."""

import sys
import time

readers = []


def rows(n):
    block = [(n, k) for k in range(4_000)]
    yield from block


def peek(n):
    reader = rows(n)
    readers.append(reader)
    return next(reader)


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    peek(n)
    spend(n)
    n += 1
    time.sleep(0.01)

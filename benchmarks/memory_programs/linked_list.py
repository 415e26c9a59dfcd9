"""A history as a chain: each state has the one before it."""

import sys
import time


class State:
    def __init__(self, before, n):
        self.before = before
        self.cells = [n] * 4_000


def advance(state, n):
    return State(state, n)


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


def main(end):
    state = None
    n = 0
    while time.time() < end:
        state = advance(state, n)
        spend(n)
        n += 1
        time.sleep(0.008)


main(time.time() + float(sys.argv[1]))

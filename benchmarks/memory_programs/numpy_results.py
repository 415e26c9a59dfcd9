"""A simulation keeps an array of each of its steps in an attribute."""

import sys
import time

import numpy as np


class Run:
    def __init__(self):
        self.results = []

    def simulate(self, n):
        self.results.append(np.full(100_000, n, dtype=float))

    def statistics(self):
        return np.sort(np.random.default_rng(1).random(200_000)).mean()


def main():
    run = Run()
    end = time.time() + float(sys.argv[1])
    n = 0
    while time.time() < end:
        run.simulate(n)
        run.statistics()
        n += 1


main()

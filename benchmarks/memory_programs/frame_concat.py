"""A frame of the whole history is made anew with every batch."""

import sys
import time

import numpy as np
import pandas as pd


class History:
    def __init__(self):
        self.frame = pd.DataFrame({"a": np.zeros(1), "b": np.zeros(1)})

    def extend(self, n):
        new = pd.DataFrame({"a": np.full(20_000, n), "b": np.arange(20_000.0)})
        self.frame = pd.concat([self.frame, new])


def smooth(n):
    return np.sort(np.random.default_rng(n).random(50_000)).mean()


def main(end):
    history = History()
    n = 0
    while time.time() < end:
        history.extend(n)
        smooth(n)
        n += 1
        time.sleep(0.02)


main(time.time() + float(sys.argv[1]))

"""Works on columns, in memory that it has from the start."""

import time

import numpy as np

x, y = np.random.rand(2_000_000), np.zeros(2_000_000)


def step():
    np.sqrt(x, out=y)
    np.multiply(x, y, out=y)
    return float(y.sum())


began = time.perf_counter()
while time.perf_counter() - began < 10:
    step()
    time.sleep(0.02)

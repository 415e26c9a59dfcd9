"""Every table becomes a name of a module in a package."""

import sys
import time

import shop.stock as stock


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    stock.load(n)
    spend(n)
    n += 1
    time.sleep(0.015)

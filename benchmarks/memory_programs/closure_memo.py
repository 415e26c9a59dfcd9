"""A decorator of one's own remembers every answer in a closure."""

import functools
import sys
import time


def memoized(function):
    memo = {}

    @functools.wraps(function)
    def asked(n):
        if n not in memo:
            memo[n] = function(n)
        return memo[n]

    return asked


@memoized
def prices(n):
    return [n * k for k in range(20_000)]


def total(rows):
    return sum(rows)


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    total(prices(n))
    n += 1
    time.sleep(0.02)

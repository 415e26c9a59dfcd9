"""Every answer is kept in a deque that was meant to have a bound."""

import collections
import sys
import time

history = collections.deque()


def encode(n):
    return (b"%d;" % n) * 60_000


def remember(answer):
    history.append(answer)


def digest(n):
    return sum(k * k for k in range(n % 3_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    remember(encode(n))
    digest(n)
    n += 1
    time.sleep(0.02)

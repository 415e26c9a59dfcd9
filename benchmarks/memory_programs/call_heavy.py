"""Very many small calls, of which some keep a little; says its work per CPU second."""

import sys
import time

kept = []


def add(a, b):
    return a + b


def keep(n):
    if n % 50 == 0:
        kept.append(bytearray(b"x") * 400)
    return n


def work():
    n = 0
    for _ in range(1000):
        n = add(n, (keep(n) and 1) or 1)
    return n


end = time.time() + float(sys.argv[1])
done = 0
while time.time() < end:
    done += work()
print("work", done / time.process_time())

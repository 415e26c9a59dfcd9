"""Errors are kept for a report, and with their tracebacks what the functions had."""

import sys
import time

failures = []


def convert(n):
    block = bytearray(b"e") * 150_000
    return int("no number %d, %d" % (n, len(block)))


def attempt(n):
    try:
        convert(n)
    except ValueError as error:
        failures.append(error)


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    attempt(n)
    spend(n)
    n += 1
    time.sleep(0.015)

"""What was registered to be done at exit is kept by the interpreter, in C."""

import atexit
import sys
import time


def flush(block):
    block.clear()


def opened(n):
    block = bytearray(b"c") * 150_000
    atexit.register(flush, block)
    return len(block)


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    opened(n)
    spend(n)
    n += 1
    time.sleep(0.015)

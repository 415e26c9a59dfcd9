"""A leak without any function, whose work gets slower as it grows."""

import sys
import time

kept = []
end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    kept.append(bytearray(b"x") * 1_000_000)
    for block in kept:
        block[0] = n % 256
        time.sleep(0.0005)
    n += 1

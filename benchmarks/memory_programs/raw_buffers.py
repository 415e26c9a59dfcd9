"""Buffers of ctypes and anonymous mappings are kept for a device."""

import ctypes
import mmap
import sys
import time


class Device:
    def __init__(self):
        self.buffers = []

    def buffer(self, n):
        if n % 2:
            made = ctypes.create_string_buffer(b"d" * 150_000)
        else:
            made = mmap.mmap(-1, 150_000)
            made.write(b"m" * 150_000)
        self.buffers.append(made)


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


device = Device()
end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    device.buffer(n)
    spend(n)
    n += 1
    time.sleep(0.015)

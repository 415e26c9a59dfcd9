"""Instances enter themselves in a registry that a base class has."""

import sys
import time


class Registered:
    instances = []

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.made = 0

    def __init__(self):
        Registered.instances.append(self)
        type(self).made += 1


class Picture(Registered):
    def __init__(self, width):
        super().__init__()
        self.pixels = bytearray(b"p") * width


def thumbnail(n):
    return len(Picture(150_000 + n % 9).pixels)


def sort(n):
    return sorted(range(n % 5_000), key=str)


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    thumbnail(n)
    sort(n)
    n += 1
    time.sleep(0.015)

"""A method is cached without a bound, and the cache keeps each object that was asked."""

import functools
import sys
import time


class Document:
    def __init__(self, n):
        self.text = "word%d " % n * 8_000

    @functools.cache  # noqa: B019 - that is the leak
    def parsed(self):
        return self.text.split()


def count(n):
    return len(set(Document(n).parsed()))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    count(n)
    n += 1
    time.sleep(0.03)

"""A loader thread fills an inbox that the main thread empties too slowly."""

import sys
import threading
import time


class Loader:
    def __init__(self):
        self.inbox = []

    def load(self, n):
        self.inbox.append([n] * 100_000)

    def run(self, end):
        n = 0
        while time.time() < end:
            self.load(n)
            n += 1
            time.sleep(0.03)


def digest(block):
    return sum(x * x for x in block[:20_000])


def main():
    end = time.time() + float(sys.argv[1])
    loader = Loader()
    thread = threading.Thread(target=loader.run, args=(end,), name="loader")
    thread.start()
    while time.time() < end:
        if loader.inbox:
            digest(loader.inbox[-1])
        time.sleep(0.005)
    thread.join()


main()

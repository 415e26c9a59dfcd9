"""Clerks that book into one ledger, one at a time."""

import threading
import time


class Ledger:
    def __init__(self):
        self.lock = threading.RLock()
        self.lines = 0

    def book(self, amount):
        with self.lock:
            self.lines += 1
            time.sleep(0.006)
            return amount


ledger = Ledger()
end = time.perf_counter() + 9


def clerk():
    while time.perf_counter() < end:
        ledger.book(3)
        sum(range(500))


clerks = [threading.Thread(target=clerk, name=f"clerk-{n}") for n in range(6)]
for each in clerks:
    each.start()
for each in clerks:
    each.join()
print(ledger.lines)

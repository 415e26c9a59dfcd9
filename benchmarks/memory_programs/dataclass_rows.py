"""Small objects without a dict, in a list that an object in a local variable has."""

import sys
import time
from dataclasses import dataclass, field


@dataclass
class Trade:
    __slots__ = ("buyer", "number", "price")
    number: int
    price: float
    buyer: str


@dataclass
class Book:
    trades: list = field(default_factory=list)

    def record(self, n):
        self.trades.append(Trade(n, n * 0.5, "buyer %d" % n))


def spread(n):
    return max(abs(k - n) for k in range(400))


def main(end):
    book = Book()
    n = 0
    while time.time() < end:
        for _ in range(500):
            book.record(n)
            n += 1
        spread(n)
        time.sleep(0.005)


main(time.time() + float(sys.argv[1]))

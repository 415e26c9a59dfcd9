"""Objects are made and dropped, and one of a hundred is kept; says its work per CPU second."""

import sys
import time

kept = {}


class Order:
    def __init__(self, n):
        self.n = n
        self.lines = [{"item": n + k, "price": k * 1.5} for k in range(5)]


def one(n):
    order = Order(n)
    if n % 100 == 0:
        kept[n] = order
    return order


end = time.time() + float(sys.argv[1])
done = 0
while time.time() < end:
    for _ in range(200):
        one(done)
        done += 1
print("work", done / time.process_time())

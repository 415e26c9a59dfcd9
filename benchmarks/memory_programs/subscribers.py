"""Widgets that are closed stay subscribed: a bound method keeps each."""

import sys
import time


class Bus:
    def __init__(self):
        self.subscribers = {"tick": [], "quit": []}

    def subscribe(self, name, call):
        self.subscribers[name].append(call)


class Widget:
    def __init__(self, bus, n):
        self.lines = ["widget %d %d" % (n, k) for k in range(1_500)]
        bus.subscribe("tick", self.on_tick)

    def on_tick(self):
        return len(self.lines)


def show(bus, n):
    return Widget(bus, n).on_tick()


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


def main(end):
    bus = Bus()
    n = 0
    while time.time() < end:
        show(bus, n)
        spend(n)
        n += 1
        time.sleep(0.01)


main(time.time() + float(sys.argv[1]))

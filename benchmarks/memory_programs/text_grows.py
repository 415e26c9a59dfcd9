"""A report is one text that gets longer with every line."""

import sys
import time


class Report:
    def __init__(self):
        self.text = ""

    def line(self, n):
        self.text += "line %d " % n * 12_000


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


def main(end):
    report = Report()
    n = 0
    while time.time() < end:
        report.line(n)
        spend(n)
        n += 1
        time.sleep(0.02)


main(time.time() + float(sys.argv[1]))

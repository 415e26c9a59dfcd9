"""Rows go into a database in memory, which is no object of Python's."""

import sqlite3
import sys
import time

database = sqlite3.connect(":memory:")
database.execute("create table t (n integer, body text)")


def store(n):
    database.executemany("insert into t values (?, ?)", [(n, "x" * 4_000) for _ in range(40)])


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    store(n)
    spend(n)
    n += 1
    time.sleep(0.015)

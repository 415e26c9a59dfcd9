"""Every answer of a query is collected, though only its last row is looked at."""

import sys
import time

import duckdb

collected = []
connection = duckdb.connect()
connection.execute("create table t as select range n, random() x from range(60000)")


def collect(k):
    collected.append(connection.execute("select n, x * ? y from t", [k]).fetchnumpy())


def total():
    return connection.execute("select sum(x) from t where n % 7 = 3").fetchone()


end = time.time() + float(sys.argv[1])
k = 0
while time.time() < end:
    collect(k)
    total()
    k += 1
    time.sleep(0.02)

"""For each order one query for its customer."""

import json
import sqlite3
import time

db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT)")
db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER)")
db.executemany("INSERT INTO customer VALUES (?, ?)", ((n, f"c{n}") for n in range(20_000)))
db.executemany("INSERT INTO orders VALUES (?, ?)", ((n, n % 20_000) for n in range(50_000)))


def customer_of(order):
    return db.execute("SELECT name FROM customer WHERE id = ?", (order,)).fetchone()[0]


def report():
    rows = db.execute("SELECT id, customer FROM orders")
    return sum(len(customer_of(customer)) for _, customer in rows)


began = time.perf_counter()
while time.perf_counter() - began < 10:
    report()
print(json.dumps({"seconds": time.process_time()}))

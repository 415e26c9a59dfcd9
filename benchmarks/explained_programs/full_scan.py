"""Orders are looked up by a column that has no index."""

import sqlite3
import time

db = sqlite3.connect(":memory:")
db.execute("create table orders (id integer primary key, customer text, total real)")
rows = ((n, f"customer {n % 9000}", n / 7) for n in range(150_000))
db.executemany("insert into orders values (?, ?, ?)", rows)


def lookup(customer):
    found = db.execute("select sum(total) from orders where customer = ?", (customer,))
    return found.fetchone()[0]


end = time.perf_counter() + 8
n = 0
while time.perf_counter() < end:
    lookup(f"customer {n}")
    n += 1
print(n)

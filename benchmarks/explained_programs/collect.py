"""A report that makes a list of all rows of a generator before it looks at the first."""

import time


def rows_of(parts):
    for part in range(parts):
        time.sleep(0.05)
        for n in range(15_000):
            yield {"id": n, "part": part, "name": f"row {n}"}


def report():
    rows = list(rows_of(130))
    return sum(row["id"] for row in rows)


print(report())
time.sleep(0.5)

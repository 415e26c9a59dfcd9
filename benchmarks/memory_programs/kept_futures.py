"""All futures of a pool are kept in a list, and with them what they returned."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor


def fetch(n):
    time.sleep(0.01)
    return ["row %d" % k for k in range(n % 7, 2_000)]


def checked(rows):
    return sum(len(row) for row in rows[:300])


def main(end):
    futures = []
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as pool:
        n = 0
        while time.time() < end:
            futures.append(pool.submit(fetch, n))
            checked(futures[-1].result())
            n += 1


main(time.time() + float(sys.argv[1]))

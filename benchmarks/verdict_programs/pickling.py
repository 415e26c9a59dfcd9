"""What workers are sent costs more than what they do."""

import json
import multiprocessing
import time

rows = [{"id": n, "name": f"name {n}", "tags": [str(n)] * 3} for n in range(40_000)]


def count(part):
    return len(part)


if __name__ == "__main__":
    used = time.process_time()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        began = time.perf_counter()
        while time.perf_counter() - began < 10:
            pool.map(count, [rows] * 4, chunksize=1)
    print(json.dumps({"seconds": time.process_time() - used}))

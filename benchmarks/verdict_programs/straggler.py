"""Four workers share the work unevenly: three wait for the last."""

import json
import multiprocessing
import time


def part(size):
    start = time.process_time()
    while time.process_time() - start < size:
        sum(range(1000))
    return time.process_time() - start


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        used = pool.map(part, [0.3, 0.3, 0.3, 9.0], chunksize=1)
    print(json.dumps({"seconds": sum(used)}))

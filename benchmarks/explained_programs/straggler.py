"""Work is dealt out by size of name, and one worker gets nearly all of it."""

import time
from concurrent.futures import ProcessPoolExecutor


def crunch(share):
    end = time.process_time() + share
    total = 0
    while time.process_time() < end:
        total += sum(n * n for n in range(3000))
    return total


if __name__ == "__main__":
    with ProcessPoolExecutor(4) as pool:
        print(len(list(pool.map(crunch, [0.2, 8.0, 0.2, 0.2]))))

"""Workers are forked with a large array that they only read; each remembers what it looked up."""

import multiprocessing
import random
import sys
import time

TABLE = [n * 0.5 for n in range(600_000)]
remembered = {}


def look_up(n):
    remembered[n] = TABLE[n : n + 40_000]
    return remembered[n][-1]


def work(end):
    while time.time() < end:
        look_up(random.randrange(len(TABLE) - 40_000))
        time.sleep(0.03)


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    end = time.time() + float(sys.argv[1])
    workers = [context.Process(target=work, args=(end,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

"""A handler of logging keeps records until an error comes, which never does."""

import logging
import logging.handlers
import sys
import time

log = logging.getLogger("service")
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(logging.handlers.MemoryHandler(10**9, flushLevel=logging.CRITICAL))


def answer(n):
    body = "answer %d " % n * 8_000
    log.info("sent %s", body)
    return len(body)


def spend(n):
    return sum(k % 7 for k in range(n % 9_000))


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    answer(n)
    spend(n)
    n += 1
    time.sleep(0.01)

"""A thread keeps what it has parsed in a `threading.local`."""

import sys
import threading
import time

state = threading.local()


def parse(n):
    return {"n": n, "fields": ["f%d" % k for k in range(1_500)]}


def handle(n):
    state.parsed.append(parse(n))


def serve(end):
    state.parsed = []
    n = 0
    while time.time() < end:
        handle(n)
        n += 1
        time.sleep(0.01)


def burn(end):
    n = 0
    while time.time() < end:
        n = (n * 31 + 7) % 1_000_003


end = time.time() + float(sys.argv[1])
server = threading.Thread(target=serve, args=(end,), name="server")
server.start()
burn(end)
server.join()

"""An asyncio service of which one handler calls something that does not await."""

import asyncio
import json
import time

blocked = 0.0


def lookup():
    global blocked
    start = time.perf_counter()
    time.sleep(0.25)
    blocked += time.perf_counter() - start


async def handle(n):
    await asyncio.sleep(0.01)
    if n % 5 == 0:
        lookup()


async def main():
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < 12:
        await asyncio.gather(*(handle(n + k) for k in range(5)))
        await asyncio.sleep(0.1)
        n += 5


asyncio.run(main())
print(json.dumps({"seconds": blocked}))

"""A service of asyncio in which one task holds a lock that all others want."""

from __future__ import annotations

SOURCE = """
import asyncio

async def read_socket():
    await asyncio.sleep(3600)

async def fetch(lock, n):
    async with lock:
        return n

async def writer(lock):
    await lock.acquire()
    await read_socket()

async def main():
    lock = asyncio.Lock()
    w = asyncio.create_task(writer(lock), name="writer")
    await asyncio.sleep(0.1)
    jobs = [asyncio.create_task(fetch(lock, i), name="fetch-%d" % i) for i in range(FETCHES)]
    await asyncio.wait(jobs, timeout=2.5)
    w.cancel()

asyncio.run(main())
"""


def stuck_service(fetches: int) -> str:
    """Return its source; so many tasks wait for the lock."""
    return SOURCE.replace("FETCHES", str(fetches))

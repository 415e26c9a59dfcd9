"""An asyncio service that awaits as it should."""

import asyncio
import time


async def handle():
    await asyncio.sleep(0.02)
    return sum(range(2_000))


async def main():
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        await asyncio.gather(*(handle() for _ in range(20)))
        await asyncio.sleep(0.05)


asyncio.run(main())

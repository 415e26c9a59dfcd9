"""Tasks wait for an event that never comes, each with what it was given."""

import asyncio
import sys
import time

background = set()


async def deliver(body, over):
    lines = [body + str(k) for k in range(2_000)]
    await over.wait()
    return lines


async def accept(n, over):
    task = asyncio.create_task(deliver("mail %d " % n, over))
    background.add(task)
    await asyncio.sleep(0.01)


async def serve(end):
    over = asyncio.Event()
    n = 0
    while time.time() < end:
        await accept(n, over)
        n += 1
    for task in background:
        task.cancel()


asyncio.run(serve(time.time() + float(sys.argv[1])))

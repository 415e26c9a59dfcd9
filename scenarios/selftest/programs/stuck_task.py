"""A task of asyncio waits for something that does not come, in a coroutine that has a name."""

import asyncio
import json


async def read_answer(never: asyncio.Event) -> None:
    await never.wait()


async def ask() -> None:
    await read_answer(asyncio.Event())


async def main() -> None:
    task = asyncio.create_task(ask(), name="asker")
    await asyncio.sleep(3)
    task.cancel()


asyncio.run(main())
print(json.dumps({"task": "asker", "function": "read_answer"}))

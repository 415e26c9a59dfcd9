"""Every answer is remembered for ever, from the first second on."""

import json
import time

ANSWERS: dict[int, bytes] = {}


def remember(number: int) -> None:
    ANSWERS[number] = b"x" * 300_000


end = time.monotonic() + 20
number = 0
while time.monotonic() < end:
    number += 1
    remember(number)
    time.sleep(0.02)
print(json.dumps({"function": "remember"}))

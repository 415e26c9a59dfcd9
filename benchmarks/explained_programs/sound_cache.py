"""A cache with a bound: it fills up, and stays as it is."""

import random
import time
from functools import lru_cache


@lru_cache(maxsize=2000)
def answer(n):
    return [n] * 200


random.seed(3)
end = time.perf_counter() + 8
while time.perf_counter() < end:
    for _ in range(200):
        answer(random.randrange(4000))
    time.sleep(0.01)
print(answer.cache_info())

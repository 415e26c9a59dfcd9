"""Text is scored by four threads, in pure Python."""

import time
from concurrent.futures import ThreadPoolExecutor

TEXT = "the quick brown fox jumps over the lazy dog " * 300


def tokens(text):
    return [word.strip(".,").lower() for word in text.split()]


def score(text):
    seen = {}
    for token in tokens(text):
        seen[token] = seen.get(token, 0) + len(token) % 7
    return sum(seen.values())


end = time.perf_counter() + 9


def shout(_):
    done = 0
    while time.perf_counter() < end:
        done += score(TEXT) > 0
    return done


with ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(shout, range(4))))

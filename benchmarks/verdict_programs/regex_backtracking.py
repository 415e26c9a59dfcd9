"""A pattern that takes twice as long for each letter."""

import json
import re
import time

PATTERN = re.compile(r"^(\w+\s?)*:$")


def is_header(line):
    return PATTERN.match(line) is not None


began, used = time.perf_counter(), 0.0
while time.perf_counter() - began < 10:
    start = time.process_time()
    is_header("averylongwordofletters!")
    used += time.process_time() - start
print(json.dumps({"seconds": used}))

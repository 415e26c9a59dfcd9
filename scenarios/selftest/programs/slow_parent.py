"""Takes 100 ms to import, and what it imports on top; TOOK_S is both."""

import time

began = time.monotonic()
import slow_child  # type: ignore[import-not-found]

assert slow_child.TOOK_S
time.sleep(0.1)
TOOK_S = time.monotonic() - began

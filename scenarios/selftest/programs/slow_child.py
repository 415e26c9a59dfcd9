"""Takes 200 ms to import."""

import time

began = time.monotonic()
time.sleep(0.2)
TOOK_S = time.monotonic() - began

"""Work that goes on as fast as it can, until its source becomes slow; then it is fast again."""

import os
import sys
import threading
import time

import perftui

read_end, write_end = os.pipe()
slow = threading.Event()
done = threading.Event()


def source():
    while not done.is_set():
        if slow.is_set():
            time.sleep(0.4)
        os.write(write_end, b"x" * 4096)


threading.Thread(target=source, daemon=True).start()
seconds = float(sys.argv[1])
with perftui.phase("load"):
    start = time.monotonic()
    while (passed := time.monotonic() - start) < 8 + seconds + 8:
        if 8 < passed < 8 + seconds and not slow.is_set():
            slow.set()
            perftui.mark("truth: io_wait")
        elif passed > 8 + seconds and slow.is_set():
            slow.clear()
            perftui.mark("end: io_wait")
        data = os.read(read_end, 4096)
        for _ in range(3):
            sum(data)
        perftui.count("rows", 40)
    done.set()

"""A batch job: every 9 s a partition is gathered from the rows of its files, and written out."""

import sys
import time

import perftui

end = time.monotonic() + float(sys.argv[1])
with perftui.phase("compact"):
    while time.monotonic() < end:
        partition = []
        full = time.monotonic() + 7
        while time.monotonic() < full:
            partition.append(bytearray(b"r") * 250_000)
            perftui.count("rows", 1000)
            time.sleep(0.048)
        written = sum(len(part) for part in partition)
        del partition
        time.sleep(2)

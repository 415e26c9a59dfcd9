"""Files in shared memory are mapped, one for every request, and the mappings are never closed."""

import mmap
import sys
import tempfile
import time
from pathlib import Path

import perftui

SIZE = 120_000
folder = "/dev/shm" if Path("/dev/shm").is_dir() else None
time.sleep(4)
perftui.mark("truth: mem_growth")
kept = []
with perftui.phase("serve"):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.truncate(SIZE)
            view = mmap.mmap(file.fileno(), SIZE)
        view.write(b"s" * SIZE)
        kept.append(view)
        perftui.count("requests")
        time.sleep(0.048)

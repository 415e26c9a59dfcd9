"""A journal that is safe after every line."""

import os
import tempfile
import time


class Journal:
    def __init__(self, path):
        self.file = open(path, "a")

    def write(self, line):
        self.file.write(line + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())


with tempfile.TemporaryDirectory(dir=".") as folder:
    journal = Journal(os.path.join(folder, "journal"))
    end = time.perf_counter() + 9
    lines = 0
    while time.perf_counter() < end:
        journal.write("x" * 2000)
        lines += 1
print(lines)

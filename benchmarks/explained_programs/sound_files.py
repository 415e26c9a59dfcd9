"""Lines are read from a file, counted and written to another one."""

import os
import tempfile
import time

with tempfile.TemporaryDirectory() as folder:
    source = os.path.join(folder, "in")
    with open(source, "w") as file:
        file.writelines(f"line {n} of many\n" for n in range(200_000))
    end, lines = time.perf_counter() + 8, 0
    while time.perf_counter() < end:
        with open(source) as file, open(os.path.join(folder, "out"), "w") as out:
            for line in file:
                lines += 1
                out.write(line.upper())
print(lines)

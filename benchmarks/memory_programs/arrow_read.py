"""Files of Arrow are read into tables, and all of them are kept."""

import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.feather as feather

TABLES = []


def write(path):
    feather.write_feather(
        pa.table({"n": list(range(50_000)), "x": [0.5] * 50_000}), path, compression="lz4"
    )


def read(path):
    TABLES.append(feather.read_table(path, memory_map=False))


def check(table):
    return sum(table["n"][:100].to_pylist())


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/t.feather"
        write(path)
        end = time.time() + float(sys.argv[1])
        while time.time() < end:
            read(path)
            check(TABLES[-1])
            time.sleep(0.01)


main()

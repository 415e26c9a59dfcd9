"""Exports: a recording, or a part of it, in the formats that other tools read.

    formats.py      the one table of them; `exporter.py` what an entry of it is
    slice.py        what part: a range of time, a phase, threads, a process
    timeline.py     what all stack formats draw from, so that their numbers agree
    write.py        estimates, writes beside, renames

One module per format. It is imported when its format is asked for. A new format is one module
and one line in the table.
"""

"""Exports: a recording, or a part of it, in the formats that other tools read.

    formats.py      the one table of them; `material/exporter.py` what an entry of it is
    material/       what part is wanted, and what all formats draw from: their numbers agree
    stacks/ tables/ pictures/ report/      the formats, a module each
    estimate.py     how large it will be
    write.py        writes beside, renames
    push.py         over HTTP, to whoever collects profiles

A format's module is imported when it is asked for. A new format is one module and one line in the
table.
"""

"""Measuring a block of the process that we are in: for test suites, `with perftui.measure(...)`.

    limits.py      what a block may cost, read from what a person wrote
    measure.py     the context manager: probes on threads of this process, the same detectors
    result.py      what was measured, and what of it breaks a limit
    voice.py       lets `perftui.count`, `phase`, ... be heard while a block is measured
    frames.py      where the measured thread stood at each reading
    high_water.py  the kernel's own peak, per block

It sees less than a look from outside: see `result.UNSEEN`. Nothing here is imported before a
block is measured.
"""

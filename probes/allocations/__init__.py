"""What memray records of a launched program, brought onto our timeline.

    memray_there.py     whether the program's Python has memray: asked before anything starts
    reading/digest.py   one file of memray's summed up; runs in the program's Python
    captured.py         that process started, its answer read: rows on the session's clock
    probe.py            when the program has ended, the rows go into the session

The recording itself is begun by the agent (`probes/agent/allocations.py`).
"""

"""What happened, in at most five findings: why it was slow, why it was big, what it waited for.

    finding.py      what a finding is, and in which words one stands on a line
    case.py         what is asked of the `Reader` once, for all that look for findings
    places.py       time and CPU by the program's own functions
    spent.py        CPU and waiting of each of them
    in_time.py      imports.py, cpu.py, waits.py, told.py (first calls, decay)
    settled.py      where RSS rose, by samples and, where they cannot tell, by looks from inside
    in_memory.py    growth and what keeps it, peaks, the memory limit, what is freed but kept
    in_the_end.py   how the program ended, tasks that nobody will wake, what was not seen
    proof.py        the SQL that shows a finding's figure in the recording
    ranked.py       `verdict(reader)`: all of them, by impact

Pure functions of a `Reader`: the same answer live, in a replay, in a summary and in an export.
"""

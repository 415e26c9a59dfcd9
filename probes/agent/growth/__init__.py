"""Who made memory grow, asked from inside for some seconds, when the host suspects it.

    board.py       an order of the host's is heard
    inquiry.py     one order carried out: a census, entry and exit deltas, another census
    kinds.py       what an object is to us, and its size, without calling anything of the program's
    pace.py        a walk in slices, between which the program runs
    found.py       what a census has met and found, in numbers
    census.py      what the program's names lead to, and how full it is: who keeps
    keepers.py     what grew between two censuses, what is new in it, and which code fills it
    traced.py      what was allocated in a window and is still there, by tracemalloc: on request
    rises.py       in which function memory rose: deltas at entry and exit of suspects (3.12 on)
    bursts.py      the same before 3.12: all functions, profiled in short bursts
    profiled.py    one thread under a profiler in C whose clock is memory
    thread_states.py   a profile function set on other threads, and taken back

Loaded by path into the program, as all of the agent, and only once it is asked.
"""

"""The part of perftui that runs inside a launched program.

    hook/           goes first on PYTHONPATH; its `sitecustomize` removes all traces and starts us
    start.py        in the program: puts the pieces below together
    wire.py         JSON lines out, never blocking, never into a descriptor that is not ours
    runtime.py      what this process is, and the lines that it sends
    said/           what a program says itself: phases, calls, counts, marks, plans
    memory.py       what allocators say that they have given out, asked on a timer
    imports.py      imports as a tree with their times
    import_hooks.py where the interpreter lets us see them, by version
    children.py     what the program starts is watched, too
    provider.py     `import perftui` where it is not installed
    tasks.py        what the tasks of asyncio wait for, and what blocks its loops
    collector.py    what collections of cycles take
    beside.py       the thread of ours that some of these need, and its manners
    allocations.py  starts memray, if a person asked for it
    installed.py    which distributions it has imported, told at its end
    growth/         who made memory grow, asked by the host
    injected.py     the agent in a program that runs already
    sampler.py      stacks from inside, only where nobody may look from outside
    api.py          what a program may call: `perftui.phase`, `count`, `watch`, ...

`probes/agent_link/launch.py` makes an interpreter load it: by path, from Python 3.9 on, into
interpreters that have nothing of ours, under names that begin with `_perftui_agent`. It imports
`sys`, `posix`, `time` and `_thread` and nothing else: whatever more it imported, the program would
no longer import itself.
"""

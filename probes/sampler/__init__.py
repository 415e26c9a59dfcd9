"""The stack sampler: a process of its own that reads running CPython programs from outside.

    stdin ──"add PID"──►  loop ──► family ──► target, one per process
                           │pace               │ elf, layout, runtime: is it Python, what lies where
                           │                   │ roster, threads: CPU, state, faults of each
                           │                   │ interpreters: which thread state is whose, GIL
                           ▼                   │ look: in which order a sweep reads
    stdout ◄──blocks── stream ◄── names ◄──────┤ batch, walk, older, steady: frames, in a few reads
                                               └ code, objects, linetable, tasks: what they mean

It is started by path (`python -I -S -E .../sampler/start.py`) with any Python from 3.9 on that
happens to be there, imports the standard library only and little of it, and never stops or
changes a target: it only reads, with `process_vm_readv` and from /proc. What is read is hostile:
every length is bounded, every pointer may be wrong, and nothing that does not fit together is
passed on as if it did.

`probes/stacks/own` is the other end of the stream.
"""

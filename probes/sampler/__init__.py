"""The stack sampler: a process of its own that reads running CPython programs from outside.

    stdin ──"add PID"──►  loop ──► family ──► target, one per process
                           │pace               │ elf, layout: where things lie
                           │                   │ threads: CPU, state, faults of each kernel thread
                           ▼                   │ interpreters: which thread state is whose, GIL
    stdout ◄──blocks── stream ◄── names ◄──────┤ walk: frames, through `memory` in a few reads
                                               └ code, strings, linetable, tasks: what they mean

It is started by path (`python -I -S -E .../sampler/start.py`) with any Python from 3.9 on that
happens to be there, imports the standard library only and little of it, and never stops or
changes a target: it only reads, with `process_vm_readv` and from /proc. What is read is hostile:
every length is bounded, every pointer may be wrong, and nothing that does not fit together is
passed on as if it did.

`probes/stacks/own` is the other end of the stream.
"""

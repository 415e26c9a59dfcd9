"""Our side of the own sampler: starts it, reads its stream, gives CPU, waiting and faults to code.

    sampler process ──bytes──► decode ──records──► weigh_cpu, weigh_waiting, weigh_faults

`source` starts the process (`probes/sampler`) and talks to it, `decode` turns its bytes into
`records`. The weights are pure: records of one thread in, amounts by stack out, and the amounts
of a thread always sum to what the thread used.
"""

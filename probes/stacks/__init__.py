"""Stacks of a running program, sampled from outside by a relay of short py-spy recordings.

    relay ──spawns──► recorder ──bytes──► chrometrace ──intervals──► torn ──► window ──► log

`relay.StackProbe` samples one process, `family.FamilyStackProbe` all Python processes of a tree.
`sources` chooses, for each process, between that relay and perftui's own sampler (`own`).
`pace` decides how often and how long to record, `procfs` asks the kernel about the target.
"""

"""Stacks of a running program, sampled from outside by a relay of short py-spy recordings.

    relay ──spawns──► recorder ──bytes──► chrometrace ──intervals──► torn ──► window ──► log

`relay.StackProbe` samples one process, `family.FamilyStackProbe` all Python processes of a tree.
`pace` decides how often and how long to record, `procfs` asks the kernel about the target.
"""

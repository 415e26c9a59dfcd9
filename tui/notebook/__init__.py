"""`%load_ext perftui` in Jupyter and IPython: `%%perftui` measures a cell.

    the kernel ── magic.py ── kernel_side.py ─┐ lines of JSON, both ways
                                              │
    a process of ours ────────── beside.py ───┘ attaches to the kernel, records, sums up

The kernel imports nothing of ours that measures, has no thread of ours, and is not waited for by
anybody: all that is dear happens in the other process, which ends when the kernel does.
"""

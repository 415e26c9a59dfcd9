"""perftui: watch a Python program live in the terminal.

Inside a program, optional and free when it is not profiled:

    import perftui
    with perftui.phase("load"): ...
    with perftui.call("query"): ...
    perftui.count("rows", batch.num_rows)
    for batch in perftui.watch(reader): ...
    perftui.mark("checkpoint")
    perftui.plan("query", connection.execute("EXPLAIN " + sql).fetchall()[0][1])
"""

from perftui.probes.agent.api import call, count, mark, phase, plan, watch

__version__ = "0.1.0"
__all__ = ["__version__", "call", "count", "mark", "phase", "plan", "watch"]

"""perftui: watch a Python program live in the terminal.

Inside a program, optional and free when it is not profiled:

    import perftui
    with perftui.phase("load"): ...
    with perftui.call("query"): ...
    perftui.count("rows", batch.num_rows)
    for batch in perftui.watch(reader): ...
    perftui.mark("checkpoint")
    perftui.plan("query", connection.execute("EXPLAIN " + sql).fetchall()[0][1])

In a test, or wherever a block of this very process is to keep its limits:

    with perftui.measure("load", max_growth="50MB", fail_on=["mem_growth"]) as m: ...

In a notebook: `%load_ext perftui`, then `%%perftui` above a cell.
"""

from perftui.probes.agent.api import call, count, mark, phase, plan, watch
from perftui.probes.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perftui.probes.inside.limits import LimitsError
    from perftui.probes.inside.measure import measure
    from perftui.probes.inside.result import LimitExceeded, Measured

__all__ = [
    "LimitExceeded",
    "LimitsError",
    "Measured",
    "__version__",
    "call",
    "count",
    "mark",
    "measure",
    "phase",
    "plan",
    "watch",
]

_LATER = {
    "LimitExceeded": "result",
    "LimitsError": "limits",
    "Measured": "result",
    "measure": "measure",
}
"""Names that are not imported before somebody asks: a program that is not measured pays nothing."""


def load_ipython_extension(shell: object) -> None:
    """Bring `%%perftui` into a notebook: `%load_ext perftui`."""
    from perftui.tui.notebook.magic import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Take it out again: `%unload_ext perftui`."""
    from perftui.tui.notebook.magic import unload

    unload(shell)


def __getattr__(name: str) -> object:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"perftui.probes.inside.{module}"), name)

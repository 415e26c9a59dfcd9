"""Where the seconds of one lab run went, from the order to the end: parts that add up to it.

For functions, which a process calls again and again at our order (`probes.target.orders`). What
we waited for an answer is told by our clock, what was worked by the program's; the difference is
the way of the order and of the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.session import Session


class RunTimes(NamedTuple):
    """Seconds of one process; what is not known is 0 and in `perftui_s`."""

    whole_s: float
    """From before its launch until its session was closed."""
    spawn_s: float
    """The interpreter started."""
    held_s: float
    """perftui held it back until it could be sampled."""
    load_s: float
    """The function was made ready: its file, and what that imports."""
    first_s: float
    """The first call, by the program's clock..."""
    first_imports_s: float
    """...and of it, what it imported."""
    later_s: float
    """All later calls, by the program's clock."""
    transport_s: float
    """Orders and answers on their way."""
    end_s: float
    """From the last answer to the end of the process."""

    @property
    def waited_s(self) -> float:
        """What we waited for the answers to all calls."""
        return self.first_s + self.later_s + self.transport_s

    @property
    def perftui_s(self) -> float:
        """The rest: starting and ending the probes."""
        told = self.spawn_s + self.held_s + self.load_s + self.waited_s + self.end_s
        return self.whole_s - told


NO_TIMES = RunTimes(*([0.0] * 9))
"""Where nobody has looked."""


def run_times(session: Session, t_began_ns: int, t_closed_ns: int) -> RunTimes:
    """Return the parts of a session that is closed.

    Args:
        session: Of a function that was called at our order.
        t_began_ns: Before it was launched.
        t_closed_ns: After it was closed.
    """
    orders = [row.run for row in session.reader.runs(0, 1 << 62)]
    exit_ = session.exit()
    whole = t_closed_ns - t_began_ns
    if not orders:
        return NO_TIMES._replace(whole_s=whole / NS_PER_S)
    first = orders[0]
    spawn, held, load = (first.spawn_ns or 0, first.held_ns or 0, first.load_ns or 0)
    worked = sum(order.worked_ns for order in orders)
    waited = sum(order.waited_ns for order in orders) - spawn - held - load
    t_worked_ns = first.t_work_ns + first.worked_ns
    imports = session.reader.imports(first.t_work_ns, t_worked_ns)
    known = {(row.pid, row.id) for row in imports}
    inside = sum(
        row.total_ns
        for row in imports
        if (row.pid, row.parent_id) not in known and first.t_work_ns <= row.t0_ns < t_worked_ns
    )
    end = 0 if exit_ is None else max(exit_.t_ns - orders[-1].t_ns, 0)
    parts = (
        *(spawn, held, load, first.worked_ns, min(inside, first.worked_ns)),
        *(worked - first.worked_ns, waited - worked, end),
    )
    return RunTimes(whole / NS_PER_S, *(part / NS_PER_S for part in parts))

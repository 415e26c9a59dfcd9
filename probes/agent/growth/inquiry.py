"""One order of the host's carried out: who keeps, and in which function it rose.

    census ── entry and exit deltas for some seconds ── census ── lines out

On the thread beside the program's; between the two censuses nothing of the program is held.
"""

import sys
import time
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from perftui.probes.agent.growth import bursts, census, keepers, pace, rises
    from perftui.probes.agent.runtime import Agent
else:
    census = sys.modules["_perftui_agent_growth_census"]
    keepers = sys.modules["_perftui_agent_growth_keepers"]
    pace = sys.modules["_perftui_agent_growth_pace"]
    rises = sys.modules["_perftui_agent_growth_rises"]

TURN_S = 0.25
FILLS_BYTES = 2_400
LONG_COLLECTION_S = 0.01
"""What a collection of the program's garbage takes from which on it is said."""
LEAST_UNNAMED_BYTES = 2_000_000
NAMED_SHARE = 0.5
UNNAMED = (
    "no name of the program's leads to most of what RSS rose by: native memory, kept by C, in a "
    "context or a long chain of objects, not yet under a name, or garbage"
)
LAST_S = 0.5
"""For so long a program that ends waits for the last census; for our thread it waits a second."""


class Inquiry:
    """See the module.

    Args:
        agent: Gets the lines.
        ending: Tells that the program comes to its end.
        seconds: Between the two censuses.
        budget_s: CPU time of each.
        most: Objects that each may look at.
        suspects: FILE, FUNCTION, LINE with tabs between, of functions to measure.
    """

    def __init__(
        self,
        agent: "Agent",
        ending: "Callable[[], bool]",
        seconds: float,
        budget_s: float,
        most: int,
        suspects: "list[str]",
    ) -> None:
        self._agent = agent
        self._budget_s = budget_s
        self._ending = ending
        self._most = most
        self._gc = interpreters_own("gc")
        self._t0_ns = time.monotonic_ns()
        self._rss0 = agent.rss()
        first, self._first_pace = self._census(ending, keep=False)
        self._before = first.found
        words = [line.split("\t") for line in suspects]
        self._page_bytes = sys.modules["posix"].sysconf("SC_PAGE_SIZE")
        self._t0_rises_ns = time.monotonic_ns()
        self._rises: "rises.Rises | bursts.Bursts"
        if hasattr(sys, "monitoring"):
            wanted = {(row[0], row[1]) for row in words if len(row) == 3}
            wanted = wanted or rises.running()  # no sample has met it yet
            self._rises = rises.Rises(agent, interpreters_own("resource"), wanted)
        else:
            made = sys.modules["_perftui_agent_growth_bursts"]
            self._rises = made.Bursts(agent, interpreters_own)
        self._rises.begin()
        self._until = time.monotonic() + seconds

    def turn(self) -> float:
        """Go on; returns the seconds until the next turn, 0 when it is done."""
        left = self._until - time.monotonic()
        if left > 0:
            soon_s = self._rises.turn() if not self._rises.missing else TURN_S
            return max(min(self._until - time.monotonic(), soon_s, TURN_S), 0.001)
        self.finish()
        return 0.0

    def drop(self) -> None:
        """Forget it: this process is a child of the one that was asked."""
        self._rises.drop()

    def finish(self) -> None:
        """Stop measuring, take the second census, and tell."""
        self._rises.end()
        if not self._rises.missing:
            self._rises.settle()
        self._tell_rises()
        rss = self._agent.rss()
        give_up = time.monotonic() + LAST_S

        def stopped() -> bool:
            return self._ending() and time.monotonic() > give_up

        second, walk = self._census(stopped, keep=True)
        into = pace.Slices(self._gc, self._budget_s, self._most, stopped)
        rose = rss - self._rss0 if type(rss) is int and type(self._rss0) is int else None
        grown = keepers.grown_between(
            self._before, second, self._gc.get_referents, into, max(rose or 0, 0)
        )
        second.found.let_go()
        self._tell_keepers(grown, rose, (self._first_pace, walk, into))

    def _census(
        self, stopped: "Callable[[], bool]", *, keep: bool
    ) -> "tuple[census.Census, pace.Slices]":
        walk = pace.Slices(self._gc, self._budget_s, self._most, stopped)
        taken = census.Census(self._gc, walk, (get_ident(),), keep=keep)
        taken.take()
        return taken, walk

    # --- lines out ------------------------------------------------------------------------

    def _tell_look(
        self,
        now: int,
        t0_ns: int,
        by: str,
        rose: "int | None",
        looked: int,
        cpu_s: float,
        longest_s: float,
        note: str,
        told: int,
    ) -> None:
        agent = self._agent
        agent.wire.send(
            '{"k":"growth_look","t":%d,"pid":%d,"t0":%d,"by":%s,"rose":%s,"looked":%d,'
            '"cpu_ns":%d,"longest_ns":%d,"note":%s,"told":%d'
            % (
                now,
                agent.pid,
                t0_ns,
                agent.quote(by),
                "null" if rose is None else rose,
                looked,
                int(cpu_s * 1e9),
                int(longest_s * 1e9),
                agent.quote(note),
                told,
            )
        )

    def _tell_rises(self) -> None:
        now, measured = time.monotonic_ns(), self._rises
        t0_ns = self._t0_rises_ns
        if measured.missing:
            self._tell_look(now, t0_ns, "entry and exit", None, 0, 0.0, 0.0, measured.missing, 0)
            return
        told = [each for each in measured.suspects if each.calls or each.faults or each.rss_bytes]
        notes = measured.notes()
        if measured.windows > 1:
            whole_s = (now - t0_ns) / 1e9
            notes.append(
                "%s measured for %.2f of %.1f s" % (measured.how, measured.measured_s, whole_s)
            )
        if measured.several:
            notes.append(rises.SEVERAL)
        note = "; ".join(notes)
        calls = sum(each.calls for each in told)
        self._tell_look(
            now,
            t0_ns,
            "entry and exit",
            measured.rose_bytes,
            calls,
            measured.cost_s(),
            0.0,
            note,
            len(told) + 1,
        )
        for each in told:
            self._tell_rise(now, each.code, each.calls, each.rss_bytes, each.faults)
        self._tell_rise(now, None, 0, measured.rest_rss, measured.rest_faults)

    def _tell_rise(
        self, now: int, code: "CodeType | None", calls: int, rss_bytes: int, faults: int
    ) -> None:
        agent = self._agent
        agent.wire.send(
            '{"k":"rise","t":%d,"pid":%d,"t0":%d,"function":%s,"file":%s,"line":%d,"calls":%d,'
            '"rss":%d,"touched":%d'
            % (
                now,
                agent.pid,
                self._t0_rises_ns,
                agent.quote("" if code is None else name_of(code), 200),
                agent.quote("" if code is None else code.co_filename, 400),
                0 if code is None else code.co_firstlineno,
                calls,
                rss_bytes,
                faults * self._page_bytes,
            )
        )

    def _tell_keepers(
        self, grown: "list[keepers.Gain]", rose: "int | None", walks: "tuple[pace.Slices, ...]"
    ) -> None:
        agent = self._agent
        now = time.monotonic_ns()
        self._tell_look(
            now,
            self._t0_ns,
            "census",
            rose,
            walks[1].looked,
            sum(walk.cpu_s for walk in walks),
            max(walk.longest_s for walk in walks),
            self._unnamed(grown, rose, walks) or note_of(walks),
            len(grown),
        )
        for row in grown:
            fills = "\n".join(
                "%s\t%s\t%d" % (name_of(code)[:150], code.co_filename[-300:], code.co_firstlineno)
                for code in keepers.fillers(row.owner, row.path)
            )
            agent.wire.send(
                '{"k":"keeper","t":%d,"pid":%d,"t0":%d,"what":%s,"type":%s,"of":%s,'
                '"entries":%d,"total":%d,"bytes":%d,"sampled":%s,"fills":%s'
                % (
                    now,
                    agent.pid,
                    self._t0_ns,
                    agent.quote(row.path, 300),
                    agent.quote(row.kind, 80),
                    agent.quote(row.of, 80),
                    max(row.entries, 0),
                    row.total,
                    row.bytes,
                    "true" if row.sampled else "false",
                    agent.quote(fills, FILLS_BYTES),
                )
            )

    def _unnamed(
        self, grown: "list[keepers.Gain]", rose: "int | None", walks: "tuple[pace.Slices, ...]"
    ) -> str:
        """Say if no name of the program's leads to most of what RSS rose by, and all were met."""
        if any(each.bounded and census.OF_LIBRARIES not in each.bounded for each in walks):
            return ""
        named = sum([row.bytes for row in grown])
        if rose is None or rose < LEAST_UNNAMED_BYTES or named >= rose * NAMED_SHARE:
            return ""
        return UNNAMED if self._gc.isenabled() else UNNAMED + " (its collection is off)"


def note_of(walks: "tuple[pace.Slices, ...]") -> str:
    """Say what keeps an answer from being whole, and what else the program waited for meanwhile."""
    bounded = [walk.bounded for walk in walks if walk.bounded]
    notes = ["only a part was looked at: " + bounded[-1]] if bounded else []
    collected_s = max(walk.collected_s for walk in walks)
    if collected_s >= LONG_COLLECTION_S:
        notes.append(
            "collections of the program's own garbage fell into it, %.0f ms" % (collected_s * 1e3)
        )
    return "; ".join(notes)


def name_of(code: "CodeType") -> str:
    """Return a function's name as stacks have it."""
    return getattr(code, "co_qualname", code.co_name)  # 3.11 on


def interpreters_own(name: str) -> "Any":
    """Return a module of the interpreter's in C; the program may still import it itself."""
    known = sys.modules.get(name)
    if type(known) is type(sys):
        return known
    make: "Any" = sys.modules["_imp"]
    bootstrap: "Any" = sys.modules["_frozen_importlib"]
    external: "Any" = sys.modules["_frozen_importlib_external"]
    if name in sys.builtin_module_names:
        module = make.create_builtin(bootstrap.BuiltinImporter.find_spec(name))
        make.exec_builtin(module)
    else:
        folders = [each for each in sys.path if each.endswith("lib-dynload")]
        module = make.create_dynamic(external.PathFinder.find_spec(name, folders))
        make.exec_dynamic(module)
    if known is None:
        sys.modules.pop(name, None)
    return module

"""A race: two sides of a pair, each a program of its own in a recorded session, then the verdict.

The sides work one after the other. Together they would share the cores, the memory bandwidth and
the page cache, and what one costs would show in the other's times. The second begins when the
first has done its work and only waits to see what its allocator gives back. The data are made,
and read once, before either begins. Afterwards small runs of both tell how the cost grows.

One thread runs it all; whoever shows it pulls `Race.state()` now and then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.session import Session
from perftui.probes.session_options import NOT_RECORDED, ProbeOptions, RecordOptions
from perftui.probes.target.target import LaunchError
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.race.data import data_bytes, data_command, needed_bytes
from perftui.scenarios.race.figures import NOTHING, Figures, figures_of
from perftui.scenarios.race.growth import ROUNDS, SHARES, Growth, growth_of, smaller_params
from perftui.scenarios.race.verdict import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perftui.scenarios.race.plan import RacePlan

_STEP_S = 0.05
_GRACE_S = 5.0
_METRICS_HZ = 50.0
_ONLY_WAITS = frozenset({"settle", "release", "teardown"})
"""Phases in which a side leaves the machine to the other."""
_FAILED, _REFUSED = 1, 2

Stage = Literal["preparing", "racing", "growing", "done", "failed", "stopped"]


class SideState(NamedTuple):
    """Where one side stands."""

    session: Session | None
    """None before it begins; it can be read after the end too."""
    ended: bool
    figures: Figures
    """Final once `ended`; before that ask `figures_of`."""


class RaceState(NamedTuple):
    """Where the race stands."""

    stage: Stage
    elapsed_s: float
    prepared: float | None
    """Share of the data that is there, 0..1; None for a pair without data."""
    sides: tuple[SideState, SideState]
    verdict: Verdict | None
    growth: tuple[Growth | None, Growth | None]
    small_runs: tuple[int, int]
    """(done, all) of the runs that tell the growth."""
    problem: str
    """One line: what failed, or, with a verdict, what is missing."""
    exit_code: int


class Race:
    """See the module. `start` it, and `stop` it whatever happens."""

    def __init__(
        self,
        plan: RacePlan,
        options: ProbeOptions,
        record: RecordOptions,
        *,
        growth: bool = True,
    ) -> None:
        self.plan = plan
        self._options = options
        self._record = record
        self._wants_growth = growth
        self._stopping = Event()
        self._over = Event()
        self._began_s = time.monotonic()
        self._ended_s: float | None = None
        self._stage: Stage = "preparing"
        self._prepared: float | None = 0.0 if plan.pair.has_data else None
        self._sides = [SideState(None, False, NOTHING), SideState(None, False, NOTHING)]
        self._verdict: Verdict | None = None
        self._growth: tuple[Growth | None, Growth | None] = (None, None)
        self._small_runs = 0
        self._problem, self._exit_code = "", 0
        self._thread = Thread(target=self._run, name="perftui-race", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._began_s = time.monotonic()
        self._thread.start()

    def state(self) -> RaceState:
        """Say where it stands; cheap."""
        until = self._ended_s or time.monotonic()
        all_runs = len(SHARES) * ROUNDS * 2 if self._wants_growth else 0
        return RaceState(
            self._stage,
            until - self._began_s,
            self._prepared,
            (self._sides[0], self._sides[1]),
            self._verdict,
            self._growth,
            (self._small_runs, all_runs),
            self._problem,
            self._exit_code,
        )

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end of everything; False if it has not come."""
        return self._over.wait(timeout_s)

    def stop(self) -> None:
        """End what is still running, and wait until nothing is left of it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def recordings(self) -> tuple[Path | None, Path | None]:
        """Where the sides are recorded; None if they are not, or not yet."""
        one, other = (
            None if side.session is None else side.session.recording() for side in self._sides
        )
        return one, other

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self.plan.pair.has_data:
                self._prepare()
            self._stage = "racing"
            self._race()
            first, second = (side.figures for side in self._sides)
            self._verdict = verdict(self.plan.pair, self.plan.way, (first, second))
            if self._wants_growth:
                self._stage = "growing"
                try:
                    self._grow()
                except _RunFailed as failed:  # the verdict stands
                    self._problem = f"how it grows is not known: {failed}"
            self._stage = "done"
        except _StopAsked:
            self._stage = "stopped"
        except _RunFailed as failed:
            self._problem, self._exit_code = str(failed), failed.exit_code
            self._stage = "failed"
        except (ScenarioError, LaunchError, OSError) as error:
            self._problem, self._exit_code = str(error), _REFUSED
            self._stage = "failed"
        except Exception as error:  # on this thread nobody else would hear of it
            self._problem = f"{type(error).__name__}: {error}"
            self._exit_code = _FAILED
            self._stage = "failed"
        finally:
            for side in self._sides:
                if side.session is not None:
                    _end(side.session)
            self._ended_s = time.monotonic()
            self._over.set()

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise _StopAsked

    def _prepare(self) -> None:
        """Have the data made by another process: its memory must not be part of a side's."""
        engine, amount = self.plan.way.engine, self.plan.amount
        command = data_command(engine, amount)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            need = max(needed_bytes(engine, amount), 1)
            while process.poll() is None:
                self._go_on()
                self._prepared = min(data_bytes(engine, amount) / need, 1.0)
                self._stopping.wait(_STEP_S)
        finally:
            if process.poll() is None:
                _end_group(process)
            said = process.stderr.read() if process.stderr is not None else ""
            if process.stderr is not None:
                process.stderr.close()
        if process.returncode:
            raise _RunFailed("the data cannot be made", said.splitlines(), process.returncode)
        self._prepared = 1.0

    def _race(self) -> None:
        for side in range(2):
            self._sides[side] = SideState(self._launch(side), False, NOTHING)
            while not self._leaves_the_machine(side):
                self._step()
        while not all(side.ended for side in self._sides):
            self._step()

    def _launch(self, side: int) -> Session:
        return Session.launch(
            self.plan.command(side),
            self.plan.title(side),
            self._options,
            behind_screen=True,
            record=_record_of(self._record, self.plan.pair.sides[side].name),
        )

    def _step(self) -> None:
        """Take in a side that has ended; fail if it did."""
        self._go_on()
        running = [n for n, side in enumerate(self._sides) if side.session and not side.ended]
        for number in running:
            session = self._sides[number].session
            assert session is not None
            if not session.wait(_STEP_S / len(running)):
                continue
            session.close()
            exit_ = session.exit()
            if exit_ is None or exit_.exit_code != 0:
                name = self.plan.pair.sides[number].name
                raise _failure(f"{name} failed", session)
            figures = figures_of(session.reader, self.plan.pair.phase)
            self._sides[number] = SideState(session, True, figures)

    def _leaves_the_machine(self, number: int) -> bool:
        side = self._sides[number]
        if side.ended or side.session is None:
            return True
        phases = side.session.reader.phases(0, 1 << 62)
        return any(phase.name in _ONLY_WAITS for phase in phases)

    # -- growth ----------------------------------------------------------------------------

    def _grow(self) -> None:
        pair = self.plan.pair
        points: list[list[tuple[float, float]]] = [[], []]
        contended = [state.figures.contended for state in self._sides]
        for side, state in enumerate(self._sides):
            whole = state.figures.value(pair.grows)
            if whole is not None:
                points[side].append((1.0, whole))
        together = pair.grows == "peak"
        for turn in range(ROUNDS):
            # There and back again: a machine that gets slower is not taken for growth.
            for share in SHARES if turn % 2 == 0 else reversed(SHARES):
                for sides in ((0, 1),) if together else ((0,), (1,)):
                    for side, figures in self._small(sides, share):
                        cost = figures.value(pair.grows)
                        contended[side] |= figures.contended
                        if cost is not None:
                            points[side].append((self._share(side, figures, share), cost))
                    self._small_runs += len(sides)
        rows = [self._rows(side) for side in self._sides]
        self._growth = (
            growth_of(pair, points[0], rows[0], contended=contended[0]),
            growth_of(pair, points[1], rows[1], contended=contended[1]),
        )

    def _share(self, side: int, figures: Figures, asked: float) -> float:
        """The share of the work that a small run did, by its rows where they were counted."""
        whole = self._sides[side].figures.rows
        if not self.plan.pair.has_data or not whole or figures.rows is None:
            return asked
        return figures.rows / whole

    def _rows(self, side: SideState) -> float:
        if self.plan.pair.work == "rows":
            return float(self.plan.amount)
        return side.figures.rows or 0.0

    def _small(self, sides: Sequence[int], share: float) -> list[tuple[int, Figures]]:
        """Run a share of the work, of these sides at the same time; (side, figures) of each."""
        pair = self.plan.pair
        more = smaller_params(pair, self.plan.amount, share)
        if pair.has_data:
            more.append("settle=0")
        options = ProbeOptions(stacks=False, metrics_rate_hz=_METRICS_HZ, inquire=False)
        sessions: list[tuple[int, Session]] = []
        found = []
        try:
            for side in sides:
                self._go_on()
                argv = self.plan.command(side, *more)
                launched = Session.launch(
                    argv, self.plan.title(side), options, behind_screen=True, record=NOT_RECORDED
                )
                sessions.append((side, launched))
            for side, session in sessions:
                while not session.wait(_STEP_S):
                    self._go_on()
                session.close()
                exit_ = session.exit()
                if exit_ is None or exit_.exit_code != 0:
                    raise _failure(f"a small run of {pair.sides[side].name} failed", session)
                found.append((side, figures_of(session.reader, pair.phase)))
        finally:
            for _, session in sessions:
                _end(session)
        return found


class _StopAsked(Exception):
    """Somebody asked for the end."""


class _RunFailed(Exception):
    """A process of the race did not do what it was to do."""

    def __init__(self, what: str, said: Sequence[str], code: int | None) -> None:
        own = [line for line in said if line.startswith("perftui: ")]
        words = (own or [line for line in said if line.strip()] or ["it said nothing"])[-1]
        self.exit_code = _REFUSED if code == _REFUSED else _FAILED
        super().__init__(f"{what}: {words.strip().removeprefix('perftui: ')[:300]}")


def _failure(what: str, session: Session) -> _RunFailed:
    said = [line.text for line in session.reader.log_lines(0, 1 << 62, 40)]
    exit_ = session.exit()
    if exit_ is not None and exit_.signal is not None:
        with suppress(ValueError):
            what += f" (ended by {signal.Signals(exit_.signal).name})"
    return _RunFailed(what, said, None if exit_ is None else exit_.exit_code)


def _end(session: Session) -> None:
    if session.target_alive():
        session.stop_target()
    session.close()


def _end_group(process: subprocess.Popen[str]) -> None:
    """End the process that makes data, and those below it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
            return


def _record_of(record: RecordOptions, side: str) -> RecordOptions:
    """Give each side a recording of its own where one name was asked for: NAME-side.perftui."""
    if record.url is not None:
        url = record.url.rstrip("/")
        if not url.endswith(".perftui"):
            return record
        return record._replace(url=f"{url.removesuffix('.perftui')}-{_in_a_name(side)}.perftui")
    folder = record.directory
    if folder is None or not folder.name.endswith(".perftui"):
        return record
    name = f"{folder.name.removesuffix('.perftui')}-{_in_a_name(side)}.perftui"
    return record._replace(directory=folder.with_name(name))


def _in_a_name(side: str) -> str:
    return side.replace(" ", "-")

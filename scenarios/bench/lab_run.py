"""A lab run: one fresh process, measured from its launch to its end."""

from __future__ import annotations

import shutil
from dataclasses import replace
from time import monotonic_ns
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.place import RunPlace, place_here
from perftui.probes.session import Session
from perftui.probes.session_options import NOT_RECORDED, ProbeOptions, RecordOptions
from perftui.probes.target.orders import Orders
from perftui.scenarios.bench.figures import measured
from perftui.scenarios.bench.notes import Notes
from perftui.scenarios.bench.reference import Pressure, reference_figures
from perftui.scenarios.bench.run_times import NO_TIMES, RunTimes, run_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from perftui.probes.compare.facts import Figure
    from perftui.scenarios.bench.cold_files import ColdFiles
    from perftui.scenarios.bench.steadiness import Steadiness
    from perftui.scenarios.bench.subject import Subject
    from perftui.scenarios.elsewhere.place import Elsewhere

_METRICS_HZ = 50.0
_STEP_S = 0.05

SideName = Literal["base", "new"]


class LabOptions(NamedTuple):
    """How every run of a bench is measured: the same on both sides."""

    calls: int = 1
    """Of a function, in each process."""
    stacks: bool = False
    record: RecordOptions = NOT_RECORDED
    elsewhere: Elsewhere | None = None
    """What measures the runs; None: we do, here."""


RECORDED = LabOptions(stacks=True, record=RecordOptions())
"""For those of whose runs some are kept."""


class LabRun(NamedTuple):
    """What one fresh process gave."""

    side: SideName
    number: int
    """1 for the side's first that counts; 0 is a warm-up."""
    why: str
    """Why it failed, in one line; "" if it did not."""
    figures: dict[str, Figure]
    calls_s: tuple[float, ...]
    steady: Steadiness
    inside_first: tuple[str, ...]
    place: RunPlace
    installed: Mapping[str, str]
    """Distributions that it imported, and their versions."""
    recording: Path | None = None
    times: RunTimes = NO_TIMES

    @property
    def done(self) -> bool:
        """Whether it came to a good end: only then its figures count."""
        return not self.why

    @property
    def kept(self) -> str | None:
        """Where its recording is, if it has not been deleted."""
        return str(self.recording) if self.recording and self.recording.exists() else None

    def forget(self) -> None:
        """Delete its recording."""
        if self.recording is not None:
            shutil.rmtree(self.recording, ignore_errors=True)


def lab_run(
    subject: Subject,
    side: SideName,
    number: int,
    options: LabOptions,
    go_on: Callable[[], None] = lambda: None,
    cold: ColdFiles | None = None,
) -> LabRun:
    """Run it once.

    Args:
        subject: What.
        side: Of which series.
        number: Which of that series.
        options: How.
        go_on: Called again and again; raises whatever is to end it all. The process is ended
            before that is passed on, and its recording deleted.
        cold: Files to drop from the page cache before it; learns those that it touches.

    Raises:
        LaunchError: it cannot be started.
    """
    if options.elsewhere is not None:
        here = subject if subject.folder else replace(subject, folder=options.elsewhere.folder)
        arguments = (here, side, number, options._replace(elsewhere=None))
        run: LabRun = options.elsewhere.call(lab_run, arguments, go_on)
        return run
    t_began_ns = monotonic_ns()
    notes, speed = Notes(), reference_figures()
    pressure = Pressure()
    if cold is not None:
        cold.forget()
    probes = ProbeOptions(stacks=options.stacks, metrics_rate_hz=_METRICS_HZ, inquire=False)
    session = Session.launch(
        list(subject.argv),
        subject.title,
        probes,
        behind_screen=True,
        record=options.record,
        orders=Orders(options.calls, stay=False) if subject.kept else None,
        folder=subject.folder,
        environ=subject.environ,
        also=notes,
    )
    try:
        while not session.wait(_STEP_S):
            go_on()
            if cold is not None:
                cold.look(session.pid)
    except BaseException:
        session.stop_target()
        session.close()
        path = session.recording()
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)
        raise
    session.close()
    speed |= pressure.figure()
    if cold is not None:
        cold.take_modules(notes.imports(session.pid, 0, 1 << 62))
    place = place_here(session.reader)
    found = measured(session, notes, place, kept=subject.kept)
    return LabRun(
        side,
        number,
        _failure(session, notes),
        found.figures | speed,
        found.calls_s,
        found.steady,
        found.inside_first,
        place,
        {each.name: each.version for each in session.reader.installed()},
        session.recording(),
        run_times(session, t_began_ns, monotonic_ns()),
    )


def _failure(session: Session, notes: Notes) -> str:
    """Return how a run failed, "" if it did not."""
    exit_ = session.exit()
    if exit_ is None or (exit_.exit_code is None and exit_.signal is None):
        return "how it ended is not known"
    if exit_.signal is not None:
        return f"ended by signal {exit_.signal}: {notes.last_words()}"
    if exit_.exit_code:
        return f"exit code {exit_.exit_code}: {notes.last_words()}"
    return ""

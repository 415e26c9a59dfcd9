"""Several questions at a time, the longest first; answers come as they are found.

A program that gets no CPU does not do what is asked about, and no sampler sees what it does not
get to see. An answer that is not right while somebody waited for a CPU most of the time is asked
for again, alone, at the end; if the machine is as full then, it is not judged.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.machine.pressure import cpu_mark, cpu_waiting_since
from perftui.probes.recording.format.limits import RecordingError
from perftui.scenarios.selftest.trial import TrialError, try_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.scenarios.selftest.checks import KnownAnswer, Tried


FULL = 0.5
"""Share of the time in which somebody waited for a CPU. A program alone with perftui makes for less
than half of that on one CPU."""


class Asked(NamedTuple):
    """What became of a question."""

    question: KnownAnswer
    answer: Tried | None
    """None: it was not answered."""
    why: str = ""
    """Why not."""
    cpu_waiting: float = 0.0
    """Share of the time in which somebody waited for a CPU."""

    @property
    def ok(self) -> bool:
        """Whether the answer is right."""
        return self.answer is not None and self.answer.ok

    @property
    def judged(self) -> bool:
        """Whether it can be told if perftui is right; if not, the machine was full."""
        return self.ok or self.cpu_waiting <= FULL


def lane_count() -> int:
    """Return how many programs may run at a time: most of them wait most of the time."""
    return min(len(os.sched_getaffinity(0)) + 1, 4)


def ask_all(questions: Sequence[KnownAnswer], lanes: int) -> Iterator[Asked]:
    """Run the programs, and yield what was found out as each is done."""
    longest_first = sorted(questions, key=lambda question: -question.takes_s)
    with (
        tempfile.TemporaryDirectory(prefix="perftui-selftest-") as folder,
        ThreadPoolExecutor(lanes) as pool,
    ):
        asked = [pool.submit(ask, question, Path(folder)) for question in longest_first]
        again = []
        try:
            for done in as_completed(asked):
                result = done.result()
                if result.judged:
                    yield result
                else:
                    again.append(result.question)
        finally:
            for waiting in asked:
                waiting.cancel()
        for question in again:
            yield ask(question, Path(folder, "alone"))


def ask(question: KnownAnswer, folder: Path) -> Asked:
    """Try one question, with its files in a folder of their own below `folder`."""
    place = folder / question.program
    place.mkdir(parents=True)
    answer, why = None, ""
    mark = cpu_mark()
    try:
        trial = try_program(question.program, place)
        answer = question.check(trial)
    except (TrialError, RecordingError) as error:
        why = str(error)
    except (KeyError, TypeError, ZeroDivisionError) as error:
        why = f"not told: {type(error).__name__} {error}"
    return Asked(question, answer, why, cpu_waiting_since(mark))

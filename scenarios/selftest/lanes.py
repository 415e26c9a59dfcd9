"""Several questions at a time, the longest first; answers come as they are found."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.recording.format.limits import RecordingError
from perftui.scenarios.selftest.trial import TrialError, try_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.scenarios.selftest.checks import KnownAnswer, Tried


class Asked(NamedTuple):
    """What became of a question."""

    question: KnownAnswer
    answer: Tried | None
    """None: it was not answered."""
    why: str = ""
    """Why not."""

    @property
    def ok(self) -> bool:
        """Whether the answer is right."""
        return self.answer is not None and self.answer.ok


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
        try:
            for done in as_completed(asked):
                yield done.result()
        finally:
            for waiting in asked:
                waiting.cancel()


def ask(question: KnownAnswer, folder: Path) -> Asked:
    """Tried one question, with its files in a folder of their own below `folder`."""
    place = folder / question.program
    place.mkdir()
    try:
        trial = try_program(question.program, place)
        return Asked(question, question.check(trial))
    except (TrialError, RecordingError) as error:
        return Asked(question, None, str(error))
    except (KeyError, TypeError, ZeroDivisionError) as error:
        return Asked(question, None, f"not told: {type(error).__name__} {error}")

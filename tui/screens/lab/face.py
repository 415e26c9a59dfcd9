"""What the screen of the lab shows: a finished picture of how far the runs have come.

`perftui bench` and `perftui matrix` make one after each run, on the thread that measures and
between two runs; the screen only draws it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.compare.confidence import Interval
    from perftui.probes.compare.facts import Unit

Stage = Literal["preparing", "running", "done", "stopped", "failed"]
Tone = Literal["good", "bad", "warn", "link", "bright", "text", "dim"]

OVER: tuple[Stage, ...] = ("done", "stopped", "failed")


class Lane(NamedTuple):
    """One side of a figure, or one release: a mark for each run."""

    name: str
    marks: tuple[tuple[int, float], ...]
    """(number of the row of the run, value)"""
    middle: str
    """The median, written."""
    at: float | None
    """The median."""
    spread: Interval | None
    """Where the middle lies with 95 %."""
    said: str = ""
    """What it comes to: the verdict and the change."""
    within: str = ""
    """The interval of that, where there is room."""
    tone: Tone = "dim"


class FigureLanes(NamedTuple):
    """A figure: its lanes are drawn above each other, on one scale."""

    label: str
    short: str
    """The same in a word."""
    ink: str
    """Colour of its marks, by its name in the theme."""
    lanes: tuple[Lane, ...]
    unit: Unit
    bound: float | None = None
    """From here on the last lane is judged to be worse."""
    loud: int = 0
    """How much it has to say: where room is short the loudest are shown."""


class RunRow(NamedTuple):
    """A run in the table."""

    name: str
    cells: tuple[str, ...]
    why: str = ""
    """It failed: why."""
    recording: Path | None = None
    quiet: bool = False
    """It counts nowhere."""


class Made(NamedTuple):
    """What is made before the first run: an environment."""

    name: str
    text: str
    tone: Tone = "text"


class LabPicture(NamedTuple):
    """How far it has come."""

    command: str
    """ "bench" or "matrix"."""
    title: str
    about: str
    """Against what, how often."""
    stage: Stage
    now: str
    """What runs now: "7 of 10 new"."""
    headings: tuple[str, ...] = ()
    rows: tuple[RunRow, ...] = ()
    figures: tuple[FigureLanes, ...] = ()
    made: tuple[Made, ...] = ()
    verdict: str = ""
    """A word, "" while there is none."""
    words: str = ""
    tone: Tone = "text"
    records: bool = False
    """Every run is recorded."""


class ShownLab(Protocol):
    """Where the screen gets its pictures."""

    def picture(self) -> LabPicture:
        """Return the newest one, at once."""
        ...

    def elapsed_s(self) -> float:
        """Return the seconds since it began; after the end, what it took."""
        ...

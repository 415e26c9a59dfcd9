"""What is asked of a session: what is measured, and whether it is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.stacks.sources import Sampler


class ProbeOptions(NamedTuple):
    """What is measured, and how often."""

    stacks: bool = True
    stack_rate_hz: float = 100.0
    metrics_rate_hz: float = 20.0
    native: bool = False
    sampler: Sampler = "auto"
    """Who takes the stacks; "auto" chooses for each process."""
    memray: str | None = None
    """Record allocations of a launched program: its Python, which has memray."""
    tracemalloc_s: float | None = None
    """Have a launched program trace its allocations for so long."""
    tracemalloc_at_s: float = 0.0
    """From this second on."""
    inquire: bool = True
    """Ask a launched program from inside who makes its memory grow, when it seems to."""
    deep: bool = False
    """Look at everything then, whatever it costs the program."""
    seldom: bool = False
    """For days: what costs most, the kernel's walks through all pages, is done ten times less, and
    only the last minutes are kept in memory."""
    limit_bytes: int | None = None
    """Memory that a launched program is given (RLIMIT_DATA: private memory, also reserved)."""


class RecordOptions(NamedTuple):
    """Whether the session is recorded, where, and what the folder may hold."""

    wanted: bool = True
    directory: Path | None = None
    """A folder of recordings, or a path that ends in .perftui; None: the person's own folder."""
    max_bytes: int | None = None
    """The oldest recordings of the folder go beyond this; None: the shelf's default."""
    max_age_s: float | None = None
    url: str | None = None
    """It is to lie there in the end: an address for fsspec. May hold secrets: never shown."""

    def __repr__(self) -> str:
        """Show all but the address."""
        shown = {name: value for name, value in self._asdict().items() if name != "url"}
        return f"RecordOptions({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


NOT_RECORDED = RecordOptions(wanted=False)

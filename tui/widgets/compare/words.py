"""The words of the compare screen: who is compared, the verdict, what the tabs are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import format_seconds
from perftui.tui.picture.compare_view import WEIGHTS
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.draw.canvas import Piece, cells_of, strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from perftui.probes.compare.comparison import ComparedRun
    from perftui.probes.compare.headline import Headline
    from perftui.tui.picture.compare_view import CompareChoice, CompareView
    from perftui.tui.terminal.theme import Paint

_SIGNS = {
    "regressed": ("▲", "bad"),
    "suspect": ("▲", "warn"),
    "improved": ("▼", "good"),
    "ok": ("●", "good"),
    "inconclusive": ("○", "warn"),
    "no verdict": ("○", "dim"),
}

_ALIGNED = {
    "phase only": "",
    "phase": " · whole axis, aligned at it",
    "start": " · whole axis, aligned at the start",
}


def header_strip(
    sides: tuple[Sequence[ComparedRun], Sequence[ComparedRun]],
    view: CompareView | None,
    told: Headline | None,
    width: int,
    paint: Paint,
) -> Strip:
    """Name both sides with their lengths, and the verdict at the right."""
    right: list[Piece] = []
    if told is not None:
        sign, colour = _SIGNS[told.word]
        right = [(f"{sign} {told.word} ", paint.named(colour))]
    left: list[Piece] = [(" ", None)]
    if width >= 100:
        left += [("perftui compare", paint.link), ("   ", None)]
    lengths = ["", ""]
    if view is not None:
        lengths = [f" {format_seconds(run.duration_s)}" for run in view.comparison.pair]
    fixed = cells_of(left) + cells_of(right) + sum(map(len, lengths)) + len("base  new ") + 6
    room = max((width - fixed) // 2, 8)
    for label, runs, length in zip(("base ", "new "), sides, lengths, strict=True):
        name = clean(runs[0].name) + (f" +{len(runs) - 1}" if len(runs) > 1 else "")
        left += [(label, paint.dim), (shorten_middle(name, room), paint.bright)]
        left += [(length, paint.dim), ("  →  " if label == "base " else "", paint.link)]
    gap = " " * max(width - cells_of(left) - cells_of(right), 0)
    return strip_of([*left, (gap, None), *right]).adjust_cell_length(width)


def note_strip(
    view: CompareView | None,
    told: Headline | None,
    said: str,
    width: int,
    paint: Paint,
    *,
    waiting: bool,
) -> Strip:
    """Say the answer to the last key, else what the comparison comes to."""
    if said:
        said = shorten_end(clean(said), width - 2)
        return strip_of([(" " + said, paint.link)]).adjust_cell_length(width)
    if view is None or told is None:
        return strip_of([(" comparing …", paint.dim)]).adjust_cell_length(width)
    others = len(told.warnings)
    right = f"{others} more in Summary " if others > 0 else ""
    if waiting:
        right = "comparing … "
    colour = {"no verdict": "warn"}.get(told.word, _SIGNS[told.word][1])
    room = width - width_of(right) - 3
    text = shorten_end(clean(told.text), room)
    pieces: list[Piece] = [(" ", None), (text, paint.named(colour))]
    pieces += [(" " * max(room - width_of(text) + 1, 1), None), (right, paint.dim)]
    return strip_of(pieces).adjust_cell_length(width)


def about_pieces(choice: CompareChoice, tab: str, paint: Paint) -> list[Piece]:
    """Say what the tabs are about: weight, thread, filter and phase."""
    pieces: list[Piece] = []
    if tab in ("Flame", "Functions"):
        pieces.append(("weight: ", paint.dim))
        for weight in WEIGHTS:
            word = "grown bytes" if weight == "grown" else weight
            pieces.append((word, paint.memory_text if weight == choice.weight else paint.dim))
            if weight != WEIGHTS[-1]:
                pieces.append((" · ", paint.faint))
        pieces.append(("  ", None))
    if choice.thread:
        pieces.append((f"{shorten_end(clean(choice.thread), 20)}  ", paint.link))
    if choice.filter:
        pieces.append((f"/{shorten_end(clean(choice.filter), 16)}  ", paint.link))
    if choice.phase is None:
        pieces.append(("whole runs", paint.dim))
    else:
        pieces.append((f"only {shorten_end(clean(str(choice.phase)), 24)}", paint.link))
        pieces.append((_ALIGNED[choice.alignment], paint.dim))
    return pieces

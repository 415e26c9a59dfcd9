"""The lines of a race's screen below its charts: figures, growth, verdict, recordings. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import format_bytes, format_clock
from perftui.scenarios.race.growth import growth_words, ten_times_text
from perftui.scenarios.race.report import about_text, figure_text, measure_label, recording_name
from perftui.scenarios.race.verdict import clear_winner, ratios_of, with_growth
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.draw.canvas import Piece, cells_of, strip_of
from perftui.tui.widgets.draw.pieces import cut, wrapped_pieces

if TYPE_CHECKING:
    from rich.style import Style
    from textual.strip import Strip

    from perftui.scenarios.race.figures import Figures
    from perftui.scenarios.race.growth import Growth
    from perftui.scenarios.race.pairs import MeasureKey
    from perftui.scenarios.race.plan import RacePlan
    from perftui.scenarios.race.race import RaceState
    from perftui.scenarios.race.report import Recordings
    from perftui.tui.terminal.theme import Paint

_LABEL = 26
_VALUE = 12
_NARROW_VALUE = 14
_VERDICT_COLOURS = {"constant": "good", "linear": "bad", "worse than linear": "bad"}
Both = tuple["Figures", "Figures"]


def header_line(plan: RacePlan, state: RaceState, width: int, paint: Paint) -> Strip:
    """`perftui  demo streaming-vs-collect   duckdb · 300 MB ...     ● COLLECT 00:03.1`."""
    word, style = _state_word(plan, state, paint)
    clock = format_clock(state.elapsed_s)
    right: list[Piece] = [(word, style), (" ", None), (clock, paint.bright), (" ", None)]
    left: list[Piece] = [(" perftui", paint.link)] if width >= 80 else []
    left += [("  demo ", paint.dim), (plan.pair.name, paint.bright)]
    room = width - cells_of(left) - cells_of(right) - 4
    about = about_text(plan, state)
    whole = f"{about} · {plan.pair.question}"
    text = whole if width_of(whole) <= room else shorten_end(about, max(room, 0))
    if width_of(text) >= 8:
        left.append((f"   {text}", paint.dim))
    gap = max(width - cells_of(left) - cells_of(right), 1)
    return strip_of([*left, (" " * gap, None), *right]).adjust_cell_length(width)


def _state_word(plan: RacePlan, state: RaceState, paint: Paint) -> tuple[str, Style]:
    if state.stage == "preparing":
        return "○ DATA", paint.link
    if state.stage == "racing":
        started = [n for n, side in enumerate(state.sides) if side.session is not None]
        running = plan.pair.sides[started[-1] if started else 0].name
        return f"● {running.upper()}", paint.good
    if state.stage == "growing":
        return "● GROWTH", paint.link
    if state.stage == "done":
        return "■ DONE", paint.good
    return "▲ FAILED" if state.stage == "failed" else "■ STOPPED", paint.warn


# -- figures -----------------------------------------------------------------------------------


def figures_wide(plan: RacePlan, both: Both, half: int, width: int, paint: Paint) -> list[Strip]:
    """A blank row, then a row per figure: label and value in each half."""
    lines = [strip_of([(" " * width, None)])]
    ratios = ratios_of(plan.pair, both)
    for key in plan.pair.measures:
        label = measure_label(plan.pair, key)
        pieces: list[Piece] = []
        for side, figures in enumerate(both):
            cells = half if side == 0 else width - half
            value, style = _value(key, figures, side, both, ratios, paint)
            text = f"   {label:<{_LABEL}}"
            pieces += [(text, paint.dim), (value.rjust(_VALUE), style)]
            pieces.append((" " * max(cells - len(text) - max(_VALUE, width_of(value)), 0), None))
        lines.append(strip_of(pieces).adjust_cell_length(width))
    return lines


def figures_table(plan: RacePlan, both: Both, rows: int, width: int, paint: Paint) -> list[Strip]:
    """One table for small terminals: a row per figure, a column per side."""
    pair = plan.pair
    label_width = max(min(_LABEL, width - 2 * _NARROW_VALUE - 3), 10)
    names = [shorten_middle(side.name, _NARROW_VALUE) for side in pair.sides]
    head: list[Piece] = [(" " * (label_width + 2), None)]
    head += [
        (names[0].rjust(_NARROW_VALUE), paint.memory_text),
        (names[1].rjust(_NARROW_VALUE), paint.rows_text),
    ]
    lines = [strip_of(head).adjust_cell_length(width)]
    ratios = ratios_of(pair, both)
    for key in pair.measures[: rows - 1]:
        label = shorten_end(measure_label(pair, key), label_width)
        pieces: list[Piece] = [(f"  {label:<{label_width}}", paint.dim)]
        for side, figures in enumerate(both):
            value, style = _value(key, figures, side, both, ratios, paint)
            pieces.append((value.rjust(_NARROW_VALUE), style))
        lines.append(strip_of(pieces).adjust_cell_length(width))
    return lines


def _value(
    key: MeasureKey,
    figures: Figures,
    side: int,
    both: Both,
    ratios: dict[MeasureKey, float],
    paint: Paint,
) -> tuple[str, Style]:
    """The figure, green or red once both are known and clearly apart."""
    text = figure_text(key, figures.value(key))
    if not all(each.done for each in both):
        return text, paint.bright if figures.value(key) is not None else paint.dim
    winner = clear_winner(key, ratios)
    if key == "released" or figures.value(key) is None:
        return text, paint.dim
    if winner is None:
        return text, paint.bright
    return text, paint.good if winner == side else paint.bad


# -- growth ------------------------------------------------------------------------------------


def growth_lines(
    plan: RacePlan, state: RaceState, rows: int, half: int, width: int, paint: Paint
) -> list[Strip]:
    """A rule and two lines in halves where there are 3 rows, else one line per side."""
    told = [_growth_told(plan, state, side, paint) for side in range(2)]
    if rows < 3:
        lines = []
        for named, (law, verdict) in zip(plan.pair.sides, told, strict=True):
            name: Piece = (f"  {shorten_middle(named.name, 12):<13}", paint.dim)
            # The verdict below names the ten times: here is room for the word and the law.
            own = [name, *verdict[:1], *([("  ", None)] if verdict else []), *law]
            lines.append(strip_of(cut(own, width - 1)).adjust_cell_length(width))
        return lines[:rows]
    rule: list[Piece] = [("── ", paint.faint), ("growth", paint.link)]
    rule.append((" " + "─" * (width - 10), paint.faint))
    lines = [strip_of(rule).adjust_cell_length(width)]
    for row in range(2):
        pieces: list[Piece] = []
        for side in range(2):
            cells = half if side == 0 else width - half
            own = cut([("   ", None), *told[side][row]], cells - 1)
            pieces += [*own, (" " * (cells - cells_of(own)), None)]
        lines.append(strip_of(pieces).adjust_cell_length(width))
    return lines


def _growth_told(
    plan: RacePlan, state: RaceState, side: int, paint: Paint
) -> tuple[list[Piece], list[Piece]]:
    """(law, verdict) of a side, or what is going on instead."""
    growth = state.growth[side]
    if growth is not None:
        return _growth_pieces(plan, growth, paint)
    done, runs = state.small_runs
    if state.stage == "growing":
        text = f"small runs of both sides: {done} of {runs}"
    elif state.stage in ("preparing", "racing") and runs:
        text = "after the race: small runs of both sides"
    else:
        text = "not measured"
    return [(text, paint.dim)], []


def _growth_pieces(plan: RacePlan, growth: Growth, paint: Paint) -> tuple[list[Piece], list[Piece]]:
    law, verdict = growth_words(plan.pair, growth)
    if growth.verdict == "cannot tell":
        return [(law, paint.text)], [(verdict, paint.dim)]
    style = paint.named(_VERDICT_COLOURS.get(growth.verdict, "warn"))
    said: list[Piece] = [(verdict, style)]
    ten = ten_times_text(plan.pair, growth)
    if ten:
        above = " above base" if plan.pair.grows == "peak" else ""
        said.append((f": {ten}{above}", paint.text))
    return [(law, paint.text)], said


# -- verdict -----------------------------------------------------------------------------------


def verdict_lines(
    plan: RacePlan, state: RaceState, both: Both, rows: int, width: int, paint: Paint
) -> list[Strip]:
    """The verdict, or what happens before there is one."""
    ground = "calm_bg"
    found = state.verdict
    if state.stage == "failed":
        ground = "bad_bg"
        pieces: list[Piece] = [("failed  ", paint.bad), (clean(state.problem), paint.text)]
    elif found is not None:
        ground = "good_bg" if found.winner is not None else "warn_bg"
        pieces = [(found.head, paint.good if found.winner is not None else paint.warn)]
        pieces += [("  ", None), (found.words, paint.bright)]
        ten = with_growth(plan.pair, state.growth)
        if ten:
            pieces += [("  ", None), (ten, paint.text)]
        if state.problem:
            pieces += [("  ", None), (clean(state.problem), paint.dim)]
        if found.why:
            pieces += [("  ", None), (found.why, paint.dim)]
    else:
        pieces = [(_so_far(plan, state, both), paint.text)]
    back = paint.named(ground)
    wrapped = wrapped_pieces(pieces, max(width - 4, 1), rows)
    above = (rows - len(wrapped)) // 2
    lines = []
    for row in range(rows):
        own = wrapped[row - above] if 0 <= row - above < len(wrapped) else []
        text: list[Piece] = [
            ("  ", back),
            *((word, back + style if style else back) for word, style in own),
        ]
        text.append((" " * max(width - cells_of(text), 0), back))
        lines.append(strip_of(text))
    return lines


def _so_far(plan: RacePlan, state: RaceState, both: Both) -> str:
    pair = plan.pair
    if state.stage == "preparing":
        share = state.prepared or 0.0
        done = "█" * round(share * 24)
        size = format_bytes(plan.amount)
        return f"making the data, {size} of Parquet, once  {done:░<24} {share:.0%}"
    if state.stage == "stopped":
        return "stopped"
    names = [side.name for side in pair.sides]
    started = sum(side.session is not None for side in state.sides)
    if started < 2:
        return f"{names[0]} runs alone, then {names[1]}: together they would slow each other down"
    text = f"{names[1]} has its turn, {names[0]} has done its work"
    key = pair.decides[0]
    had, now = (figure_text(key, each.value(key)) for each in both)
    if "-" in (had, now):
        return text
    return f"{text}: {measure_label(pair, key)} {now} so far, against {had}"


# -- recordings --------------------------------------------------------------------------------


def recordings_line(
    plan: RacePlan, state: RaceState, recordings: Recordings, width: int, paint: Paint
) -> Strip:
    """The names of both recordings, and the command for ten times as much."""
    names = [recording_name(path) for path in recordings if path is not None]
    pieces: list[Piece] = []
    if names:
        pieces.append(("  recordings  ", paint.dim))
        room = (width - 16) // len(names) if width < 130 else 60
        for name in names:
            pieces += [(shorten_middle(name, room - 2), paint.text), ("  ", None)]
    elif any(side.session is not None for side in state.sides):
        pieces.append(("  not recorded", paint.dim))
    again = f"perftui demo {plan.pair.name} --size {_ten_times(plan)}"
    if state.verdict is not None and cells_of(pieces) + len(again) + 22 <= width:
        pieces += [("  again with 10x: ", paint.dim), (again, paint.text)]
    return strip_of(cut(pieces, width)).adjust_cell_length(width)


def _ten_times(plan: RacePlan) -> str:
    from perftui.scenarios.define.parameters import Size

    if plan.pair.work == "size":
        return str(Size(plan.amount * 10))
    return str(plan.amount * 10)

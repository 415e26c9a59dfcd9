"""The first line: what is watched, its state, and what watching it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_clock
from perftui.tui.picture.play_clock import speed_text
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.draw.canvas import Canvas, Piece, cells_of, strip_of

if TYPE_CHECKING:
    from textual.strip import Strip

    from perftui.probes.spine.reader import Status
    from perftui.tui.picture.view import View
    from perftui.tui.terminal.theme import Paint

MIB = 1024 * 1024
LOW_RATE = 0.7
"""Of the rate that was asked for: fewer stacks are said aloud."""


class HeaderLine(Canvas):
    """Says who, how long, how well sampled and at what cost."""

    DEFAULT_CSS = """
    HeaderLine { height: 1; width: 100%; background: $panel; }
    """

    def show(self, view: View, width: int, paint: Paint) -> None:
        """Draw the header of a picture."""
        self.put([header_line(view, width, paint)])


def state_piece(view: View, paint: Paint) -> Piece:
    """Return the word for the state with its sign."""
    state = view.status.state
    played = view.playback
    if state == "recording" and played is not None:
        if played.playing:
            return f"▶ REPLAY {speed_text(played.speed)}", paint.link
        if played.state == "interrupted":
            return "▲ INTERRUPTED", paint.warn
        return "‖ REPLAY", paint.link
    if view.selection.paused_at_ns is not None and state != "recording":
        return "‖ PAUSED", paint.warn
    return {
        "starting": ("○ STARTING", paint.link),
        "live": ("● LIVE" if played is None else "● FOLLOWING", paint.good),
        "waiting": ("■ WAITING", paint.link),
        "exited": ("■ EXITED", paint.dim),
        "recording": ("▶ REPLAY", paint.link),
    }[state]


def stacks_text(status: Status) -> str:
    """Return who takes the stacks, rate and coverage; "no stacks" if there are none."""
    if status.stack_backend is None:
        return "no stacks"
    text = status.stack_backend.replace("own sampler", "own")
    if status.stack_rate_hz is not None:
        text += f" {status.stack_rate_hz:.0f} Hz"
    if status.stack_coverage is not None:
        text += f" {100 * status.stack_coverage:.0f} %"
    return text


def is_slow(status: Status) -> bool:
    """Tell whether far fewer stacks come than were asked for."""
    rate, asked = status.stack_rate_hz, status.stack_asked_hz
    return rate is not None and asked is not None and rate < LOW_RATE * asked


def stacks_pieces(status: Status, paint: Paint) -> list[Piece]:
    """Return `stacks_text`; a rate that is low stands out, with what was asked for."""
    text = stacks_text(status)
    if not is_slow(status):
        return [(text, paint.dim)]
    rate = f"{status.stack_rate_hz:.0f} Hz"
    before, _, after = text.partition(rate)
    low = f"▾ {status.stack_rate_hz:.0f} of {status.stack_asked_hz:.0f} Hz"
    return [(before, paint.dim), (low, paint.warn), (after, paint.dim)]


def own_cost_text(status: Status, *, short: bool = False) -> str:
    """Return what perftui costs: CPU of one core, and memory."""
    parts = []
    if status.own_cpu_percent is not None:
        parts.append(f"{status.own_cpu_percent:.1f} %")
    if status.own_rss_bytes is not None and not short:
        parts.append(f"{status.own_rss_bytes / MIB:.0f} MiB")
    return "self " + " ".join(parts) if parts else ""


def header_line(view: View, width: int, paint: Paint) -> Strip:
    """Build the line; what matters least goes first when it gets narrow."""
    target, status = view.target, view.status
    shown = min(view.selection.paused_at_ns or status.t_end_ns, status.t_end_ns)
    wide = width >= 110
    whole = ""
    if status.state == "recording":
        whole = f" / {format_clock((status.t_end_ns - status.t_start_ns) / NS_PER_S)}"
        if view.selection.cursor_ns is not None:
            shown = min(view.selection.cursor_ns, status.t_end_ns)
    elapsed = format_clock((shown - status.t_start_ns) / NS_PER_S)
    python = f" · Python {clean(target.python)}" if target.python else ""
    who = f"pid {target.pid}{python}" if wide else f"{target.pid}"
    right: list[Piece] = [state_piece(view, paint), (" ", None), (elapsed, paint.bright)]
    right.append((whole, paint.dim))
    if wide:
        right += [("   ", None), *stacks_pieces(status, paint)]
        if status.dropped_records:
            right += [("  ", None), (f"{status.dropped_records} dropped", paint.warn)]
    if target.memray:
        right += [("   " if wide else "  ", None), ("memray on", paint.warn)]
    cost = own_cost_text(status, short=not wide)
    if cost:
        right += [("   " if wide else "  ", None), (cost, paint.dim)]
    right.append((" ", None))
    taken = cells_of(right)
    left: list[Piece] = [(" ", None)]
    if wide:
        left += [("perftui", paint.link), ("  ", None)]
    room = width - taken - cells_of(left) - 2
    name, blank, rest = (clean(target.title).strip() or "?").partition(" ")
    least = max(min(width_of(name), 32), 10)
    who = next(
        (said for said in (who, f"pid {target.pid}", "") if room - width_of(said) - 3 >= least), ""
    )
    room -= width_of(who) + 3 if who else 0
    name = shorten_middle(name, max(room, 1))
    rest = shorten_end(rest, room - width_of(name) - 1)
    if width_of(rest) < 4:
        blank = rest = ""
    left += [(name, paint.bright), (blank + rest, paint.dim)]
    if who:
        left += [("   " if wide else "  ", None), (who, paint.dim)]
    gap = " " * max(width - taken - cells_of(left), 0)
    return strip_of([*left, (gap, None), *right]).adjust_cell_length(width)

"""What the command palette offers on the live screen: tabs and keys by name, and a little more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from perftui.tui.screens.live.keys import KEYS
from perftui.tui.session.notify import HOWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from perftui.tui.screens.live.panes import PaneKind

_KEYS_ONLY = ("", "show_alert", "scrub(-1)", "scrub(1)", "sample(-1)", "sample(1)")
"""Actions that make sense as a key only."""
_OF_KEPT = ("again", "restart")
_OF_LIVING = ("trace",)


def commands(
    kinds: Iterable[PaneKind],
    run_action: Callable[[str], object],
    *,
    kept: bool,
    replayed: bool,
    alive: bool,
) -> Iterator[SystemCommand]:
    """Return the commands.

    Args:
        kinds: The tabs.
        run_action: Carries one out by its name.
        kept: The target keeps its process and can be run again.
        replayed: A recording is shown: it has no news.
        alive: There is a target to interrupt.
    """

    def command(title: str, about: str, action: str) -> SystemCommand:
        return SystemCommand(title, about, partial(run_action, action))

    for kind in kinds:
        letter = f" ({kind.key})" if kind.key else ""
        yield command(f"Tab: {kind.name}", f"open it{letter}", f"tab('{kind.name}')")
    for key in KEYS:
        if key.action in _KEYS_ONLY or (key.action in _OF_KEPT and not kept):
            continue
        if alive or key.action not in _OF_LIVING:
            title = f"{key.help[0].upper()}{key.help[1:]}"
            yield command(title, f"key {key.shown}", key.action)
    if not replayed:
        for how in HOWS:
            title = f"Notify of alerts: {how}"
            yield command(title, "warn and critical", f"tell_alerts('{how}')")
    if alive:
        yield command("Release memory", "what the program does not use; asks first", "release")
        yield command("List asyncio tasks", "as they stand now: the Tasks tab", "list_tasks")
        yield command("Interrupt the target", "send it SIGINT, as ctrl+c would", "interrupt")

"""A pilot that goes on when nothing is left to be done, not when the CPU looks idle.

Textual's own sleeps for 20 ms and asks whether the process has used CPU meanwhile: on a starved
machine it has not, whatever there is left to do, and on every other each key costs 40 ms.
"""

from __future__ import annotations

import asyncio
import time
from asyncio.base_events import BaseEventLoop
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import textual.app
from textual.app import ScreenStackError
from textual.pilot import Pilot

from support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from textual.screen import Screen

ROUNDS = 3
"""How often in a row there must be nothing to do: what a selector tells comes a round later."""
PICTURES = 5
"""How often a screen is drawn before it is taken for one that never stands still."""

_calls: WeakSet[asyncio.Future[Any]] = WeakSet()
"""What is asked of a screen's own thread: the next picture. What takes its time, as a look at all
processes does, is asked of any thread, and tests wait for what it finds."""
_run_in_executor = BaseEventLoop.run_in_executor


def _noted(loop: BaseEventLoop, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
    call = _run_in_executor(loop, executor, func, *args)
    if executor is not None:
        _calls.add(call)
    return call


def _busy(loop: Any) -> bool:
    """Whether something could go on without time passing."""
    due = loop._scheduled and loop._scheduled[0]._when <= loop.time()
    return bool(loop._ready or due)


async def quiet(*_: float) -> None:
    """Return when all that was asked for is done, on this thread and on the screen's other one."""
    loop, rounds = asyncio.get_running_loop(), 0
    end = time.monotonic() + PATIENCE_S
    while rounds < ROUNDS and (rest_s := end - time.monotonic()) > 0:
        asked = [call for call in tuple(_calls) if call.get_loop() is loop and not call.done()]
        if asked:
            await asyncio.wait(asked, timeout=rest_s)
        else:
            await asyncio.sleep(0)
        rounds = 0 if asked or _busy(loop) else rounds + 1


def _changed(screen: Screen[Any]) -> bool:
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )


async def drawn(pilot: Pilot[Any]) -> None:
    """Return when the screen shows what it has to show."""
    await quiet()
    while pilot.app._resize_timer is not None:  # it waits for the last of many sizes
        await asyncio.sleep(0.001)
        await quiet()
    with suppress(ScreenStackError):  # the application has ended
        for _ in range(PICTURES):
            if not _changed(pilot.app.screen):
                return
            pilot.app.screen._on_timer_update()
            await quiet()


async def _pause(pilot: Pilot[Any], delay: float | None = None) -> None:
    await pilot._wait_for_screen()
    if delay:
        await asyncio.sleep(delay)
    await drawn(pilot)


async def _press(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        await pilot.app._press_keys([key])
        await _pause(pilot)


def install(patch: pytest.MonkeyPatch) -> None:
    """Have every pilot be one."""
    patch.setattr(BaseEventLoop, "run_in_executor", _noted)
    patch.setattr(textual.app, "wait_for_idle", quiet)
    patch.setattr(Pilot, "pause", _pause)
    patch.setattr(Pilot, "press", _press)

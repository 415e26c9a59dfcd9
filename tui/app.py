"""The applications: the live screen of a session, and choosing a process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from textual.app import SystemCommand

from perftui.tui.screens.live.screen import LiveScreen
from perftui.tui.terminal.app import TerminalApp
from perftui.tui.terminal.ending import Ending
from perftui.tui.terminal.watch import watch_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from textual.screen import Screen

    from perftui.probes.compare.comparison import ComparedRun
    from perftui.probes.compare.facts import PhaseKey
    from perftui.tui.screens.home.choice import HomeChoice, ListName
    from perftui.tui.session.face import LiveSession
    from perftui.tui.session.notify import How

R = TypeVar("R")


@runtime_checkable
class Asking(Protocol):
    """A screen that asks, where it has to, before it is left."""

    @property
    def action_quit_or_ask(self) -> Callable[[], None]:
        """Leave, or ask."""
        ...


@runtime_checkable
class Offering(Protocol):
    """A screen that adds to the command palette."""

    def commands(self) -> Iterable[SystemCommand]:
        """Return what it offers."""
        ...


class PerftuiApp(TerminalApp[int]):
    """Shows a live session. The result is 0; what the target returned is the session's to say."""

    def __init__(
        self,
        session: LiveSession,
        *,
        duration_s: float | None = None,
        ascii_only: bool | None = None,
        notify: How = "off",
        tells_verdict: bool = False,
    ) -> None:
        super().__init__(ascii_only=ascii_only)
        self._session = session
        self._notify = notify
        self._tells_verdict = tells_verdict
        self._duration_s = duration_s

    def get_default_screen(self) -> Screen[None]:
        """Return the live screen: there is no other below it."""
        return LiveScreen(self._session, notify=self._notify, tells_verdict=self._tells_verdict)

    # -- ways out --------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Leave when the time is up."""
        if self._duration_s is not None:
            self.set_timer(self._duration_s, self._time_is_up)

    def _time_is_up(self) -> None:
        self.exit(0)

    async def action_quit(self) -> None:
        """Leave as `q` does: ctrl+q must not skip the question."""
        screen = self.screen
        if isinstance(screen, Asking):
            screen.action_quit_or_ask()

    def action_help_quit(self) -> None:
        """Say what ctrl+c does not do."""
        screen = self.screen
        if isinstance(screen, LiveScreen):
            screen.action_ctrl_c()

    # -- commands --------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer everything by name."""
        if isinstance(screen, Offering):
            yield from screen.commands()
        yield from super().get_system_commands(screen)
        yield SystemCommand("Screenshot", "save the screen as SVG", self.save_svg)

    def save_svg(self) -> None:
        """Save the screen as a picture, beside the work or in the temporary folder."""
        import tempfile
        import time

        from perftui.probes.own.whole_file import write_text

        picture = self.export_screenshot(title="perftui")
        name = f"perftui-{time.strftime('%Y%m%d-%H%M%S')}.svg"
        said = "the screenshot could not be saved"
        for folder in (Path.cwd(), Path(tempfile.gettempdir())):
            try:
                write_text(folder / name, picture, replace=False)
            except OSError as error:
                said = f"the screenshot could not be saved: {error}"
            else:
                said = f"saved {folder / name}"
                break
        screen = self.screen
        if isinstance(screen, LiveScreen):
            screen.say(said)


def run_live(
    session: LiveSession,
    *,
    duration_s: float | None = None,
    notify: How = "off",
    ending: Ending | None = None,
    on_stuck: Callable[[], object] | None = None,
) -> int:
    """Show a live session until the person leaves, or for `duration_s` seconds.

    Args:
        session: What to show.
        duration_s: Leave by itself after so long.
        notify: How to tell of alerts to a person who looks elsewhere.
        ending: The caller's, who closes the session; None: the screen is all there is to close.
        on_stuck: Called if a signal ends us and the screen does not close.

    Returns:
        0, or 1 if the screen itself failed (said in one line on stderr).

    Raises:
        SystemExit: without `ending`, when a signal other than SIGHUP has closed the screen.
    """
    app = PerftuiApp(session, duration_s=duration_s, notify=notify, tells_verdict=True)
    result = _run(app) if ending is None else _run_with(app, ending, on_stuck)
    return 1 if app.tell_last_words() else result or 0


def _run(app: TerminalApp[R]) -> R | None:
    """Run an application that has nothing to close but itself.

    That its terminal went away is no failure of one who only shows something.

    Raises:
        SystemExit: a signal other than SIGHUP has closed it.
    """
    with Ending() as ending:
        result = _run_with(app, ending)
        if ending.number is not None and ending.name != "SIGHUP":
            raise SystemExit(128 + ending.number)
    return result


def _run_with(
    app: TerminalApp[R], ending: Ending, on_stuck: Callable[[], object] | None = None
) -> R | None:
    app.ending = ending
    app.take_settings()
    try:
        with watch_terminal(ending=ending, on_stuck=on_stuck):
            return app.run()
    finally:
        ending.tell(None)


class CompareApp(TerminalApp[int]):
    """Shows a comparison of recordings."""

    def __init__(
        self,
        base: Sequence[ComparedRun],
        new: Sequence[ComparedRun],
        phase: PhaseKey | None = None,
        *,
        ascii_only: bool | None = None,
    ) -> None:
        super().__init__(ascii_only=ascii_only)
        self._sides = (base, new, phase)

    def get_default_screen(self) -> Screen[None]:
        """Return the compare screen: there is no other below it."""
        from perftui.tui.screens.compare.screen import CompareScreen

        return CompareScreen(*self._sides)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer everything by name."""
        if isinstance(screen, Offering):
            yield from screen.commands()
        yield from super().get_system_commands(screen)


def run_compare(
    base: Sequence[ComparedRun], new: Sequence[ComparedRun], phase: PhaseKey | None = None
) -> int:
    """Show a comparison until the person leaves.

    Returns:
        0, or 1 if the screen itself failed (said in one line on stderr).
    """
    app = CompareApp(base, new, phase)
    result = _run(app)
    return 1 if app.tell_last_words() else result or 0


class _PickerApp(TerminalApp[int]):
    def on_mount(self) -> None:
        from perftui.tui.screens.home.picker import PickerScreen

        self.push_screen(PickerScreen(), self.exit)


def run_picker() -> int | None:
    """Let a person choose a running Python process; None if they would rather not."""
    app = _PickerApp()
    pid = _run(app)
    app.tell_last_words()
    return pid


class _HomeApp(TerminalApp["HomeChoice"]):
    def __init__(
        self, message: str, current: ListName, places: dict[ListName, Hashable] | None = None
    ) -> None:
        super().__init__()
        self._message, self._current, self._places = message, current, places

    def on_mount(self) -> None:
        from perftui.tui.screens.home.screen import HomeScreen

        self.push_screen(HomeScreen(self._message, self._current, self._places), self.exit)


def choose_at_home(
    message: str = "",
    current: ListName = "scenarios",
    places: dict[ListName, Hashable] | None = None,
) -> HomeChoice | None:
    """Show the home screen; returns what to do, None if the person leaves.

    Args:
        message: What became of the last choice, in a line.
        current: The list to begin with.
        places: The row of each list that the cursor is on; is told where it is at the end.
    """
    app = _HomeApp(message, current, places)
    choice = _run(app)
    app.tell_last_words()
    return choice

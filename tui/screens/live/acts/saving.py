"""`s`: save what a screen is about, while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.dialogs.save import Save, SaveScreen
from perftui.tui.session.face import OnDisk
from perftui.tui.session.saving import SCREEN, chosen_of, export_words, run_export

if TYPE_CHECKING:
    from pathlib import Path

    from textual.screen import Screen

    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.screens.live.acts.shown import Shown
    from perftui.tui.session.face import LiveSession


def offer_to_save(screen: Screen[None], session: LiveSession, shown: Shown, say: Say) -> None:
    """Ask on top of a screen what to save, and save it while the screen goes on."""
    if shown.view is None:
        return
    recording = session.recording() if isinstance(session, OnDisk) else None
    stem = "perftui"
    if recording is not None:
        stem = recording.name.removesuffix(".zip").removesuffix(".perftui")

    async def save(wanted: Save | None) -> None:
        if wanted is None:
            return
        if wanted.format_name == SCREEN:
            # Not the dialog: what is behind it, once that is drawn.
            screen.call_after_refresh(_save_screen, screen, wanted.path, say)
            return
        if recording is None:
            return
        say(f"saving {wanted.path} …")
        words = export_words(
            recording.absolute(),
            wanted.format_name,
            wanted.chosen,
            str(wanted.path),
            force=wanted.force,
        )
        screen.run_worker(_export(words, say), group="save")

    chosen = chosen_of(shown.view, shown.selection)
    screen.app.push_screen(SaveScreen(recording, stem, chosen), save)


async def _export(words: list[str], say: Say) -> None:
    well, said = await run_export(words)
    say(said, "calm" if well else "warn")


def _save_screen(screen: Screen[None], path: Path, say: Say) -> None:
    from perftui.probes.own.whole_file import write_text

    try:
        write_text(path, screen.app.export_screenshot(title="perftui"))
    except OSError as error:
        say(f"nothing was saved: {path}: {error.strerror or error}", "warn")
        return
    say(f"saved {path}")

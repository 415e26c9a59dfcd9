"""`s`: save what the screen is about, while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.dialogs.save import Save, SaveScreen
from perftui.tui.session.face import OnDisk
from perftui.tui.session.saving import SCREEN, chosen_of, export_words, run_export

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.tui.screens.live.actions import LiveActions


def offer_to_save(live: LiveActions) -> None:
    """Ask what to save, and save it while the screen goes on."""
    view = live.view
    if view is None:
        return
    session = live.session
    recording = session.recording() if isinstance(session, OnDisk) else None
    stem = "perftui"
    if recording is not None:
        stem = recording.name.removesuffix(".zip").removesuffix(".perftui")

    async def save(wanted: Save | None) -> None:
        if wanted is None:
            return
        if wanted.format_name == SCREEN:
            # Not the dialog: what is behind it, once that is drawn.
            live.call_after_refresh(_save_screen, live, wanted.path)
            return
        if recording is None:
            return
        live.say(f"saving {wanted.path} …")
        words = export_words(
            recording.absolute(),
            wanted.format_name,
            wanted.chosen,
            str(wanted.path),
            force=wanted.force,
        )
        live.run_worker(_export(live, words), group="save")

    live.app.push_screen(SaveScreen(recording, stem, chosen_of(view, live.selection)), save)


async def _export(live: LiveActions, words: list[str]) -> None:
    well, said = await run_export(words)
    live.say(said, "calm" if well else "warn")


def _save_screen(live: LiveActions, path: Path) -> None:
    from perftui.probes.own.whole_file import write_text

    try:
        write_text(path, live.app.export_screenshot(title="perftui"))
    except OSError as error:
        live.say(f"nothing was saved: {path}: {error.strerror or error}", "warn")
        return
    live.say(f"saved {path}")

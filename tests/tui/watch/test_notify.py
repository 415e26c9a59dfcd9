"""The bell and desktop notifications: only on request, once each, harmless."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.screens.live_stage import Stage, play
from support.screens.plot import Plot
from support.screens.synthetic_session import SyntheticSession
from support.waiting import PATIENCE_S

from perftui.probes.spine.records import Alert
from perftui.tui.session.notify import BELL, Notifier, has_desktop, sequence_of

if TYPE_CHECKING:
    from pathlib import Path


def alert(kind: str = "mem_growth", severity: str = "warn", onset: int = 1) -> Alert:
    return Alert(kind, severity, onset, onset + 1, None, "RSS +3.20 MB/s; \x1b[2J", "")  # type: ignore[arg-type]  # of Literal


@pytest.fixture
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "VTE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_it_is_off_by_default_and_what_came_meanwhile_is_not_told_later() -> None:
    notifier = Notifier("off")
    assert notifier.take([alert()]) == []
    notifier.how = "bell"
    assert notifier.take([alert()]) == []
    assert notifier.sequences() == []


def test_the_bell_rings_once_for_an_alert_and_again_when_it_becomes_critical() -> None:
    notifier = Notifier("bell")
    assert notifier.take([alert(severity="info")]) == []
    assert notifier.take([alert(), alert("io_wait")]) == [alert(), alert("io_wait")]
    assert notifier.sequences() == [BELL], "one ring for all of a look"
    assert notifier.sequences() == []
    assert notifier.take([alert()]) == []
    assert notifier.take([alert(severity="critical")]) != []
    assert notifier.take([alert(severity="warn")]) == []
    assert notifier.take([alert(onset=9)]) != [], "a later alert of the same kind is another one"


def test_a_notification_names_the_worst_and_how_many_more(no_desktop: None) -> None:
    notifier = Notifier("desktop")
    notifier.take([alert(), alert("oom_risk", "critical")])
    (sequence,) = notifier.sequences()
    assert sequence == "\x1b]9;perftui: oom risk: RSS +3.20 MB/s,  (and 1 more)\x07"


def test_terminals_get_the_sequence_that_they_know() -> None:
    assert sequence_of("a", "b", {"TERM": "foot"}) == "\x1b]777;notify;a;b\x07"
    assert sequence_of("a", "b", {"VTE_VERSION": "7600"}).startswith("\x1b]777;")
    inside = sequence_of("a", "b", {"TMUX": "x"})
    assert inside == "\x1bPtmux;\x1b\x1b]9;a: b\x07\x1b\\"
    assert sequence_of("a;b", "\x1b]0;evil\x07c", {}) == "\x1b]9;a,b: c\x07"


def test_a_desktop_of_another_machine_is_none() -> None:
    assert has_desktop({"DISPLAY": ":0"})
    assert not has_desktop({"DISPLAY": "localhost:10", "SSH_CONNECTION": "1 2 3 4"})
    assert not has_desktop({})


def test_notify_send_is_used_where_there_is_a_desktop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_desktop: None
) -> None:
    tool = tmp_path / "notify-send"
    tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/said\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr("perftui.tui.session.notify._WAIT_S", PATIENCE_S)
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    notifier = Notifier("desktop")
    notifier.take([alert()])
    assert notifier.sequences() == []
    said = (tmp_path / "said").read_text().splitlines()
    assert said[1:3] == ["--", "perftui: mem growth"]
    tool.write_text("#!/bin/sh\nexit 1\n")
    notifier.take([alert(onset=5)])
    assert len(notifier.sequences()) == 1, "where it fails the terminal is asked"


def test_the_palette_turns_it_on_and_the_screen_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SyntheticSession(Plot(alert=True), now_s=11.0)
    sent: list[str] = []

    async def steps(stage: Stage) -> None:
        monkeypatch.setattr(stage.app, "send", sent.append)
        await stage.pictures()
        names = [command.title for command in stage.live.commands()]
        assert "Notify of alerts: bell" in names
        await stage.live.action_tell_alerts("bell")
        await stage.pilot.pause()
        assert "ring the bell" in stage.text
        assert sent == []
        session.to(14.0)
        await stage.live.news.look()
        await stage.live.news.look()
        assert sent == [BELL]

    play(steps, session)

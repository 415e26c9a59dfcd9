"""`perftui selftest` as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from perftui.probes.own.python import own_module
from perftui.scenarios.selftest.checks import QUESTIONS

if TYPE_CHECKING:
    from pathlib import Path


def selftest(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        own_module("perftui", "selftest", *words),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
    )


def test_a_part_of_it_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = selftest("cold_call", "import_tree", "--json", TMPDIR=str(tmp_path))
    said = json.loads(done.stdout)
    assert done.returncode in (0, 3), said  # 3: on a full machine
    assert all(answer["ok"] or not answer["judged"] for answer in said["answers"]), said
    assert [answer["program"] for answer in said["answers"]] == ["cold_call", "import_tree"]
    assert all(answer["measured"] and answer["error"] for answer in said["answers"])
    assert list(tmp_path.glob("perftui-*")) == []


def test_a_program_that_is_not_there_is_one_line() -> None:
    done = selftest("no_such")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no such program: 'no_such'; there are split, poll_loop," in done.stderr


@pytest.mark.live
def test_all_of_it() -> None:
    done = selftest("--json")
    said = json.loads(done.stdout)
    assert done.returncode in (0, 3), [a for a in said["answers"] if not a["ok"]]
    assert len(said["answers"]) == len(QUESTIONS) == 15


@pytest.mark.parametrize(("waiting", "code"), [(0.0, 1), (0.9, 3)])
def test_a_miss_and_a_missing_answer_are_exit_1_unless_the_machine_is_full(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    waiting: float,
    code: int,
) -> None:
    import argparse

    from perftui.scenarios.selftest import lanes
    from perftui.scenarios.selftest.checks import Tried
    from perftui.scenarios.selftest.trial import TrialError
    from perftui.tui.commands.selftest import run

    tried: list[str] = []

    def trial(name: str, folder: Path) -> None:
        tried.append(name)
        if name == "split":
            raise TrialError("no right to look")

    monkeypatch.setattr(lanes, "try_program", trial)
    monkeypatch.setattr(lanes, "cpu_waiting_since", lambda _: waiting)
    wrong = Tried("1.00 s", "250 ms", "-75.0%", ok=False)
    poll = next(question for question in QUESTIONS if question.program == "poll_loop")
    split = next(question for question in QUESTIONS if question.program == "split")
    monkeypatch.setattr(
        "perftui.scenarios.selftest.checks.QUESTIONS",
        (split, poll._replace(check=lambda _: wrong)),
    )
    assert run(argparse.Namespace(programs=[], json=False)) == code
    assert len(tried) == (2 if code == 1 else 4), "asked again, alone"
    out = capsys.readouterr().out
    assert ("no answer" in out, "not judged" in out) == (code == 1, code == 3)
    assert ("somebody waited for a CPU 90% of the time" in out) is (code == 3)
    assert "no right to look" in out
    assert "-75.0%" in out
    assert "0 of 2 right" in out

"""What a program used before anybody sampled it is part of what its stacks ought to cover."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import StackWindow
from perftui.probes.stacks import procfs
from perftui.probes.stacks.own.probe import OwnStackProbe
from perftui.probes.stacks.own.source import OwnSampler

if TYPE_CHECKING:
    from perftui.probes.stacks.own.records import ProcessRecord

SPIN = "print('go', flush=True)\nwhile True: pass"
pytestmark = pytest.mark.skipif(not procfs.LINUX, reason="the sampler is for Linux")


def test_cpu_from_the_attach_to_the_samplers_first_look_counts_as_not_covered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a full machine, where a sampler needs a second to begin."""
    program = subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE, text=True)
    log = SessionLog()
    told: list[StackWindow] = []
    news: list[ProcessRecord] = []

    def append(record: object) -> None:
        if isinstance(record, StackWindow):
            told.append(record)

    monkeypatch.setattr(log, "append", append)

    def used() -> int:
        return procfs.cpu_ns(program.pid) or 0

    def slowly(probe: OwnStackProbe) -> OwnSampler:
        before = used()
        wait_for(lambda: used() - before > 100_000_000, "it uses no CPU")
        return OwnSampler(())

    monkeypatch.setattr(OwnStackProbe, "_begun", slowly)
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "go\n"
        begun_ns, cpu_ns = time.monotonic_ns(), used()
        probe = OwnStackProbe(
            log,
            program.pid,
            lambda: [program.pid],
            born=False,
            on_stack=lambda: None,
            on_news=news.append,
            on_broken=lambda why: None,
        )
        probe.start()
        wait_for(lambda: news, "the sampler says nothing")
        most_ns = used() - cpu_ns
        probe.stop()
    finally:
        program.kill()
        program.communicate()
    first = told[0]
    assert begun_ns <= first.t0_ns < first.t1_ns
    assert first.cpu_ns is not None
    assert 100_000_000 <= first.cpu_ns <= most_ns
    assert (first.covered_cpu_ns, first.samples, first.backend) == (0, 0, "")

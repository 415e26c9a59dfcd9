"""The far end with what travels, on the oldest Python that is here: nothing of ours installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.pythons import interpreters
from support.waiting import PATIENCE_S, wait_for

from perftui.probes.remote.address import Address
from perftui.probes.remote.link import Link, LinkError
from perftui.probes.remote.travel import archive
from perftui.probes.session_options import NOT_RECORDED, ProbeOptions
from perftui.probes.spine.records import Exit, Gap, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perftui.probes.remote.clock import FarClock
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record

BUSY = "while True: sum(range(1000))"


class Here(Address):
    """A far end that is this machine: its line of shell is run as it is."""

    def command(self, far: str, *, again: bool = False) -> list[str]:
        """Return the shell."""
        return ["sh", "-c", far]


HERE = Here("ssh", ("here",), None)


class Heard:
    """What a far end has said."""

    def __init__(self) -> None:
        self.said: list[Record] = []
        self.bytes = 0
        self.written = {1: b"", 2: b""}
        self.reason: str | None = "not ended"

    def records(self, batch: list[Record], clock: FarClock) -> None:
        """Keep them."""
        assert clock.known, "nothing is told before the clocks are known"
        self.said += batch

    def sampler(self, data: bytes) -> None:
        """Count them."""
        self.bytes += len(data)

    def output(self, stream: int, data: bytes) -> None:
        """Keep it."""
        self.written[stream] += data

    def ended(self, link: Link, reason: str | None) -> None:
        """Keep why."""
        self.reason = reason


class Gaps:
    """A sink that keeps them."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []

    def ingest(self, batch: Batch) -> None:
        """Keep them."""
        self.gaps += [event for event in batch.events if isinstance(event, Gap)]


@pytest.fixture
def busy() -> Iterator[int]:
    target = subprocess.Popen([sys.executable, "-I", "-c", BUSY])
    yield target.pid
    target.kill()
    target.wait()


def test_what_travels_is_always_the_same_and_small() -> None:
    assert archive() == archive()
    assert len(archive()) < 400_000


@pytest.mark.live
def test_the_oldest_python_measures_with_what_travels(busy: int) -> None:
    oldest = min(interpreters(), key=lambda python: (python.minor, python.micro))
    link = Link(HERE, {"pid": busy}, python=oldest.executable)
    hello = link.connect(limit_s=PATIENCE_S)
    heard = Heard()
    try:
        assert hello["python"] == oldest.version
        link.listen(heard)
        wait_for(lambda: heard.bytes > 2000, "no stacks come")
        wait_for(lambda: any(isinstance(r, Metric) and r.cpu_s > 0 for r in heard.said))
        # One machine, one clock: what the pings say is what it is.
        error = link.clock.error_ns
        assert error is not None
        assert abs(link.clock.offset_ns) <= error
    finally:
        link.end()
    assert heard.reason is None, "it has said goodbye"


@pytest.mark.live
def test_a_program_that_is_started_there_tells_its_output_and_its_end() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(5)"
    link = Link(HERE, {"argv": [sys.executable, "-c", code]}, python=sys.executable)
    link.connect(limit_s=PATIENCE_S)
    heard = Heard()
    link.listen(heard)
    wait_for(lambda: any(isinstance(r, Exit) for r in heard.said), "no end is told")
    link.end()
    (end,) = [r for r in heard.said if isinstance(r, Exit)]
    assert end.exit_code == 5
    assert heard.written == {1: b"out\n", 2: b"err\n"}


def refused(begin: dict[str, Any], **how: Any) -> LinkError:
    link = Link(HERE, begin, **how)
    with pytest.raises(LinkError) as raised:
        link.connect(limit_s=PATIENCE_S)
    assert "\n" not in str(raised.value)
    return raised.value


def speaker(tmp_path: Path, words: str) -> str:
    path = tmp_path / "far"
    path.write_text(f"#!{sys.executable}\nimport sys\n{words}\n")
    path.chmod(0o755)
    return str(path)


def test_another_version_there_is_told_with_both(tmp_path: Path) -> None:
    hello = (
        "from perftui.probes.remote import frames\n"
        "hello = {'protocol': 7, 'perftui': '0.0.9', 'pid': 1, 'argv': []}\n"
        "sys.stdout.buffer.write(frames.MAGIC + frames.said(frames.HELLO, hello))"
    )
    error = refused({"pid": 1}, far=speaker(tmp_path, hello))
    assert error.kind == "version"
    assert "perftui 0.0.9, here is" in str(error)
    older = refused({"pid": 1}, far="echo perftui 0.0.8 >&2; exit 98")
    assert older.kind == "version"
    assert "perftui 0.0.8, here is" in str(older)


def test_what_is_no_far_end_is_told_in_its_own_last_words() -> None:
    assert "no such host" in str(refused({"pid": 1}, far="echo no such host >&2; exit 255"))
    assert "something else" in str(refused({"pid": 1}, far="yes"))
    assert "exit code 3" in str(refused({"pid": 1}, far="exit 3"))
    assert refused({"pid": 1}, python="no-such-python").kind == "python"
    began = time.monotonic()
    with pytest.raises(LinkError, match="does not answer"):
        Link(HERE, {"pid": 1}, far="sleep 600").connect(limit_s=0.3)
    assert time.monotonic() - began < PATIENCE_S


def test_a_process_that_is_not_there_is_said() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    error = refused({"pid": gone.pid}, python=sys.executable)
    assert error.kind == "gone"
    assert f"no process {gone.pid}" in str(error)


@pytest.mark.live
def test_a_link_that_is_cut_is_linked_again_and_nothing_is_lost(busy: int) -> None:
    from perftui.probes.remote.session import RemoteSession

    address = Here("ssh", ("here",), busy)
    session = RemoteSession.begin(address, ProbeOptions(), NOT_RECORDED, python=sys.executable)
    seen = Gaps()
    session._log.connect(seen)
    store = session.store
    ever = 1 << 62

    def notices() -> str:
        return " / ".join(notice.text for notice in store.status().notices)

    try:
        wait_for(lambda: store.call_tree(0, ever), "no stacks come")
        before = store.last("rss_bytes")
        assert before is not None
        os.kill(session._links._link.pid(), 9)
        wait_for(lambda: "again: nothing was measured" in notices(), "it is not linked again")
        assert "was cut" in notices()
        linked_ns = time.monotonic_ns()
        wait_for(lambda: store.call_tree(linked_ns, ever), "no stacks afterwards")
        assert session.target_alive()
    finally:
        session.close()
    (gap,) = seen.gaps
    assert gap.t0_ns < gap.t1_ns <= linked_ns, "from the last that was told to the next"

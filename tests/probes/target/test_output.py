"""The output of a target behind the screen: floods, stopped and killed readers, odd bytes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.enriched import enriched
from support.waiting import wait_for

from perftui.probes.recording.write.rows import RowMaker
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import LogLine, Notice
from perftui.probes.store.lines import LOG_CHARACTERS_KEPT, LogLines
from perftui.probes.target.output.lines import LINE_CHARACTERS, LineMaker
from perftui.probes.target.output.tail import NO_INPUT, OutputTail, _Followed, wanted_input
from perftui.probes.target.target import LaunchedTarget

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch

LIMIT_S = 60.0
FLOOD = """
import os, sys
block = b"x" * 99 + b"\\n"
block *= 2_000
for n in range({blocks}): os.write(1, block)
os.write(1, b"the last line\\n")
os.write(2, b"a word on stderr\\n")
open(sys.argv[1], "w").write("done")
"""
BLOCK_BYTES = 200_000
HOST = """
import os, sys, time
from perftui.probes.spine.log import SessionLog
from perftui.probes.target.output.tail import NO_INPUT, OutputTail, _Followed, wanted_input
from perftui.probes.target.target import LaunchedTarget
output = OutputTail(SessionLog())
target = LaunchedTarget(sys.argv[1:], os.environ, stdout=output.stdout_fd,
                        stderr=output.stderr_fd, own_session=True)
output.start()
print("ready", target.pid, output._process.pid, flush=True)
time.sleep(600)
"""


class Kept:
    """A sink that keeps lines and notices."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.notices: list[str] = []

    def ingest(self, batch: Batch) -> None:
        self.lines += [record for record in batch.raw if isinstance(record, LogLine)]
        self.notices += [record.text for record in batch.raw if isinstance(record, Notice)]

    def texts(self, stream: str = "stdout") -> list[str]:
        return [line.text for line in self.lines if line.stream == stream]


def launched(code: str, *words: str) -> tuple[OutputTail, LaunchedTarget, Kept]:
    log, kept = SessionLog(), Kept()
    log.connect(kept)
    output = OutputTail(log)
    target = LaunchedTarget(
        [sys.executable, "-S", "-c", code, *words],
        os.environ,
        stdout=output.stdout_fd,
        stderr=output.stderr_fd,
    )
    output.start()
    target.watch(lambda _: None)
    return output, target, kept


def gone(pid: int) -> bool:
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True


def test_a_flood_is_cut_and_every_byte_of_it_is_shown_or_counted(tmp_path: Path) -> None:
    blocks = 1_000
    output, target, kept = launched(FLOOD.format(blocks=blocks), str(tmp_path / "done"))
    assert target.wait(LIMIT_S)
    output.stop()
    assert target.exit is not None
    assert target.exit.exit_code == 0
    told = [text for text in kept.texts() if text.startswith("[perftui: ")]
    shown = [text for text in kept.texts() if not text.startswith("[perftui: ")]
    assert told, "the log says where something is missing"
    total = sum(map(len, shown)) + len(shown) + output.lost_bytes
    # Where something is missing a line may be cut in two.
    assert 0 <= total - (blocks * BLOCK_BYTES + 14) <= len(told)
    assert sum(map(len, shown)) < blocks * BLOCK_BYTES / 4, "an allowance per second"
    assert sum(text == "x" * 99 for text in shown) >= len(shown) - 1 - 2 * len(told)
    assert shown[-1] == "the last line", "the newest is what is kept"
    assert kept.texts("stderr") == ["a word on stderr"]
    assert any("not in the log" in notice for notice in kept.notices)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_target_writes_on_when_perftui_is_stopped_or_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    done = tmp_path / "done"
    code = "import time; time.sleep(0.5)\n" + FLOOD.format(blocks=500)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, sys.executable, "-S", "-c", code, str(done)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert host.stdout is not None
    try:
        target, drain = map(int, host.stdout.readline().split()[1:])
        host.send_signal(number)
        wait_for(done.exists, "the target was held up")
    finally:
        host.kill()
        host.communicate()
    wait_for(lambda: gone(target) and gone(drain), "something is left behind")


def test_a_killed_drain_is_replaced(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfor word in sys.stdin: os.write(1, (word.strip() + ' ' * 200_000).encode()"
        " + b'\\n')"
    )
    log, kept = SessionLog(), Kept()
    log.connect(kept)
    output = OutputTail(log)
    target = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=output.stdout_fd,
        stderr=output.stderr_fd,
        text=True,
        bufsize=1,
    )
    output.start()
    assert target.stdin is not None
    target.stdin.write("first\n")
    wait_for(lambda: any("first" in text for text in kept.texts()), "nothing came")
    assert output._process is not None
    os.kill(output._process.pid, signal.SIGKILL)
    target.stdin.write("second\n")
    wait_for(lambda: any("second" in text for text in kept.texts()), "nothing came any more")
    assert any("was killed" in notice for notice in kept.notices)
    # Killed just before we leave: the target's pipes must not be left without a reader.
    os.kill(output._process.pid, signal.SIGKILL)
    output.stop()
    target.stdin.write("third\n" * 50)
    target.stdin.close()
    assert target.wait(LIMIT_S) == 0


def test_the_target_never_depends_on_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    output, target, kept = launched("print('well')")
    assert target.wait(LIMIT_S)
    output.stop()
    assert kept.texts() == ["well"]


def test_a_descendant_that_holds_the_pipes_keeps_nobody_waiting() -> None:
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid)"
    output, target, kept = launched(code)
    assert target.wait(LIMIT_S)
    output.stop()
    (pid,) = kept.texts()
    os.kill(int(pid), signal.SIGKILL)
    assert output._process is not None
    assert output._process.wait(LIMIT_S) == 0, "it ends with the last that could write"


def test_a_prompt_is_shown_and_a_bar_as_it_is_at_last() -> None:
    code = (
        "import sys, time\nfor n in range(5): sys.stderr.write(f'\\r{n} of 5'); time.sleep(0.01)\n"
        "print('name? ', end='', flush=True); sys.stdin.read()"
    )
    log, kept = SessionLog(), Kept()
    log.connect(kept)
    output = OutputTail(log)
    target = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=output.stdout_fd,
        stderr=output.stderr_fd,
    )
    output.start()
    wait_for(lambda: kept.texts() and kept.texts("stderr"), "a line without end is not shown")
    target.communicate()
    output.stop()
    assert kept.texts() == ["name? "]
    assert kept.texts("stderr")[-1] == "4 of 5"


def test_a_bar_that_never_rests_is_shown_once_a_second() -> None:
    second = 1_000_000_000
    stream = _Followed("stderr")
    shown = []
    try:
        for tick in range(100):  # ten seconds, far from any pause
            t_ns = tick * second // 10
            assert stream.take(f"\r{tick} %".encode(), 0, t_ns) == []
            if stream.rests(t_ns, second // 2):
                shown.append(stream.maker.take())
    finally:
        stream.close_read()
        stream.close_write()
    assert len(shown) in (9, 10)
    assert shown[0] == "10 %"


def test_a_program_that_wants_input_behind_the_screen_is_told_how() -> None:
    code = "try: input('name? ')\nexcept EOFError as e: raise SystemExit(f'EOFError: {e}')"
    output, target, kept = launched(code)
    target.wait(LIMIT_S)
    output.stop()
    assert [text for text in kept.notices if "--headless" in text] == [NO_INPUT]
    assert kept.texts() == ["name? "]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("EOFError: EOF when reading a line", True),
        ("bdb.BdbQuit", True),
        ("EOFError: Ran out of input", False),
        ("an EOFError: EOF when reading a line", False),
    ],
)
def test_other_ends_of_file_are_not_about_input(text: str, wanted: bool) -> None:
    assert wanted_input(text) is wanted


@pytest.mark.parametrize("step", [1, 3, 1 << 20])
def test_lines_are_the_same_in_whatever_pieces_they_come(step: int) -> None:
    data = "one\r\ntwo\n 1%\r 99%\rgrün\n\rlast\r".encode() + b"\xff\n\0\x1b[31m\n"
    maker = LineMaker()
    lines = [line for at in range(0, len(data), step) for line in maker.feed(data[at : at + step])]
    assert lines == ["one", "two", "grün", "\ufffd", "\0\x1b[31m"]


def test_a_line_without_end_takes_no_room() -> None:
    maker = LineMaker()
    for _ in range(200):
        assert maker.feed(b"\xfe" * 100_000) == []
    line = maker.take()
    assert len(line) < LINE_CHARACTERS + 50
    assert "19,996,000 more" in line


def test_what_is_kept_of_the_output_is_bounded() -> None:
    lines, rows = LogLines(), RowMaker(1)
    for n in range(6_000):
        record = LogLine(n * 10_000_000, "stdout", f"{n:05} " + "y" * 3_000)
        lines.take(record)
        rows.take(enriched([record], rows))
    kept = lines.newest(0, 1 << 62, 100_000)
    assert sum(len(line.text) for line in kept) <= LOG_CHARACTERS_KEPT
    assert kept[-1].text.startswith("05999 ")
    written = rows.rows["log"]
    assert len(written) + rows.lines_dropped == 6_000
    assert rows.lines_dropped > 3_000
    assert re.match("00000 ", written[0][2])

"""`%%perftui` in a real kernel: a cell is measured, and the kernel is as it would be without."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

pytest.importorskip("ipykernel")
pytest.importorskip("jupyter_client")
from jupyter_client.manager import KernelManager
from support.waiting import PATIENCE_S, has_ended, wait_for

from perftui.tui.notebook.magic import html_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY = """
def work(seconds):
    import time
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(1000))
    return 42
"""


OPEN_PIPES = """
import os, threading, psutil
def open_pipes():
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink("/proc/self/fd/" + name).startswith("pipe:")
        except OSError:
            pass
    return found
def leftovers():
    threads = [t.name for t in threading.enumerate() if "perftui" in t.name]
    return threads + [p.pid for p in psutil.Process().children()]
"""
"""What a kernel opens by itself, now and then, is no pipe."""


class Ran(NamedTuple):
    status: str
    text: str
    """What was printed."""
    shown: list[dict[str, Any]]
    """What was displayed, by type."""
    result: str | None
    error: str | None


class Kernel:
    """A kernel, and somebody who types into it."""

    def __init__(self) -> None:
        self.manager = KernelManager()
        self.manager.kernel_spec.argv[0] = sys.executable  # type: ignore[union-attr]
        self.manager.start_kernel()
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE_S)

    def run(self, code: str) -> Ran:
        text, shown, result = "", [], None

        def hear(message: dict[str, Any]) -> None:
            nonlocal text, result
            content = message["content"]
            if message["msg_type"] == "stream":
                text += content["text"]
            elif message["msg_type"] == "display_data":
                shown.append(content["data"])
            elif message["msg_type"] == "execute_result":
                result = content["data"]["text/plain"]

        reply = self.client.execute_interactive(code, timeout=PATIENCE_S, output_hook=hear)
        content = reply["content"]
        return Ran(content["status"], text, shown, result, content.get("ename"))

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    try:
        assert kernel.run("%load_ext perftui").status == "ok"
        assert kernel.run(BUSY).status == "ok"
        yield kernel
    finally:
        kernel.close()


@pytest.mark.live
def test_a_cell_is_a_phase_with_its_summary_and_the_report_folded(kernel: Kernel) -> None:
    ran = kernel.run("%%perftui spin it\nx = work(1.2)\nx")
    assert (ran.status, ran.result) == ("ok", "42")
    (shown,) = ran.shown
    assert shown["text/plain"].startswith("spin it: 1.")
    assert "work" in shown["text/html"]
    assert shown["text/html"].count("<details>") == 2
    assert "srcdoc=" in shown["text/html"]
    assert kernel.run("x + 1").result == "43"  # names are the kernel's


@pytest.mark.live
def test_the_kernel_is_unharmed(kernel: Kernel) -> None:
    kernel.run(OPEN_PIPES)
    before = kernel.run("open_pipes()")
    failed = kernel.run("%%perftui --no-report\ny = 7\n1 / 0")
    assert (failed.status, failed.error) == ("error", "ZeroDivisionError")
    assert len(failed.shown) == 1
    assert kernel.run("y").result == "7"
    refused = kernel.run("%%perftui\nimport asyncio\nawait asyncio.sleep(0)")
    assert (refused.status, refused.error) == ("error", "UsageError")
    assert kernel.run("%%perftui --rate 0\n1").error == "UsageError"
    assert kernel.run("%%perftui\n1 +").error == "SyntaxError"
    quiet = kernel.run("%%perftui --no-report\n5;")
    assert (quiet.status, quiet.result) == ("ok", None)
    assert kernel.run("open_pipes()").result == before.result
    assert kernel.run("leftovers()").result == "[]"
    assert kernel.run("threading.active_count() - 0").status == "ok"


@pytest.mark.live
def test_a_kernel_restarted_in_the_middle_leaves_nobody_behind(kernel: Kernel) -> None:
    kernel.client.execute("%%perftui --no-report\nprint('on', flush=True)\nwork(60)")
    wait_for(lambda: children_of(kernel), "nobody watches")

    def begun() -> bool:
        message = kernel.client.get_iopub_msg(timeout=PATIENCE_S)
        return message["msg_type"] == "stream" and "on" in message["content"]["text"]

    wait_for(begun)
    beside = children_of(kernel)
    kernel.manager.restart_kernel(now=True)
    wait_for(lambda: all(has_ended(pid) for pid in beside), f"{beside} live on")
    kernel.client.wait_for_ready(timeout=PATIENCE_S)
    assert kernel.run("6 * 7").result == "42"


def children_of(kernel: Kernel) -> list[int]:
    import psutil

    pid = kernel.manager.provisioner.pid  # type: ignore[union-attr]
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            if any("perftui" in word for word in child.cmdline()):
                found.append(child.pid)
        except psutil.Error:
            time.sleep(0)
    return found


def test_what_is_shown_is_escaped_and_says_why_there_is_no_report() -> None:
    summary: dict[str, Any] = {
        "phase": {
            "name": "<b>cell</b>",
            "duration_s": 2.0,
            "cpu_s": None,
            "rss_start_bytes": 5_000_000,
            "rss_end_bytes": 3_000_000,
            "peak_rss_bytes": None,
        },
        "lines": ["nothing stands out: <script>"],
        "explained": "",
        "notices": ["no stacks"],
        "recording": "/x/kernel-1.perftui",
        "report": "uplot-python is not installed",
    }
    assert text_of(summary).splitlines() == [
        "<b>cell</b>: 2.00 s, RSS -2.00 MB",
        "nothing stands out: <script>",
        "! no stacks",
        "perftui open kernel-1",
    ]
    page = html_of(summary, None)
    assert "<script>" not in page
    assert "uplot-python is not installed" in page
    assert "srcdoc" not in page

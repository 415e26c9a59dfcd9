from __future__ import annotations

import pytest

from perftui.probes.profile.waiting import waiting_for
from perftui.probes.spine.calltree import CallTree

LIB = "/usr/lib/python3.12"
SITE = "/venv/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["/app/job.py"], "waiting (sleep, I/O or native code)"),
        (["/app/job.py", f"{LIB}/threading.py"], "waiting for a lock"),
        (["/app/job.py", f"{LIB}/queue.py", f"{LIB}/threading.py"], "waiting for a lock"),
        (["/app/job.py", f"{LIB}/selectors.py"], "waiting for I/O (selectors)"),
        (
            [f"{LIB}/threading.py", f"{LIB}/asyncio/base_events.py", f"{LIB}/selectors.py"],
            "waiting in the event loop",
        ),
        (
            [
                "/app/job.py",
                f"{SITE}/lancedb/table.py",
                f"{LIB}/concurrent/futures/_base.py",
                f"{LIB}/threading.py",
            ],
            "waiting in lancedb",
        ),
    ],
)
def test_a_wait_is_named_after_what_is_waited_for(files: list[str], says: str) -> None:
    tree = CallTree()
    node = tree.intern([tree.frame_id("f", file, 1) for file in files])
    assert waiting_for(tree, node, 0.9, 0.0, 0) == says


def test_busy_native_threads_and_a_busy_machine_are_named() -> None:
    tree = CallTree()
    app = tree.intern([tree.frame_id("query", "/app/job.py", 1)])
    lib = tree.intern([tree.frame_id("collect", f"{SITE}/polars/frame.py", 1)])
    assert waiting_for(tree, app, 0.9, 0.0, 9) == "waiting in native code (9 native threads busy)"
    assert waiting_for(tree, lib, 0.9, 0.1, 1) == "waiting in polars (1 native thread busy)"
    assert waiting_for(tree, app, 0.5, 0.4, 9) == "waiting for a core: the machine is busy"
    assert waiting_for(tree, 0, 0.9, 0.0, 9) == ""

"""What every test may rely on."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

if importlib.util.find_spec("perftui") is None:
    # Not installed: give the three folders their installed name.
    spec = importlib.util.spec_from_file_location(
        "perftui", ROOT / "tui/_root/__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["perftui"] = module
    spec.loader.exec_module(module)


@pytest.fixture(autouse=True, scope="session")
def _own_shelf(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Recordings of tests go to a folder of their own, also those of child processes."""
    os.environ["PERFTUI_RECORDINGS"] = str(tmp_path_factory.mktemp("recordings"))


_CORE = ("tests/cli/", "tests/stacks/", "tests/tui/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the long tests of the spine as core, and give those against the clock a second try."""
    for item in items:
        if item.nodeid.startswith(_CORE):
            item.add_marker("core")
        if item.get_closest_marker("live"):
            # A real target against the clock, where the neighbours may be loud: one more try,
            # and the summary names it.
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what passed, or failed, only at its second try: a flake must not pass unseen."""
    again = terminalreporter.stats.get("rerun", [])
    if not again:
        return
    terminalreporter.section(f"{len(again)} reruns")
    for report in again:
        terminalreporter.line(f"RERUN {report.nodeid}")
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            terminalreporter.line(f"      {crash.message.splitlines()[0]}")

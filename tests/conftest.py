"""What every test may rely on."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

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


# What a shell's `&` and `nohup` ignore: the programs that the tests start and end would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Nobody is there to whom the screen would have to explain itself.
os.environ["PERFTUI_FIRST_LOOK"] = "0"

# The workers of xdist inherit them from readline in the process that starts them; a program in a
# terminal of a test would believe them, and not its terminal.
for _size in ("COLUMNS", "LINES"):
    os.environ.pop(_size, None)


@pytest.fixture(autouse=True, scope="session")
def _own_shelf(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Recordings of tests go to a folder of their own, also those of child processes.

    What the person who runs the tests has chosen is neither read nor changed.
    """
    os.environ["PERFTUI_RECORDINGS"] = str(tmp_path_factory.mktemp("recordings"))
    os.environ["PERFTUI_CONFIG"] = ""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


_CORE = ("tests/tui/cli/", "tests/probes/stacks/", "tests/tui/")
_NOT_CORE = (
    "tests/tui/bench/",
    "tests/tui/matrix/",
    "tests/tui/mcp/",
    "tests/tui/notebook/",
    "tests/tui/watch/test_flight.py",
    "tests/probes/fleet/",
    "tests/probes/stacks/test_relay_live.py",
    "tests/tui/cli/test_elsewhere.py",
    "tests/tui/cli/test_ending.py::test_a_terminal_that_goes_away_closes_all_in_order[nohup]",
    "tests/tui/cli/test_ending.py::test_a_target_that_does_not_end_is_left_and_said",
    "tests/tui/cli/test_fail_on.py::test_another_kind_does_not_and_the_programs_own_exit_code",
    "tests/tui/cli/test_plans.py::test_plan_check[datafusion]",
    "tests/tui/cli/test_plans.py::test_plan_check[lance]",
    "tests/tui/cli/test_plans.py::test_plan_check[polars]",
    "tests/tui/cli/test_race.py::test_the_screen_from_the_first_second_to_the_report",
    "tests/tui/cli/test_replay.py::test_another_terminal_is_followed",
    "tests/tui/cli/test_screen.py::test_a_scenario_is_run_again_warm_and_cold",
    "tests/tui/cli/test_spikes.py::test_a_collect_explains_itself_live_and_from_its_recording",
    "tests/tui/screens/test_live_screen.py::test_odd_sessions_are_shown_without_a_stumble[large",
    "tests/tui/cli/test_what_is_loaded.py::test_commands_on_a_recording_load_no_data_frames",
)
"""Their live tests run programs again and again, or wait for long: of these a fifth a day."""
FIFTHS = 5


def pytest_configure(config: pytest.Config) -> None:
    """Have the modules of perftui imported as they are.

    It has a pytest plugin, and pytest parses every module of such a package anew, for its asserts;
    also where a screen's or a probe's thread imports one, and two threads that parse at the same
    time fail now and then in CPython 3.11 ("AST constructor recursion depth mismatch").
    """
    hook = config.pluginmanager.rewrite_hook
    marked = getattr(hook, "_must_rewrite", None)
    if marked is not None:  # a private name: where it has gone, all is as it was
        marked -= {"perftui", "tui", "probes", "scenarios"}
        hook._marked_for_rewrite_cache.clear()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of a part of the long tests."""
    parser.addoption(
        "--long-fifth",
        type=int,
        choices=range(FIFTHS),
        help="only the long tests that `make test` leaves out, and of these one fifth",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of the spine as core, and say how the others are run."""
    for item in items:
        if item.nodeid.startswith(_CORE) and not item.nodeid.startswith(_NOT_CORE):
            item.add_marker("core")
        live = item.get_closest_marker("live") is not None
        if live:
            # A real target against the clock, where the neighbours may be loud: one more try,
            # and the summary names it.
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=1))
        # Where tests are run side by side, those against the clock are not beside each other, and
        # those of one file share what they have made.
        item.add_marker(pytest.mark.xdist_group("live" if live else item.nodeid.split("::")[0]))
    fifth = config.getoption("long_fifth")
    if fifth is not None:
        _keep(config, items, lambda item: _is_long(item) and _fifth_of(item) == fifth)


@pytest.hookimpl(wrapper=True)
def pytest_collection_finish(session: pytest.Session) -> Generator[None]:
    """Let xdist see the groups of the tests.

    Up to 3.8 it appends them to a name that pytest 9.2 no longer reads, and every test is a group
    of its own.
    """
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            grouped = getattr(item, "_nodeid", None)
            if grouped is not None and grouped != item.nodeid:
                item._id = type(item._id).parse(grouped)  # type: ignore[attr-defined]
    return (yield)


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("live") is not None and not item.get_closest_marker("core")


def _fifth_of(item: pytest.Item) -> int:
    """Which fifth a test belongs to: by its name, so that a new test moves no other one."""
    return zlib.crc32(item.nodeid.encode()) % FIFTHS


def _keep(
    config: pytest.Config, items: list[pytest.Item], wanted: Callable[[pytest.Item], bool]
) -> None:
    chosen = [item for item in items if wanted(item)]
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = chosen


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what passed, or failed, only at its second try: a flake must not pass unseen."""
    again = terminalreporter.stats.get("rerun", [])
    if not again:
        return
    terminalreporter.section(f"{len(again)} needed a second try")
    lines = []
    for report in again:
        crash = getattr(report.longrepr, "reprcrash", None)
        why = crash.message.splitlines()[0] if crash is not None and crash.message else "?"
        lines.append(f"{_without_group(report.nodeid)}: {why}")
    for line in lines:
        terminalreporter.line(line)
    kept = os.environ.get("PERFTUI_RERUNS")
    if kept:
        # For who runs pytest several times and wants one list of all.
        with Path(kept).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def _without_group(nodeid: str) -> str:
    """A test's name without what xdist adds to it."""
    name, _, group = nodeid.rpartition("@")
    return name if name and "]" not in group else nodeid

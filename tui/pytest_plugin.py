"""perftui in a test suite: a marker, a fixture, a section of the report, a JSON file.

    @pytest.mark.perftui(max_growth="100MB", fail_on=["streaming_violation"])
    def test_export(): ...

    def test_load(perftui):
        with perftui.measure("load", max_growth="50MB") as m: ...
        assert m.counters["rows"] == 1_000_000

pytest loads this file in every suite of an environment that has perftui: until a test is
measured it imports nothing that pytest has not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from perftui.probes.inside.result import Measured

MARKER = (
    "perftui(max_growth, max_kept, max_peak, max_seconds, max_cpu_seconds, fail_on, limit, "
    "rate_hz): measure the test in its own process; it fails if it exceeds what is given"
)
SCHEMA = 1
_WANTS_TABLE = set("aApP")


class PerftuiWarning(pytest.PytestWarning):
    """A measured test ended without the verdict it asks for."""


class Tests:
    """What has been measured in this run, by test; in the controller with pytest-xdist."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def add(self, report: pytest.TestReport) -> None:
        """Take the report of one phase of a test."""
        measured: list[dict[str, Any]] = getattr(report, "perftui", [])
        if report.when == "setup":
            self.rows.pop(report.nodeid, None)  # another try of a test that failed
        if not measured and report.nodeid not in self.rows:
            return
        row = self.rows.setdefault(
            report.nodeid, {"nodeid": report.nodeid, "outcome": report.outcome, "measured": []}
        )
        row["measured"] += measured
        if report.when == "call" or report.outcome == "failed":
            row["outcome"] = report.outcome


_tests = pytest.StashKey[Tests]()
_blocks = pytest.StashKey[list["Measured"]]()
_wrong = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("perftui", "memory and time of tests (perftui)")
    group.addoption(
        "--perftui-json",
        metavar="FILE",
        help="write what was measured of every marked test as JSON",
    )
    group.addoption(
        "--perftui-off",
        action="store_true",
        help="measure nothing: marked tests run as if they were not",
    )
    group.addoption(
        "--perftui-accept",
        action="store_true",
        help="make what perftui_bench measures the baseline beside the test",
    )
    parser.addini("perftui_json", "the same as --perftui-json")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; see now whether the file may be written, not after the tests."""
    config.addinivalue_line("markers", MARKER)
    config.stash[_tests] = Tests()
    path = _json_path(config)
    if path is not None:
        from perftui.probes.own.whole_file import check_writable

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            check_writable(path)
        except OSError as error:
            raise pytest.UsageError(
                f"--perftui-json: cannot write {str(path)!r}: {error.strerror}"
            ) from error


@pytest.fixture
def perftui_bench(request: pytest.FixtureRequest) -> Any:
    """Run a function in fresh processes, against a baseline beside the test: `bench.in_pytest`."""

    def bench(function: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        from perftui.scenarios.define.parameters import ScenarioError
        from perftui.tui.bench.in_pytest import bench_in_test

        if request.config.getoption("--perftui-off"):
            pytest.skip("--perftui-off")
        accept = bool(request.config.getoption("--perftui-accept"))
        try:
            return bench_in_test(
                function,
                request.node.path,
                request.node.name,
                accept=accept,
                warn=lambda text: request.node.warn(PerftuiWarning(text)),
                **options,
            )
        except AssertionError as error:
            pytest.fail(str(error), pytrace=False)
        except ScenarioError as error:
            pytest.fail(f"perftui_bench: {error}", pytrace=False)

    return bench


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")  # of pytest-xdist: the controller reports


def _json_path(config: pytest.Config) -> Path | None:
    named = config.getoption("--perftui-json")
    if _is_worker(config):
        return None
    if named:
        return Path(config.invocation_params.dir, named)
    of_file = config.getini("perftui_json")
    return Path(config.rootpath, of_file) if of_file else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A marker with an argument that is none is a usage error, before anything runs."""
    wrong = []
    for item in items:
        if item.get_closest_marker("perftui") is None:
            continue
        text = _wrong_marker(item)
        if text:
            item.stash[_wrong] = text
            wrong.append(f"{item.nodeid}: {text}")
    if wrong and not _is_worker(config):
        raise pytest.UsageError("\n".join(wrong))


def _wrong_marker(item: pytest.Item) -> str:
    from perftui.probes.inside.limits import Limits, LimitsError

    for marker in item.iter_markers("perftui"):
        if marker.args:
            return f'@pytest.mark.perftui({marker.args[0]!r}): name it, as in max_growth="100MB"'
    try:
        Limits.of(_options(item))
    except LimitsError as error:
        return f"@pytest.mark.perftui: {error}"
    return ""


def _options(item: pytest.Item) -> dict[str, object]:
    """Arguments of all our markers of a test; the one that is closest to it wins."""
    options: dict[str, object] = {}
    for marker in item.iter_markers("perftui"):
        options = {**marker.kwargs, **options}
    return options


def pytest_runtest_setup(item: pytest.Item) -> None:
    """In a worker of pytest-xdist a usage error would be a crash: the test tells it."""
    text = item.stash.get(_wrong, "")
    if text:
        pytest.fail(text, pytrace=False)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure a marked test, without its fixtures; fail it if it did not keep its limits."""
    if item.get_closest_marker("perftui") is None or item.config.getoption("--perftui-off"):
        return (yield)
    from perftui.probes.inside.measure import measure
    from perftui.probes.inside.result import LimitExceeded

    block = measure(item.name, **_options(item))
    try:
        with block:
            result = yield
    except LimitExceeded as error:
        if str(error) != block.measured.verdict():
            raise  # of a block inside the test: told where it happened
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    finally:
        _keep(item, block.measured)
    return result


def _keep(item: pytest.Item, measured: Measured) -> None:
    """Add a measured block to the reports of its test."""
    if measured.wall_s is None:
        return
    item.stash.setdefault(_blocks, []).append(measured)
    lines = [f"{measured.name}: {measured.describe()}"]
    lines += [
        f"  {'mark' if alert.severity == 'info' else 'alert'}: {alert}" for alert in measured.alerts
    ]
    lines += [f"  {remark}" for remark in measured.remarks()]
    item.add_report_section("call", "perftui", "\n".join(lines))
    for kind, reason in measured.unjudged.items():
        text = f"{measured.name}: fail_on={kind} was not judged: {reason}"
        item.warn(PerftuiWarning(text))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hand the figures over with the report: as plain data, since it may cross a process."""
    report = yield
    blocks = item.stash.get(_blocks, [])
    if blocks:
        report.perftui = [measured.as_json() for measured in blocks]  # type: ignore[attr-defined]  # reports carry what plugins add
        blocks.clear()
    return report


class _Collector:
    """Hears of every report, those of workers too. A plugin of its own: it needs the run's stash,
    which this hook is not given."""

    def __init__(self, tests: Tests) -> None:
        self._tests = tests

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what was measured."""
        self._tests.add(report)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Listen to reports, where they are reported."""
    if not _is_worker(session.config):
        session.config.pluginmanager.register(
            _Collector(session.config.stash[_tests]), "perftui-reports"
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the JSON file."""
    path = _json_path(session.config)
    if path is None:
        return
    rows = list(session.config.stash[_tests].rows.values())
    text = json.dumps({"schema": SCHEMA, "tests": rows}, indent=2, allow_nan=False) + "\n"
    from perftui.probes.own.whole_file import write_text

    write_text(path, text)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what was measured: with -rA, -rP or -v always, else only where a file was asked for."""
    rows = config.stash[_tests].rows
    wanted = _WANTS_TABLE & set(config.getoption("reportchars")) or config.get_verbosity() > 0
    if not rows or not wanted:
        return
    from perftui.probes.inside.result import UNSEEN

    terminalreporter.section("perftui")
    for line in table(list(rows.values())):
        terminalreporter.line(line)
    terminalreporter.line(f"({UNSEEN})")


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Lay the measured blocks out as lines: figures right, names left."""
    from perftui.probes.text.units import format_bytes, format_seconds

    def size(value: int | None) -> str:
        return "-" if value is None else format_bytes(value)

    cells = [("wall", "CPU", "grew by", "kept", "peak", "alerts", "test")]
    for row in rows:
        for block in row["measured"]:
            name = row["nodeid"]
            if not name.endswith(f"::{block['name']}"):
                name += f" · {block['name']}"
            kinds = sorted({alert["kind"] for alert in block["alerts"]})
            cells.append(
                (
                    format_seconds(block["wall_s"]),
                    format_seconds(block["cpu_s"]),
                    size(block["growth_bytes"]),
                    size(block["kept_bytes"]),
                    size(block["peak_bytes"]),
                    " ".join(kinds) or "-",
                    f"{name}{' FAILED' if block['failures'] else ''}",
                )
            )
    from perftui.probes.text.columns import aligned

    return aligned(cells, right=range(6))


class _Block:
    """One `with perftui.measure(...)` of a test: no frame of ours stands in its traceback."""

    def __init__(self, item: pytest.Item, name: str, limits: dict[str, object]) -> None:
        from perftui.probes.inside.measure import measure, plainly

        self._item = item
        self._block = measure(name, **limits)
        off = item.config.getoption("--perftui-off")
        self._context = plainly(self._block.measured) if off else self._block
        self._off = off

    def __enter__(self) -> Measured:
        return self._context.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        try:
            self._context.__exit__(kind, error, trace)
        finally:
            if not self._off:
                _keep(self._item, self._block.measured)


class Perftui:
    """What the fixture gives: `measure`, and all that the module of this name has for programs,
    since a test that takes the fixture cannot see the module.
    """

    def __init__(self, item: pytest.Item) -> None:
        from perftui.probes.agent import api

        self._item = item
        self.phase, self.call, self.watch = api.phase, api.call, api.watch
        self.count, self.mark = api.count, api.mark

    def measure(self, name: str = "block", **limits: object) -> _Block:
        """Measure a block; it fails the test if it does not keep its limits.

        Args:
            name: What to call it in reports.
            limits: As of the marker.
        """
        __tracebackhide__ = True
        return _Block(self._item, name, limits)


@pytest.fixture
def perftui(request: pytest.FixtureRequest) -> Perftui:
    """Measure blocks of a test: `with perftui.measure("load", max_growth="50MB") as m: ...`."""
    node: pytest.Item = request.node
    return Perftui(node)

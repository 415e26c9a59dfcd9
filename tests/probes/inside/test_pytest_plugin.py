"""The pytest plugin as a suite sees it: each test here runs a pytest of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

GROWS = """
import pytest

@pytest.mark.perftui(max_growth="40MB")
def test_grows():
    data = bytearray(b"x") * 120_000_000

@pytest.mark.perftui(max_growth="40MB", max_peak="4GB", max_seconds=60)
def test_stays():
    data = bytearray(b"x") * 2_000_000
"""


def figures(path: Path) -> dict[str, dict[str, Any]]:
    """Return the measured blocks of a JSON file by test, the single one of each."""
    tests = json.loads(path.read_text())["tests"]
    return {row["nodeid"].rpartition("::")[2]: row["measured"][0] for row in tests}


def test_a_test_that_grows_too_much_fails_and_says_how(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(GROWS)
    result = pytester.runpytest_subprocess("-rA", "--perftui-json", "out/measured.json")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.re_match_lines(
        [
            r"test_grows: memory grew by 1[12]\d MB \(.* MB -> \d+ MB\), limit 40.0 MB.*",
            r"  measured: .* wall, .* CPU, RSS .* kept .* readings.*",
        ],
        consecutive=True,
    )
    result.stdout.re_match_lines([r"=+ perftui =+", r" +wall +CPU +grew by +kept +peak +alerts .*"])
    result.stdout.fnmatch_lines(["*::test_grows FAILED", "*::test_stays"])
    measured = figures(pytester.path / "out/measured.json")
    grown, stayed = measured["test_grows"], measured["test_stays"]
    assert 115e6 < grown["growth_bytes"] < 160e6
    assert grown["peak_bytes"] - grown["rss_start_bytes"] == grown["growth_bytes"]
    assert grown["kept_bytes"] < 30e6
    assert len(grown["failures"]) == 1
    assert stayed["failures"] == []
    # The high-water mark of the test before is not its own.
    assert stayed["growth_bytes"] < 40e6


def test_a_block_fails_where_it_stands(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_load(perftui):
            with perftui.measure("load", max_kept="10MB") as m:
                data = bytearray(b"x") * 60_000_000

        def test_counts(perftui):
            with perftui.measure("scan") as m, perftui.phase("read"):
                for _ in perftui.watch(iter([[1, 2], [3]])):
                    perftui.count("seen", 2)
            assert m.counters["seen"] == 4
            assert m.counters["batches: rows"] == 3
            assert m.wall_s > 0 and m.cpu_s >= 0 and m.growth_bytes >= 0
            assert m.peak_bytes >= m.rss_start_bytes > 0
            with perftui.measure("nothing counted") as again:
                pass
            assert again.counters == {}
        """
    )
    result = pytester.runpytest_subprocess("-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.re_match_lines(
        [
            r">       with perftui.measure\(\"load\", max_kept=\"10MB\"\) as m:",
            # Between the two, newer Pythons have a line that points at the call.
            r"E       perftui.LimitExceeded: load: (59|6\d)\.\d MB were kept .* limit 10.0 MB",
            r"test_a_block_fails_where_it_stands.py:2: LimitExceeded",
        ],
    )
    result.stdout.no_fnmatch_line("*contextlib*")
    result.stdout.fnmatch_lines(["*::test_load · load FAILED"])


def test_a_usage_error_is_one_line_and_nothing_runs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.perftui(max_grow=1)\ndef test_it(): pass")
    result = pytester.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: *::test_it: @pytest.mark.perftui: no argument 'max_grow'*"]
    )
    result.stdout.no_fnmatch_line("*passed*")
    result = pytester.runpytest_subprocess("--perftui-json", "/proc/none/x.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --perftui-json: cannot write *"])


def test_a_short_test_is_not_called_free_of_leaks(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.perftui(fail_on=["mem_growth", "streaming_violation"])
        def test_short(): pass
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, warnings=2)
    result.stdout.fnmatch_lines(
        [
            "*PerftuiWarning: test_short: fail_on=mem_growth was not judged: too short (*15.0 s)",
            "*fail_on=streaming_violation was not judged: nothing was counted with perftui.count*",
        ]
    )


def test_off_is_off(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        GROWS
        + """
import threading

def test_block(perftui):
    with perftui.measure("load", max_growth="1kB") as m:
        data = bytearray(b"x") * 9_000_000
        assert not [t for t in threading.enumerate() if t.name.startswith("perftui")]
    assert m.kept_bytes > 8_000_000
"""
    )
    result = pytester.runpytest_subprocess("--perftui-off", "-rA", "--perftui-json", "m.json")
    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("*perftui ====*")
    assert json.loads((pytester.path / "m.json").read_text())["tests"] == []


def test_a_test_that_fails_by_itself_keeps_its_own_reason(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.perftui(max_seconds=0.000001)
        def test_wrong(): assert 1 == 2

        @pytest.mark.perftui(max_seconds=0.000001)
        def test_skipped(): pytest.skip("not today")

        @pytest.mark.xfail(strict=True)
        @pytest.mark.perftui(max_seconds=0.000001)
        def test_known(): pass
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2"])


def test_markers_of_a_class_are_refined_by_those_of_its_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.perftui(max_growth="40MB", max_seconds=60)
        class TestLoad:
            @pytest.mark.perftui(max_growth="300MB")
            def test_large(self): bytearray(b"x") * 90_000_000
            def test_small(self): bytearray(b"x") * 90_000_000
        """
    )
    result = pytester.runpytest_subprocess("--perftui-json", "m.json")
    result.assert_outcomes(passed=1, failed=1)
    assert figures(pytester.path / "m.json")["test_large"]["limits"]["max_seconds"] == 60


def test_the_file_may_be_named_in_the_ini(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nperftui_json = figures/all.json\n")
    pytester.makepyfile(GROWS)
    pytester.runpytest_subprocess()
    assert set(figures(pytester.path / "figures/all.json")) == {"test_grows", "test_stays"}


@pytest.mark.skipif(
    importlib.util.find_spec("xdist") is None, reason="pytest-xdist is not installed"
)
@pytest.mark.live
def test_workers_of_xdist_report_to_the_controller(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(GROWS)
    result = pytester.runpytest_subprocess("-n2", "-rA", "--perftui-json", "m.json")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*::test_grows FAILED"])
    assert set(figures(pytester.path / "m.json")) == {"test_grows", "test_stays"}
    pytester.makepyfile("import pytest\n@pytest.mark.perftui(max_grow=1)\ndef test_it(): pass")
    wrong = pytester.runpytest_subprocess("-n2")
    assert wrong.ret != 0
    wrong.stdout.fnmatch_lines(["*no argument 'max_grow'*"])
    wrong.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_a_suite_that_measures_nothing_pays_nothing() -> None:
    code = (
        "import sys, pytest, time\n"
        "import perftui.tui.pytest_plugin\n"
        "heavy = {'psutil', 'textual', 'pyarrow', 'rich', 'duckdb', 'perftui.probes.inside'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


DUCKDB = """
import duckdb, pyarrow, pytest

SQL = "select range as n, hash(range) as h, range::varchar as s from range({})"

@pytest.fixture(scope="module")
def connection():
    connection = duckdb.connect(config={"threads": 1})
    for _ in connection.sql(SQL.format(500_000)).to_arrow_reader(50_000):
        pass  # what is allocated once and for all is no test's growth
    return connection

@pytest.mark.perftui(max_growth="100MB")
def test_stream(connection):
    reader = connection.sql(SQL.format(10_000_000)).to_arrow_reader(50_000)
    assert sum(batch.num_rows for batch in reader) == 10_000_000

@pytest.mark.perftui(max_growth="100MB")
def test_collect(connection):
    assert connection.sql(SQL.format(10_000_000)).to_arrow_table().num_rows == 10_000_000
"""


@pytest.mark.live
@pytest.mark.core
@pytest.mark.skipif(importlib.util.find_spec("duckdb") is None, reason="duckdb is not installed")
def test_a_stream_passes_and_collect_does_not(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(DUCKDB)
    result = pytester.runpytest_subprocess("-rA", "--perftui-json", "m.json")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["test_collect: memory grew by * limit 100 MB; while test_collect *.py:* ran"]
    )
    measured = figures(pytester.path / "m.json")
    assert measured["test_collect"]["growth_bytes"] > 2 * measured["test_stream"]["growth_bytes"]


LEAK = """
import time, pytest, perftui

def serve(seconds, kept):
    end = time.monotonic() + seconds
    with perftui.phase("serve"):
        while time.monotonic() < end:
            kept.append(bytearray(b"x") * 150_000)
            perftui.count("requests")
            time.sleep(0.045)

@pytest.mark.perftui(fail_on=["mem_growth"])
def test_leak():
    serve(17, [])
"""


@pytest.mark.live
def test_a_leak_is_an_alert_with_its_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LEAK)
    result = pytester.runpytest_subprocess("--perftui-json", "m.json")
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r"test_leak: mem_growth at 1\d.\d s: RSS \+\d.\d+ MB/s for .*; code: serve .*.py:9 .*"]
    )
    alerts = figures(pytester.path / "m.json")["test_leak"]["alerts"]
    # Of a busy machine there is a mark besides.
    [alert] = [alert for alert in alerts if alert["severity"] != "info"]
    assert (alert["kind"], alert["severity"]) == ("mem_growth", "warn")

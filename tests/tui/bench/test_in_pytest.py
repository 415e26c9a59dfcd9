"""`perftui_bench` as a suite sees it."""

from __future__ import annotations

import json

import pytest

pytest_plugins = ["pytester"]

SUITE = """
SIZE = 20_000_000

def load(factor: int = 1):
    return bytearray(SIZE * factor)

TIMES_OFF = "duration=off,cpu=off,imports=off,first_call=off,warm_call=off,cold_start=off"

def test_load(perftui_bench):
    perftui_bench(load, factor=2, runs=3, calls=1, thresholds=TIMES_OFF)
"""
OTHERS = """
import pytest

def test_of_what_cannot_be_run(perftui_bench):
    perftui_bench(lambda: 1)
"""


def test_a_function_that_no_process_could_import(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(OTHERS)
    result = pytester.runpytest_subprocess("-p", "no:rerunfailures")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*takes a function at the top level of a file*"])


@pytest.mark.live
@pytest.mark.timeout(300)  # three suites with a dozen processes, on a full machine
def test_a_baseline_beside_the_test_is_made_when_asked_and_held(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFTUI_CACHE", str(pytester.path / "cache"))
    file = pytester.makepyfile(SUITE)
    words = ("-p", "no:rerunfailures", "-p", "no:cacheprovider")
    baseline = file.with_suffix(".bench") / "test_load.json"

    first = pytester.runpytest_subprocess(*words)
    first.assert_outcomes(passed=1, warnings=1)
    first.stdout.fnmatch_lines(["*not judged; --perftui-accept makes one*"])
    assert not baseline.exists()

    pytester.runpytest_subprocess(*words, "--perftui-accept").assert_outcomes(passed=1)
    entry = json.loads(baseline.read_text())
    assert entry["params"] == {"factor": "2"}
    assert entry["key"] == f"{file.name}::test_load"

    file.write_text(SUITE.replace("SIZE = 20", "SIZE = 40"))
    worse = pytester.runpytest_subprocess(*words)
    worse.assert_outcomes(failed=1)
    worse.stdout.fnmatch_lines(["*::test_load: peak RSS regressed: +*"])
    assert json.loads(baseline.read_text()) == entry

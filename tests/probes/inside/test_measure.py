"""`perftui.measure`: a block of this very process, without pytest's help."""

from __future__ import annotations

import gc
import multiprocessing
import subprocess
import sys
import threading
import time

import pytest
from support.fresh import afresh
from support.waiting import PATIENCE_S, wait_for

import perftui
from perftui.probes.agent import api
from perftui.probes.inside.high_water import HighWater
from perftui.probes.inside.limits import Limits, LimitsError
from perftui.probes.inside.measure import measure
from perftui.probes.inside.result import BlockAlert, LimitExceeded, Measured


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_grow": "1MB"}, "no argument 'max_grow'; there are max_growth, max_kept"),
        ({"max_growth": "much"}, "max_growth: 'much' is not a size; write it like 300MB"),
        ({"max_growth": -1}, 'max_growth=-1 is not a size; write it like max_growth="100MB"'),
        ({"max_peak": True}, "max_peak=True is not a size"),
        ({"max_seconds": "1"}, "max_seconds='1' is not a number above 0"),
        ({"max_cpu_seconds": 0}, "max_cpu_seconds=0 is not a number above 0"),
        ({"fail_on": ["leak"]}, "fail_on: no alert 'leak'; there are cold_start"),
        ({"fail_on": [7]}, "fail_on: no alert 7"),
        ({"fail_on": 7}, "fail_on=7 is no list of alerts"),
        ({"fail_on": "loop_blocked"}, "run the program under `perftui run --fail-on loop_blocked`"),
        ({"fail_on": "slow_import"}, "run the program under `perftui run --fail-on slow_import`"),
        ({"rate_hz": 5000}, "rate_hz=5000 is not between 1 and 200"),
    ],
)
def test_what_makes_no_sense_is_one_line(options: dict[str, object], words: str) -> None:
    with pytest.raises(LimitsError) as caught:
        Limits.of(options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limits_are_read_as_people_write_them() -> None:
    limits = Limits.of({"max_growth": "50MB", "max_peak": 2**30, "fail_on": "io_wait, mem_growth"})
    assert (limits.max_growth, limits.max_peak) == (50_000_000, 2**30)
    assert limits.fail_on == ("io_wait", "mem_growth")
    assert Limits.of({"max_growth": None, "fail_on": None}) == Limits()


@afresh
def test_a_block_that_keeps_its_limits_passes_and_tells_its_figures() -> None:
    measured = measure("fine", max_growth="500MB", max_seconds=60)
    with measured as m:
        assert m.wall_s is None
        kept = bytearray(b"x") * 40_000_000
        wait_for(lambda: measured._watch.readings >= 3)
    assert m.wall_s is not None and 0 < m.wall_s < 60
    assert m.growth_bytes is not None and 38e6 < m.growth_bytes < 90e6, m.describe()
    assert m.kept_bytes is not None and m.kept_bytes > 35e6, m.describe()
    assert m.readings >= 3
    assert m.failures() == []
    assert "fine" not in m.describe()
    assert "RSS" in m.describe()
    del kept


@afresh
def test_a_peak_between_two_readings_is_not_lost() -> None:
    with measure("blink", rate_hz=1) as m:
        block = bytearray(b"x") * 80_000_000
        del block
    assert m.peak_is_exact
    assert m.growth_bytes is not None and m.growth_bytes > 75e6, m.describe()
    assert m.kept_bytes is not None and m.kept_bytes < 40e6, m.describe()


@afresh
def test_a_broken_limit_is_an_assertion_error_with_the_figures() -> None:
    measured = measure("load", max_growth="20MB", max_seconds=0.01)
    with pytest.raises(AssertionError) as caught, measured, perftui.phase("read"):
        end = time.monotonic() + PATIENCE_S
        # A reading that was under way when the phase began is of before; and here, not in a helper,
        # for this function to be named.
        for more in (2, 3):
            if more == 3:
                block = bytearray(b"x") * 60_000_000
            before = measured._watch.readings
            while measured._watch.readings < before + more:
                assert time.monotonic() < end
                time.sleep(0.01)
        del block
    assert isinstance(caught.value, perftui.LimitExceeded)
    first, second, figures = str(caught.value).splitlines()
    assert first.startswith("load: memory grew by 6"), first
    assert "limit 20.0 MB; in phase read; while test_a_broken_limit" in first, first
    assert second.startswith("  and it took ")
    assert figures.startswith("  measured: ")


def test_an_exception_of_the_block_is_not_replaced() -> None:
    with pytest.raises(KeyError), measure("load", max_seconds=1e-9):
        raise KeyError("mine")


@afresh
def test_blocks_may_be_nested_and_threads_are_gone_afterwards() -> None:
    before = {thread.name for thread in threading.enumerate()}
    with measure("outer") as outer:
        perftui.count("rows", 5)
        with measure("inner") as inner:
            block = bytearray(b"x") * 50_000_000
            perftui.count("rows", 7)
            del block
        gc.collect()
        with measure("small") as small:
            pass
    assert outer.counters == {"rows": 12}
    assert inner.counters == {"rows": 7}
    assert small.counters == {}
    for block_of, least, most in ((outer, 45e6, 200e6), (inner, 45e6, 200e6), (small, 0, 20e6)):
        assert block_of.growth_bytes is not None
        assert least <= block_of.growth_bytes < most, block_of.describe()
    assert {thread.name for thread in threading.enumerate()} == before
    with pytest.raises(RuntimeError, match="measured once"), measure("x") as _, _again():
        pass


def _again() -> measure:
    block = measure("once")
    with block:
        pass
    return block


def test_outside_of_a_block_nothing_listens() -> None:
    def plain() -> None:
        pass

    assert api.phase("a")(plain) is plain
    with measure("block"):
        span = perftui.phase("left open")
        span.__enter__()
        watched = perftui.watch(iter([1, 2, 3]))
        next(watched)
    span.__exit__(None, None, None)
    assert list(watched) == [2, 3]
    perftui.count("rows", 3)
    assert perftui.phase("a")(plain) is plain
    with measure("later") as m:
        pass
    assert m.counters == {}


def test_a_finalizer_may_speak_at_any_moment() -> None:
    class Speaks:
        def __del__(self) -> None:
            perftui.count("gone")

    with measure("block", rate_hz=200) as m:
        for _ in range(20_000):
            cycle: list[object] = [Speaks()]
            cycle.append(cycle)
        gc.collect()
    assert m.counters["gone"] > 19_000


def _child(queue: multiprocessing.Queue[bool]) -> None:
    with perftui.phase("child"):
        perftui.count("rows", 1)
    queue.put(True)


@afresh
def test_a_forked_child_is_not_held_up() -> None:
    context = multiprocessing.get_context("fork")
    with measure("parent", rate_hz=200) as m:
        for _ in range(5):
            queue = context.Queue()
            child = context.Process(target=_child, args=(queue,))
            child.start()
            assert queue.get(timeout=PATIENCE_S)
            child.join(PATIENCE_S)
            assert child.exitcode == 0
        perftui.count("rows", 2)
    assert m.counters == {"rows": 2}


@afresh
def test_child_processes_count() -> None:
    code = "x = bytearray(b'x') * 90_000_000\nprint(flush=True)\ninput()"
    pipe = subprocess.PIPE
    measured = measure("children")
    with measured as m:
        with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as child:
            assert child.stdout is not None
            child.stdout.readline()
            wait_for(lambda: measured._watch.children_peak_bytes > 80e6, "it is not seen")
            child.communicate(b"\n")
        assert child.returncode == 0
    assert m.growth_bytes is not None and m.growth_bytes > 80e6, m.describe()
    assert m.kept_bytes is not None and m.kept_bytes < 40e6, m.describe()


def test_no_verdict_is_told_apart_from_a_good_one() -> None:
    kinds = ["mem_growth", "streaming_violation", "io_wait"]
    with measure("short", fail_on=kinds) as m:
        pass
    assert set(m.unjudged) == set(kinds)
    assert "it takes 15.0 s" in m.unjudged["mem_growth"]
    assert "perftui.count" in m.unjudged["streaming_violation"]
    assert "perftui.phase" in m.unjudged["io_wait"]
    assert any("was not judged" in remark for remark in m.remarks())


def test_only_alerts_that_were_asked_for_fail() -> None:
    alert = BlockAlert("mem_growth", "warn", 1.0, 14.0, None, "RSS +3 MB/s", "no plateau")
    measured = Measured("x", Limits(fail_on=("mem_growth",)), wall_s=20.0, cpu_s=1.0)
    measured.alerts = [alert._replace(kind="io_wait"), alert._replace(severity="info"), alert]
    assert measured.failures() == ["mem_growth at 14.0 s: RSS +3 MB/s; no plateau"]
    assert measured.verdict().startswith("x: mem_growth at 14.0 s: RSS +3 MB/s")
    assert not issubclass(LimitsError, LimitExceeded)


def test_where_the_mark_cannot_be_set_back_it_tells_only_what_is_above_it() -> None:
    mark = [500]
    high = HighWater(lambda: mark[0], lambda: False)
    high.begin("first")
    assert high.end("first") is None
    high.begin("second")
    mark[0] = 700
    high.begin("inner")
    assert high.end("inner") is None
    assert high.end("second") == 700


def test_a_program_that_perftui_launched_is_measured_and_told_what_is_missing() -> None:
    code = (
        "import perftui\n"
        "with perftui.measure('b', fail_on='throughput_decay') as m:\n"
        "    perftui.count('rows', 3)\n"
        "print(m.counters, list(m.unjudged), m.notes[0], m.growth_bytes >= 0)\n"
    )
    words = ["run", "--headless", "--no-record", "--json", "/dev/null", "--no-stacks"]
    done = subprocess.run(
        [sys.executable, "-m", "perftui", *words, "--", sys.executable, "-c", code],
        capture_output=True,
        text=True,
    )
    assert "{} ['throughput_decay'] perftui.count, call and phase go to the perftui that" in (
        done.stdout
    ), done
    assert done.stdout.rstrip().endswith("True")

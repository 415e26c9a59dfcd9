"""Processes come, fork, become others, and die; some cannot be sampled, and it is said why."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support import sampler_programs
from support.sampler import ALL, KNOWN, clean_environment
from support.sampler_stream import Collected, decode

from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.target import SampledProcess
from perftui.probes.spine.calltree import is_stdlib
from perftui.probes.stacks.own.records import PaceChange, ProcessRecord, Quality, Sample
from perftui.probes.stacks.own.source import OwnSampler
from perftui.probes.stacks.own.weigh_cpu import cpu_by_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sampler import Watched

    from perftui.probes.stacks.own.records import OwnRecord

SPIN = "import os, subprocess, threading\n" + sampler_programs.SPIN
WORKERS = (
    SPIN
    + """
def worker(i):
    if i == 7:
        hot()
        time.sleep(.3)
    else: time.sleep(60)
def hot(): spin(.25)
go()
pids = []
for i in range(12):
    pid = os.fork()
    if not pid:
        worker(i)
        os._exit(0)
    pids.append(pid)
print(pids[7])
os.waitpid(pids[7], 0)
for pid in pids:
    if pid != pids[7]: os.kill(pid, 9)
print("done")
sys.stdin.read()
"""
)


def test_the_hot_one_of_twelve_workers(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, WORKERS)
    used: Counter[int] = Counter()
    by: Counter[str] = Counter()
    for thread, samples in watched.by_thread().items():
        used[thread.process.pid] += sum(sample.cpu_ns for sample in samples)
        if thread.process.pid == int(watched.output[0]):
            for stack, ns in cpu_by_stack(samples).items():
                functions = [place.function for place in stack or ()]
                by["hot" if "hot" in functions else "rest"] += ns
    assert used.most_common(1)[0][0] == int(watched.output[0])
    # All of its CPU counts, that before it was found too.
    assert by["hot"] > 0.8 * 250_000_000
    assert by["rest"] < 0.2 * by["hot"]


EXEC = (
    SPIN
    + """
if len(sys.argv) == 1:
    def before(): spin(.15)
    go()
    before()
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
def after(): spin(.3)
after()
print("done")
sys.stdin.read()
"""
)


def test_a_process_that_becomes_another_program(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, EXEC)
    by: Counter[str] = Counter()
    for sample in watched.of(Sample):
        names = watched.functions(sample)
        by.update(name for name in ("before", "after") if name in names)
        assert not ("before" in names and "after" in names)
    assert by["before"] >= 3
    assert by["after"] >= 3


DIES = SPIN + "go()\nprint('done')\nspin(.15)\nos.kill(os.getpid(), 9)\n"


def test_a_process_that_dies_while_it_is_read(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, DIES, rate_hz=1000, until_its_end=True, after_s=0.3)
    last = [record for record in watched.of(ProcessRecord) if record.pid == watched.pid][-1]
    assert last.status == "gone"
    assert any("spin" in watched.functions(sample) for sample in watched.of(Sample))


FORKS = (
    SPIN
    + """
go()
end = time.monotonic() + 2
while time.monotonic() < end:
    pid = os.fork()
    if not pid: os._exit(0)
    os.waitpid(pid, 0)
    spin(.001)
print("done")
sys.stdin.read()
"""
)


@pytest.mark.live
def test_a_storm_of_forks(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, FORKS, budget=0.1)
    seen = {record.pid for record in watched.of(ProcessRecord)}
    assert watched.pid in seen
    # Most have ended before they were looked at; none of those that were met is lost count of.
    assert sum(quality.unseen_processes for quality in watched.of(Quality)) > 0
    parent = [s for s in watched.of(Sample) if s.thread.process.pid == watched.pid]
    assert any("spin" in watched.functions(sample) for sample in parent)
    known = {"spin", "go", "<module>"}  # on a full machine it is met in `go` still
    # In a child that has just been forked `threading` forgets the threads that are not there, and
    # asks `_weakrefset` for it.
    places = {place for s in watched.of(Sample) for place in s.stack or ()}
    own = {place.function for place in places if not is_stdlib(place.file)}
    assert own <= known
    assert max(quality.rss_bytes for quality in watched.of(Quality)) < 100 << 20


CROWD = (
    SPIN
    + """
threading.stack_size(64 << 10)
stop = threading.Event()
for _ in range(1000):
    threading.Thread(target=stop.wait, daemon=True).start()
go()
spin(.3)
print("done")
sys.stdin.read()
"""
)


@pytest.mark.live
def test_a_thousand_threads(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, CROWD)
    idle = {
        sample.thread.tid
        for sample in watched.of(Sample)
        if "Event.wait" in watched.functions(sample)
    }
    assert len(idle) == 1000
    assert any("spin" in watched.functions(sample) for sample in watched.of(Sample))


CHURN = (
    SPIN
    + """
threading.stack_size(64 << 10)
stop = threading.Event()
for _ in range(500):
    threading.Thread(target=stop.wait, daemon=True).start()
go()
end = time.monotonic() + 5
while time.monotonic() < end:
    thread = threading.Thread(target=spin, args=(.01,))
    thread.start()
    thread.join()
print("done")
sys.stdin.read()
"""
)


@pytest.mark.live
def test_a_crowd_with_churn_lowers_the_rate_and_says_so(
    python: str, watch: Callable[..., Watched]
) -> None:
    watched = watch(python, CHURN, budget=0.002)
    changes = watched.of(PaceChange)
    assert changes
    assert {change.why for change in changes} == {"budget"}
    rates = [change.rate_hz for change in changes]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 100
    assert changes[0].text.startswith("stack rate lowered to ")
    # It is told once a second, and may have been lowered once more since.
    assert watched.of(Quality)[-1].rate_hz in rates[-2:]
    assert any("spin" in watched.functions(sample) for sample in watched.of(Sample))


INTERPRETERS = (
    SPIN
    + """
text = '''
import time
def inside(s):
    end = time.thread_time() + s
    while time.thread_time() < end: sum(range(20))
inside(.15)
'''
def outside(): spin(.15)
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        interpreters = None
go()
if interpreters is not None:
    number = interpreters.create()
    runs = getattr(interpreters, "run_string")
    thread = threading.Thread(target=runs, args=(number, text))
    thread.start()
    thread.join()
outside()
print("done")
sys.stdin.read()
"""
)


def test_subinterpreters_are_told_apart(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, INTERPRETERS)
    stacks = [watched.functions(sample) for sample in watched.of(Sample)]
    inside = [stack for stack in stacks if "inside" in stack]
    assert inside
    assert all(stack[-1].startswith("<interpreter ") for stack in inside)
    outside = [stack for stack in stacks if "outside" in stack]
    assert outside
    assert not any(stack[-1].startswith("<interpreter ") for stack in outside)


def news_of(pid: int, wanted: set[str], seconds: float = 60) -> ProcessRecord:
    """Sample a process until it is what is wanted."""
    sampler = OwnSampler([pid])
    stop = threading.Timer(seconds, sampler.ask_to_end)
    stop.start()
    found: ProcessRecord | None = None
    try:
        for record in sampler.records():
            if isinstance(record, ProcessRecord) and record.pid == pid and record.status in wanted:
                found = record
                break
    finally:
        stop.cancel()
        sampler.close()
    assert found is not None
    return found


@pytest.mark.parametrize("minor", sorted(set(ALL) - set(KNOWN)) or [pytest.param(0, marks=[])])
def test_other_pythons_are_refused(minor: int) -> None:
    if not minor:
        pytest.skip("only interpreters that are known are installed")
    text = "import sys\nwhile True: sum(range(50))"
    process = subprocess.Popen([ALL[minor], "-c", text], env=clean_environment())
    try:
        news = news_of(process.pid, {"refused", "sampled"})
    finally:
        process.kill()
        process.wait()
    assert (news.status, news.reason) == ("refused", "unknown-version")


def test_what_is_no_python_is_refused() -> None:
    process = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    try:
        news = news_of(process.pid, {"refused", "sampled"})
    finally:
        process.kill()
        process.wait()
    assert (news.status, news.reason) == ("refused", "not-python")
    assert news.label == "refused: not-python"


def test_a_shell_that_starts_python_is_followed(python: str) -> None:
    code = "import time\ndef inner():\n while True: sum(range(20))\ninner()"
    shell = subprocess.Popen(
        ["sh", "-c", f'"{python}" -c "{code}" & echo $!; wait'],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    sampler = OwnSampler([shell.pid])
    stop = threading.Timer(60, sampler.ask_to_end)
    stop.start()
    try:
        for record in sampler.records():
            if isinstance(record, Sample) and record.thread.process.pid == pid and record.stack:
                names = [place.function for place in record.stack]
                if "inner" in names:
                    break
        else:
            pytest.fail("not found")
    finally:
        stop.cancel()
        sampler.close()
        os.kill(pid, 9)
        shell.wait()


def test_commands_add_and_remove_processes() -> None:
    text = "while True: sum(range(50))"
    processes = [subprocess.Popen([sys.executable, "-c", text]) for _ in range(2)]
    sampler = OwnSampler()
    stop = threading.Timer(60, sampler.ask_to_end)
    stop.start()
    try:
        sampler.tell("nonsense")
        sampler.tell("add what")
        sampler.add(999_999_999)
        sampler.add(processes[0].pid, born=True)
        seen: list[OwnRecord] = []
        for record in sampler.records():
            seen.append(record)
            if isinstance(record, Sample) and record.thread.process.pid == processes[0].pid:
                sampler.remove(processes[0].pid)
                sampler.add(processes[1].pid)
            if isinstance(record, Sample) and record.thread.process.pid == processes[1].pid:
                break
        else:
            pytest.fail("the second one was never sampled")
    finally:
        stop.cancel()
        sampler.close()
        for process in processes:
            process.kill()
            process.wait()
    gone = [
        record.pid
        for record in seen
        if isinstance(record, ProcessRecord) and record.status == "gone"
    ]
    assert processes[0].pid in gone


def test_a_kernel_without_schedstat(python: str) -> None:
    process = subprocess.Popen(
        [python, "-c", "def f():\n while True: sum(range(50))\nf()"], env=clean_environment()
    )
    writer = Collected()
    writer.block(*hello())
    try:
        target = SampledProcess(
            process.pid, 0, Names(writer), writer, born=True, schedstat="nosuch"
        )
        deadline = time.monotonic() + 60
        samples: list[Sample] = []
        # Its start alone takes that much on a full machine.
        while time.monotonic() < deadline and not (
            sum(s.cpu_ns for s in samples) >= 50_000_000
            and any(s.stack is not None and s.stack.place.function == "f" for s in samples)
        ):
            target.sweep(time.monotonic_ns())
            time.sleep(0.01)
            samples += [r for r in decode_more(writer) if isinstance(r, Sample)]
        target.close()
    finally:
        process.kill()
        process.wait()
    assert sum(s.cpu_ns for s in samples) >= 50_000_000
    assert any(s.stack is not None and s.stack.place.function == "f" for s in samples)


ENDLESS = """
import time
i = 0
while True:
    made = {}
    exec(f"def outer_{i}():\\n inner_{i}()\\ndef inner_{i}():\\n sum(range(300000))", made)
    made[f"outer_{i}"]()
    i += 1
"""


def test_code_without_end_is_forgotten_and_named_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perftui.probes.sampler.cpython.names.MOST_CODES", 20)
    process = subprocess.Popen([sys.executable, "-c", ENDLESS], env=clean_environment())
    writer = Collected()
    writer.block(*hello())
    names = Names(writer)
    samples: list[Sample] = []
    try:
        target = SampledProcess(process.pid, 0, names, writer, born=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and names.generation < 4:
            if names.full():
                names.reset()
            target.sweep(time.monotonic_ns())
            assert len(names._codes) < 40
            time.sleep(0.005)
        target.close()
    finally:
        process.kill()
        process.wait()
    samples = [r for r in decode(writer.take(), []) if isinstance(r, Sample)]
    assert names.generation == 4
    made = [[p.function for p in s.stack] for s in samples if s.stack and not s.unsteady]
    made = [stack for stack in made if any(name.startswith("inner_") for name in stack)]
    assert len(made) > 10
    for stack in made:
        assert len({name[6:] for name in stack if "er_" in name}) == 1


def hello() -> tuple[int, bytes]:
    from perftui.probes.sampler import stream

    return stream.HELLO, stream.HELLO_FIELDS.pack(stream.VERSION, 0)


def decode_more(writer: Collected) -> list[OwnRecord]:
    writer.everything = getattr(writer, "everything", b"") + writer.take()
    return decode(writer.everything, [])

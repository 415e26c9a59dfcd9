"""Who belongs to a session, and from when on what they use counts: on real processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from support.kept import Kept
from support.measuring import measured
from support.waiting import wait_for

from perftui.probes.process.family_mark import FamilyMark
from perftui.probes.process.metrics import MetricProbe
from perftui.probes.process.new_pids import NewPids
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.probes.spine.derived import FamilyMetrics
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Metric, ProcessStart, Record, ThreadCpu
from perftui.probes.summary import summarize
from perftui.probes.target.target import LaunchedTarget

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.spine.enriched import Tick

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

T = TypeVar("T", bound=Record)
BURN = (
    "import time\n"
    "def burn(s):\n"
    "    e = time.process_time() + s\n"
    "    while time.process_time() < e: pass\n"
)
QUIET = ProbeOptions(stacks=False)


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", BURN + code]


def test_what_was_used_before_we_came_does_not_count() -> None:
    """Of the process, of its threads, and of a child that ran already."""
    code = (
        "import subprocess, sys\n"
        "burn(0.6)\n"
        "b'x' * 100_000_000\n"
        f"code = {BURN + 'burn(0.5); print(1, flush=True); time.sleep(60)'!r}\n"
        "old = subprocess.Popen([sys.executable, '-S', '-c', code], stdout=subprocess.PIPE)\n"
        "old.stdout.readline()\n"
        "print(old.pid, flush=True)\n"
        "sys.stdin.readline()\n"
        "new = subprocess.Popen([sys.executable, '-S', '-c', code], stdout=subprocess.PIPE)\n"
        "new.stdout.readline()\n"
        "print(new.pid, flush=True)\n"
        "sys.stdin.readline()\n"
        "old.kill(); new.kill(); old.wait(); new.wait()\n"
    )
    target = subprocess.Popen(
        python(code), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert target.stdin is not None
    assert target.stdout is not None
    old = int(target.stdout.readline())
    session = Session.attach(target.pid, QUIET)
    kept = Kept()
    session._log.connect(kept)
    try:
        target.stdin.write("\n")
        new = int(target.stdout.readline())

        def told(metric: Metric) -> bool:
            return (metric.cpu_user_s or 0.0) + (metric.cpu_system_s or 0.0) > 0.4

        # User and system are told once a second.
        wait_for(lambda: any(metric.pid == new and told(metric) for metric in kept.of(Metric)))
        wait_for(lambda: any(metric.pid == old for metric in kept.of(Metric)))
    finally:
        session.close()
        target.stdin.write("\n")
        target.wait()
    last = {metric.pid: metric for metric in kept.of(Metric)}
    assert last[target.pid].cpu_s < 0.3
    assert last[old].cpu_s < 0.3
    assert last[new].cpu_s > 0.4, "a child that is born after counts whole"
    threads = {row.pid: row.cpu_s for row in kept.of(ThreadCpu)}
    assert threads[target.pid] < 0.3
    assert threads[old] < 0.3
    assert all(metric.high_water_rss_bytes < 80_000_000 for metric in last.values())
    summary = summarize(session.store)
    assert summary["peak_rss_bytes"] < 80_000_000, "nor the most memory it had before"
    assert 0.4 < summary["cpu_s"]["user"] + summary["cpu_s"]["system"] < 1.1
    used = {row["pid"]: row["cpu_s"] for row in summary["processes"]}
    assert used[target.pid] < 0.3
    assert used[old] < 0.3
    assert used[new] > 0.4


def reading(pid: int, t_ns: int, cpu_s: float, user_s: float | None) -> Metric:
    return Metric(t_ns=t_ns, pid=pid, cpu_s=cpu_s, rss_bytes=1, cpu_user_s=user_s)


def ticked(tree: FamilyMetrics, metrics: list[Metric]) -> Tick:
    return tree.tick(metrics[0].t_ns, metrics, {})


def test_what_a_process_used_stays_in_the_sum_of_the_tree_when_it_has_ended() -> None:
    tree = FamilyMetrics()
    assert ticked(tree, [reading(1, 1, 1, 1), reading(2, 1, 3, 3)]).sums["cpu_user_s"] == 4
    tree.forget(2)
    assert ticked(tree, [reading(1, 2, 2, 2)]).sums["cpu_user_s"] == 5
    late = ticked(tree, [reading(1, 3, 2, 2), reading(2, 3, 3, 3)])
    assert late.sums["cpu_user_s"] == 5, "a reading that was under way counts nothing twice"
    reused = ticked(tree, [reading(1, 4, 2, 2), reading(2, 4, 0.5, 0.5)])
    assert reused.sums["cpu_user_s"] == 5.5
    assert "cpu_user_s" not in ticked(tree, [reading(1, 5, 2, None)]).sums
    some = ticked(tree, [reading(1, 6, 2, None), reading(3, 6, 0.1, 0.1)])
    assert some.sums["cpu_user_s"] == pytest.approx(5.6), "not everybody tells every time"


def test_what_was_used_since_user_and_system_were_told_is_shared_like_the_rest() -> None:
    tree = FamilyMetrics()
    ticked(tree, [reading(1, 1, 1, 1), reading(2, 1, 4, 3)._replace(cpu_system_s=1.0)])
    ticked(tree, [reading(1, 2, 1, None), reading(2, 2, 6, None)])
    tree.forget(2)
    sums = ticked(tree, [reading(1, 3, 1, 1)._replace(cpu_system_s=0.0)]).sums
    assert sums["cpu_user_s"] == pytest.approx(5.5)
    assert sums["cpu_system_s"] == pytest.approx(1.5)


ORPHAN = BURN + "burn(0.6); time.sleep({})"
UNTIL_IT_RESTS = """
stat = "/proc/" + pid + "/stat"
def rests():
    try: fields = open(stat).read().rpartition(")")[2].split()
    except OSError: return True
    return fields[0] == "Z" or int(fields[11]) + int(fields[12]) >= 50 and fields[0] == "S"
while not rests(): time.sleep(0.01)
time.sleep(0.2)
"""
"""A launcher that stays until its worker has ended, or done its work and sleeps."""


def left_behind(end_s: int) -> tuple[int, dict[str, Any], list[str]]:
    """Return a worker that a shell has left, the summary of its session, and what was said of it.

    Args:
        end_s: So long it sleeps when it has done its work.
    """
    code = (
        "import subprocess, sys\n"
        "pid = subprocess.check_output(['sh', '-c', 'nohup \"$0\" -S -c \"$1\" "
        ">/dev/null 2>&1 & echo $!',"
        f" sys.executable, {ORPHAN.format(end_s)!r}], env={{}}, text=True)\n"
        "pid = pid.strip()\nprint(pid, flush=True)\n" + UNTIL_IT_RESTS
    )
    ours, theirs = os.pipe()
    session = Session.launch(python(code), "t", QUIET, behind_screen=False, stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours) as said:
        worker = int(said.readline())
    assert session.wait(60)
    session.close()
    texts = [notice.text for notice in session.store.status().notices]
    told = [text for text in texts if text.startswith(f"started PID {worker} (")]
    return worker, summarize(session.store), told


def cpu_of(pid: int, summary: dict[str, Any]) -> float:
    return sum(row["cpu_s"] for row in summary["processes"] if row["pid"] == pid)


def test_a_worker_that_a_shell_leaves_behind_is_followed() -> None:
    """Its parent has ended, its environment has nothing of ours: and it counts."""
    # It ends with its work: a full machine lets us look before that, and then no more.
    worker, summary, told = measured(lambda: left_behind(0), lambda ran: cpu_of(*ran[:2]) > 0.1)
    assert cpu_of(worker, summary) > 0.1, (worker, summary["processes"], told)
    total_s = summary["cpu_s"]["user"] + summary["cpu_s"]["system"]
    assert total_s >= cpu_of(worker, summary) - 0.02


def test_a_worker_that_a_shell_leaves_behind_and_that_lives_on_is_named() -> None:
    worker, _, told = left_behind(600)
    os.kill(worker, 9)
    assert len(told) == 1
    assert told[0].endswith("which lives on")


def test_a_daemon_is_named_though_its_launcher_ends_at_once() -> None:
    code = (
        "import os\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid()\n"
        "if os.fork(): os._exit(0)\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(600)\n"
    )
    ours, theirs = os.pipe()
    session = Session.launch(python(code), "t", QUIET, behind_screen=False, stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours) as said:
        daemon = int(said.readline())
    try:
        assert session.wait(60)
        session.close()
        texts = [notice.text for notice in session.store.status().notices]
        assert any(text.startswith(f"started PID {daemon} (") for text in texts), texts
    finally:
        os.kill(daemon, 9)


def test_nobody_is_said_to_live_on_when_all_have_ended() -> None:
    session = Session.launch(python("pass"), "t", QUIET, behind_screen=False)
    assert session.wait(60)
    session.close()
    assert not [n for n in session.store.status().notices if "lives on" in n.text]


def test_only_what_is_started_wears_the_mark() -> None:
    mark, before = FamilyMark(), resource.getrlimit(10)
    target = LaunchedTarget(python("time.sleep(30)"), os.environ)
    assert target.mark is not None
    try:
        assert target.mark.is_on(target.pid)
        assert not target.mark.is_on(os.getpid())
        assert not mark.is_on(target.pid), "another session's mark is another"
        assert resource.getrlimit(10) == before
        with mark.worn():
            assert mark.is_on(os.getpid())
        assert resource.getrlimit(10) == before
    finally:
        target.watch(lambda exit_: None)
        target.stop()


def test_new_pids_are_told_once_there_is_somebody() -> None:
    pids = NewPids()
    if not pids.known:
        pytest.skip("this kernel does not tell the newest pid")
    process = subprocess.Popen([sys.executable, "-S", "-c", "pass"])
    assert process.pid in pids.take()
    process.wait()
    wait_for(lambda: not pids.take())  # the machine may be busy
    pids.close()


def test_a_child_is_found_soon_after_it_begins() -> None:
    """A twentieth of a second, where it was a quarter: eight that live for 100 ms each.

    A busy machine lets us look late, so one try of twelve is enough; at a quarter of a second seven
    of eight are met once in a hundred tries.
    """
    assert measured(met_of_eight, lambda met: met >= 7, tries=12) >= 7


def met_of_eight() -> int:
    code = "import subprocess, sys\nfor _ in range(8):\n    subprocess.run(['sleep', '0.1'])\n"
    kept, log = Kept(), SessionLog()
    log.connect(kept)
    target = LaunchedTarget(python(code), os.environ)
    probe = MetricProbe(log, target.pid, mark=target.mark)
    probe.start()
    target.watch(log.append)
    assert target.wait(60)
    probe.stop()
    children = [start for start in kept.of(ProcessStart) if start.pid != target.pid]
    return len({child.pid for child in children})


@pytest.mark.live
def test_what_a_worker_that_was_left_behind_works_is_in_its_functions(tmp_path: Path) -> None:
    """Held against what the worker says that it used: on a full machine that is little."""
    worker = (
        f"{BURN}import os, sys\n"
        "burn(0.6)\n"
        "with open(sys.argv[1] + '.part', 'w') as file: file.write(str(time.process_time()))\n"
        "os.rename(sys.argv[1] + '.part', sys.argv[1])\n"
        "time.sleep(30)\n"
    )
    code = (
        "import os, subprocess, sys, time\n"
        "subprocess.run(['sh', '-c', 'nohup \"$0\" -c \"$1\" \"$2\" >/dev/null 2>&1 &',"
        f" sys.executable, {worker!r}, sys.argv[1]], check=True)\n"
        "while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
    )
    used = tmp_path / "used"
    argv = [sys.executable, "-c", code, str(used)]
    session = Session.launch(argv, "t", ProbeOptions(), behind_screen=True)
    ended = session.wait(120)
    if not ended:
        session.stop_target()
    session.close()
    assert ended, "the worker does not come to its end"
    texts = [notice.text for notice in session.store.status().notices]
    (told,) = [text for text in texts if text.endswith("which lives on")]
    os.kill(int(told.split()[2]), 9)
    used_s = float(used.read_text())
    store, status = session.store, session.store.status()
    cpu_s = sum(
        weights.cpu_ns / 1e9
        for tree in store.call_tree(status.t_start_ns, status.t_end_ns)
        for node, weights in tree.self_by_node.items()
        if store.tree.frame(node).function == "burn"
    )
    # Its interpreter's start is not the function's, nor is what it used before it was found.
    assert 0.5 * used_s < cpu_s < used_s + 0.02

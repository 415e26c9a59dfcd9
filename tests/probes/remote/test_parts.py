"""The pure parts of a remote session: frames, clock, addresses, what goes on counting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.probes.remote import frames
from perftui.probes.remote.address import AddressError, parse
from perftui.probes.remote.carry import Carry
from perftui.probes.remote.clock import FarClock
from perftui.probes.remote.travel import shell_line, what_was_found
from perftui.probes.spine.records import Exit, Metric, Overhead, ProcessStart, ThreadCpu

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.spine.records import Record

MS = 1_000_000


def test_records_travel_as_they_are() -> None:
    batch: list[Record] = [
        ProcessStart(1, 7, 1, ("python3", "-m", "x"), "3.12"),
        Metric(2, 7, 0.5, 1000, pss_bytes=900, run_queue_wait_s=0.25),
        ThreadCpu(3, 7, 8, "wörker", 0.1, "S"),
        Exit(4, 7, None, 9),
    ]
    assert frames.unpack_records(frames.pack_records(batch)) == batch


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[[99,1]]",
        b"[[-1,1]]",
        b"[[1]]",
        b"[[1,2.5,7,0.1,5]]",
        b'[[1,"2",7,0.1,5]]',
        b"[[1,4611686018427387905,7,0.1,5]]",
        b"[[1,2,7,NaN,5]]",
        b"[[1,2,7,1e400,5]]",
        b"[[1,2,7,[1],5]]",
        b"[[0,1,2,3]]",
        b"[" * 5000,
    ],
)
def test_records_that_make_no_sense_are_damage(payload: bytes) -> None:
    with pytest.raises(frames.DamagedFrames):
        frames.unpack_records(payload)


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_frames_come_whole_however_they_are_cut_and_a_greeting_is_passed_over(step: int) -> None:
    sent = b"Welcome to host\r\n\x00perf" + frames.MAGIC
    sent += frames.said(frames.HELLO, {"a": 1}) + frames.frame(frames.SAMPLER, b"x" * 50)
    reader = frames.FrameReader(1 << 16)
    found = [
        frame for at in range(0, len(sent), step) for frame in reader.feed(sent[at : at + step])
    ]
    assert [kind for kind, _ in found] == [frames.HELLO, frames.SAMPLER]
    assert frames.told(found[0][1]) == {"a": 1}
    assert found[1][1] == b"x" * 50


def test_who_talks_on_without_ever_saying_hello_is_something_else() -> None:
    reader = frames.FrameReader(1000)
    with pytest.raises(frames.DamagedFrames, match="something else"):
        for _ in range(100):
            list(reader.feed(b"y" * 64))
    with pytest.raises(frames.DamagedFrames, match="bytes"):
        list(frames.FrameReader().feed(frames.HEAD.pack(1, frames.MOST_FRAME + 1)))


def test_the_quickest_answer_tells_the_clocks_apart() -> None:
    clock = FarClock()
    true_ns = 1_000_000 * MS
    for there_ms, back_ms in ((9, 1), (1, 1), (1, 30), (20, 2)):
        asked = 5_000 * MS
        got = asked + there_ms * MS - true_ns
        clock.take(asked, got, got + 2 * MS, got + 2 * MS + back_ms * MS + true_ns)
    clock.settle()
    assert clock.offset_ns == true_ns
    assert clock.error_ns == 1 * MS


def test_a_clock_that_drifts_is_followed_and_no_two_moments_change_places() -> None:
    clock = FarClock()
    told = []
    for second in range(0, 3600, 5):
        near = second * 1_000 * MS
        far = near + second * 50_000  # 50 µs a second too fast
        clock.take(near, far, far, near + MS)
        told += [clock.near_ns(far + MS), clock.near_ns(far + 2 * MS)]
    assert told == sorted(told)
    assert abs(clock.near_ns(far) - near) < 5 * MS


@pytest.mark.parametrize(
    ("text", "names", "pid", "port"),
    [
        ("ssh://web/12", ("web",), 12, None),
        ("ssh://me@10.0.0.1:2222/12", ("me@10.0.0.1",), 12, 2222),
        ("ssh://[fe80::1]:22/12", ("fe80::1",), 12, 22),
        ("docker://web-1/1", ("web-1",), 1, None),
        ("k8s://prod/web-0/1", ("prod", "web-0"), 1, None),
        ("k8s://prod/web-0/main/1", ("prod", "web-0", "main"), 1, None),
    ],
)
def test_addresses(text: str, names: tuple[str, ...], pid: int, port: int | None) -> None:
    address = parse(text, with_pid=True)
    assert (address.names, address.pid, address.port) == (names, pid, port)
    without = parse(text.rpartition("/")[0], with_pid=False)
    assert (without.names, without.pid) == (names, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ssh://web", "process id is missing"),
        ("ssh://web/x", "process id is missing"),
        ("ssh://web/0", "process id is missing"),
        ("ssh://a/b/12", "is not ssh://"),
        ("ssh://-oProxyCommand=x/12", "no name of a host"),
        ("ssh://me@-x/12", None),
        ("ssh://a b/12", "no name of a host"),
        ("ssh://web:99999/12", "no port"),
        ("ssh://me:hunter2@web/12", "holds no password"),
        ("docker://--rm/1", "no name of a container"),
        ("k8s://prod/1", "is not k8s://"),
        ("ftp://web/1", "begins with"),
    ],
)
def test_what_is_no_address_is_said_in_one_line(text: str, says: str | None) -> None:
    if says is None:  # begins with a name: ssh takes it for no option
        assert parse(text, with_pid=True)
        return
    with pytest.raises(AddressError, match=says) as raised:
        parse(text, with_pid=True)
    assert "\n" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_the_tools_are_looked_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AddressError, match="no `kubectl` on the PATH"):
        parse("k8s://prod/web-0/main/1", with_pid=True).command("true")
    for tool in ("ssh", "docker", "kubectl"):
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    kubectl = parse("k8s://prod/web-0/main/1", with_pid=True).command("echo x")
    assert kubectl[1:] == [
        "exec",
        "-i",
        "-n",
        "prod",
        "web-0",
        "-c",
        "main",
        "--",
        "sh",
        "-c",
        "echo x",
    ]
    docker = parse("docker://web/1", with_pid=True).command("echo x")
    assert docker[1:] == ["exec", "-i", "web", "sh", "-c", "echo x"]
    ssh = parse("ssh://me@web:2222/1", with_pid=True)
    assert ssh.command("echo x")[-5:] == ["-p", "2222", "--", "me@web", "echo x"]
    assert "BatchMode=yes" in ssh.command("echo x", again=True)
    assert "BatchMode=yes" not in ssh.command("echo x")


def test_the_line_of_shell_is_one_that_any_login_shell_can_pass_on() -> None:
    line = shell_line(None, 12)
    assert "\n" not in line
    assert "!" not in line, "csh takes it for history"
    assert line.startswith("exec sh -c ")


def test_the_pythons_that_were_found_are_named() -> None:
    assert what_was_found("motd\nperftui: no python 3.6.8 2.7.5 3.6.8\n") == ["2.7.5", "3.6.8"]
    assert what_was_found("perftui: no python\n") == []
    assert what_was_found("Permission denied\n") is None


def test_what_counts_up_goes_on_counting_after_a_cut() -> None:
    carry = Carry()
    start = ProcessStart(1, 7, 1, ("p",))
    assert carry.take(start) == start
    carry.take(Metric(2, 7, 3.0, 100, io_read_bytes=50))
    carry.take(ThreadCpu(2, 7, 7, "p", 2.0, "R"))
    carry.take(Overhead(2, 1.0, 1, 0, 0, 0))
    carry.begin_anew()
    assert carry.take(start._replace(t_ns=9)) is None, "it was told before"
    metric = carry.take(Metric(10, 7, 0.5, 120, io_read_bytes=5))
    assert isinstance(metric, Metric)
    assert (metric.cpu_s, metric.io_read_bytes, metric.rss_bytes) == (3.5, 55, 120)
    thread = carry.take(ThreadCpu(10, 7, 7, "p", 0.25, "R"))
    assert isinstance(thread, ThreadCpu)
    assert thread.cpu_s == 2.25
    overhead = carry.take(Overhead(10, 0.5, 1, 0, 0, 0))
    assert isinstance(overhead, Overhead)
    assert overhead.cpu_s == 1.5
    carry.ended(7)
    assert carry.take(Metric(11, 7, 0.1, 10)) == Metric(11, 7, 0.1, 10), "another has its number"

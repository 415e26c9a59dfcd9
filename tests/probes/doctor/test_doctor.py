from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perftui.probes.doctor import (
    agent as doctor_agent,
)
from perftui.probes.doctor import (
    checks as doctor,
)
from perftui.probes.doctor import (
    machine as doctor_machine,
)
from perftui.probes.doctor.checks import Check
from perftui.probes.machine import memory as machine_memory
from perftui.tui.commands import doctor as command
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["doctor", *words]))


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.fixture
def waiting() -> Iterator[subprocess.Popen[bytes]]:
    code = "import sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--token", "hunter2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.read(1)
    yield process
    process.communicate()


def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["schema"] == 1
    checks = {check["name"]: check for check in answer["checks"]}
    assert {"python", "bytecode", "py-spy", "yama", "memory", "terminal"} <= set(checks)
    assert set(checks["python"]) == {"group", "name", "status", "found", "follows", "remedy"}
    assert {check["group"] for check in answer["checks"]} == {"installation", "machine", "terminal"}
    assert checks["python"]["status"] == "ok"
    failed = [name for name, check in checks.items() if check["status"] == "fail"]
    assert code == (1 if failed else 0)
    assert answer["ok"] is not failed


def test_every_problem_says_what_follows() -> None:
    checks = doctor.check_installation() + doctor_machine.check_machine()
    checks += doctor_machine.check_terminal()
    for check in checks:
        assert check.found
        if check.status in ("warn", "fail"):
            assert check.follows, check


def test_sampling_is_proved_on_a_real_process() -> None:
    checks = by_name(doctor.check_installation())
    if checks["py-spy"].status != "ok":
        pytest.skip(checks["py-spy"].remedy)
    if checks["yama"].status != "ok":
        pytest.skip(checks["yama"].found)
    assert checks["sampling"].status == "ok", checks["sampling"]


def test_the_agent_is_proved_on_a_real_program() -> None:
    for python in [sys.executable, *filter(None, os.environ.get("PERFTUI_PYTHONS", "").split(":"))]:
        interpreter, check = doctor_agent.try_agent(python)
        assert check.status == "ok", check
        assert Path(interpreter).exists() and interpreter in check.found


def test_an_agent_that_hears_nothing_is_no_success(tmp_path: Path) -> None:
    """What is started may be no Python, shut the agent out, or break the program."""
    heard = {
        "true": ("#!/bin/sh\nexit 0\n", "warn", "nothing was heard"),
        "isolated": (f'#!/bin/sh\nexec {sys.executable} -I "$@"\n', "warn", "nothing was heard"),
        "missing": ("#!/no/such/interpreter\n", "warn", "does not run"),
    }
    for name, (text, status, words) in heard.items():
        script = tmp_path / name
        script.write_text(text)
        script.chmod(0o755)
        check = doctor_agent.try_agent(str(script))[1]
        assert check.status == status and check.follows, check
        assert words in check.found


def test_the_text_says_everything_without_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [
        Check("alpha", "ok", "fine", remedy="never shown"),
        Check("beta", "fail", "broken", "no stacks", "repair --it"),
        Check("gamma", "warn", "slow \x1b[31m", "it takes longer"),
    ]
    monkeypatch.setattr(command, "_machine_groups", lambda: {"machine": checks})
    assert run() == 1
    text = capsys.readouterr().out
    assert "\x1b" not in text
    for words in ("ok    alpha  fine", "fail  beta   broken", "so: no stacks", "do: repair --it"):
        assert words in text
    assert "never shown" not in text
    assert text.endswith("fails: beta\n")


def test_an_ascii_output_gets_ascii() -> None:
    code = (
        "import argparse\nfrom perftui.tui.commands import doctor as c\n"
        "p = argparse.ArgumentParser(); c.add_parser(p.add_subparsers())\n"
        "c.run(p.parse_args(['doctor', str(__import__('os').getpid())]))"
    )
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("ascii").startswith("PROCESS\n  + ok    process")


def test_a_process(waiting: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    code = run(str(waiting.pid), "--json")
    output = capsys.readouterr().out
    assert "hunter2" not in output
    checks = {check["name"]: check for check in json.loads(output)["checks"]}
    assert f"{waiting.pid}, of " in checks["process"]["found"]
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    assert checks["interpreter"]["found"].startswith(version)
    assert checks["use"]["found"].startswith("threads 1, child processes 0, RSS ")
    assert code == (1 if checks["right to read it"]["status"] == "fail" else 0)


def test_a_process_that_is_not_python(capsys: pytest.CaptureFixture[str]) -> None:
    process = subprocess.Popen(["sleep", "60"])
    try:
        run(str(process.pid))
        assert "sleep is not a Python program" in capsys.readouterr().out
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("text", ["abc", "0", "-1", "99999999999", "1.5", "²"])
def test_what_is_no_pid_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match="is not a process number") as caught:
        command._process(text)
    assert "\n" not in str(caught.value)


def test_a_process_that_has_gone_is_one_line() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    # Not waited for yet: a zombie holds the number, so nobody else can get it.
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        os.sched_yield()
    with pytest.raises(UserError, match="has ended"):
        command._process(str(process.pid))
    process.wait()
    free = max(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()) + 5000
    with pytest.raises(UserError, match=f"there is no process {free}"):
        command._process(str(free))


def test_a_missing_sampler_is_a_failure_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from perftui.probes.stacks import recorder

    def missing() -> str:
        raise recorder.SamplerMissing("pip install py-spy")

    monkeypatch.setattr(recorder, "find_sampler", missing)
    assert doctor._sampler() == [
        Check("py-spy", "fail", "not found", "no stacks, no flame graph", "pip install py-spy")
    ]


def test_uncompiled_bytecode_costs_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "cache_from_source", lambda _source: "/nonexistent.pyc")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    check = doctor._bytecode()
    assert check.status == "warn"
    assert "0.2 s" in check.follows
    assert "-m compileall -q" in check.remedy


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    from perftui.probes.doctor import limits

    check = limits._folder("cache folder", tmp_path / "file" / "cache", "lost")
    assert (check.status, check.follows) == ("fail", "lost")
    assert "PERFTUI_CACHE" in check.remedy
    assert limits._folder("cache folder", tmp_path / "new" / "deep", "lost").status == "ok"
    assert not (tmp_path / "new").exists(), "asking must not make it"


@pytest.mark.parametrize("version", [1, 2])
def test_the_tightest_cgroup_limit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    root = tmp_path / "memory" if version == 1 else tmp_path
    limit, used = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        2: ("memory.max", "memory.current"),
    }[version]
    for folder, size in (("", "max" if version == 2 else str((1 << 63) - 4096)), ("a", "500")):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / limit).write_text(size + "\n")
        (root / folder / used).write_text("100\n")
    (root / "a" / "b").mkdir()
    (root / "a" / "b" / limit).write_text("900\n")
    (root / "a" / "b" / used).write_text("50\n")
    monkeypatch.setattr(machine_memory, "_CGROUP", tmp_path)
    files = (limit, used)
    found = machine_memory._limits(root, "/a/b", *files)
    assert min(found) == machine_memory.MemoryLimit(500, 100, "/a")
    assert machine_memory._limits(root, "/../../outside", *files) == []


def test_a_package_that_cannot_be_had_here_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    from perftui.probes.doctor import checks as doctor
    from perftui.probes.machine.releases import NO_RELEASE_FROM

    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "opteryx" else "1.0")
    monkeypatch.setitem(NO_RELEASE_FROM, "opteryx", (3, 0))
    [extras] = [check for check in doctor.check_installation() if check.name == "extras"]
    assert extras.follows == "opteryx has no release for Python 3.0 and later"
    assert extras.remedy == "for opteryx: use perftui in an environment of Python 3.13"
    monkeypatch.setitem(NO_RELEASE_FROM, "opteryx", (4, 0))
    [extras] = [check for check in doctor.check_installation() if check.name == "extras"]
    assert extras.follows == "not installed: opteryx; nothing needs them"
    assert extras.remedy == ""


def test_the_report_names_no_person_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from perftui.tui.text import bug_report

    monkeypatch.setattr(bug_report.getpass, "getuser", lambda: "ottilie")
    monkeypatch.setattr(bug_report.platform, "node", lambda: "ottilies-laptop")
    environment = {
        "HOME": "/home/ottilie",
        "PERFTUI_CACHE": "/home/ottilie/cache",
        "PERFTUI_RECORDINGS": "s3://ottilie:hunter2@store/x",
        "PYTHONPATH": "/srv/ottilie/lib",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "TMUX": "/tmp/tmux-1000/default,1,0",
        "LANG": "C.UTF-8",
    }
    checks = [
        Check("python", "ok", "cpython 3.11, /home/ottilie/.venv/bin/python"),
        Check("odd", "warn", "a | b", "on ottilies-laptop as ottilie"),
    ]
    text = bug_report.bug_report({"installation": checks}, environment)
    assert "ottilie" not in text
    assert "hunter2" not in text
    assert "AWS" not in text
    assert "- PERFTUI_CACHE: `~/cache`" in text
    assert "- PYTHONPATH: `/srv/USER/lib`" in text
    assert "- TMUX: set" in text
    assert "| ok | python | cpython 3.11, ~/.venv/bin/python |  |" in text
    assert "| warn | odd | a \\| b | on HOST as USER |" in text
    with pytest.raises(UserError, match="not both"):
        run("--json", "--report")


def test_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from perftui.probes.doctor import surroundings

    assert {c.name for c in surroundings.check_surroundings()} == {
        *("system", "container", "seccomp", "security module", "/proc"),
    }
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    pod = surroundings._container()
    assert (pod.status, pod.found) == ("info", "kubernetes")
    monkeypatch.setattr(doctor, "has_trace_capability", lambda: False)
    assert "SYS_PTRACE" in doctor._rights().remedy
    monkeypatch.setattr(doctor, "has_trace_capability", lambda: True)
    assert doctor._rights().status == "ok"
    monkeypatch.setattr(surroundings.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(surroundings, "_is_musl", lambda: True)
    assert "musl" in surroundings._system().found
    assert "native, not told" in surroundings._system().follows
    mounts = tmp_path / "mountinfo"
    row = "24 30 0:22 / /proc rw,nosuid shared:5 - proc proc rw"
    monkeypatch.setattr(surroundings.os, "geteuid", lambda: 1000)
    for options, status in (("", "ok"), (",hidepid=2", "warn"), (",hidepid=off", "ok")):
        mounts.write_text(f"{row}{options}\n")
        assert surroundings._hidden(mounts).status == status
    assert surroundings._hidden(tmp_path / "none").status == "info"


def test_security_modules(tmp_path: Path) -> None:
    from perftui.probes.doctor import surroundings

    current = tmp_path / "current"
    assert surroundings._module(tmp_path, current).status == "ok"
    for text, status in (("unconfined\n", "ok"), ("docker-default (enforce)\n", "info")):
        current.write_text(text)
        assert surroundings._module(tmp_path, current).status == status
    (tmp_path / "booleans").mkdir()
    (tmp_path / "booleans" / "deny_ptrace").write_text("1 1")
    denied = surroundings._module(tmp_path, current)
    assert (denied.status, denied.remedy) == ("fail", "sudo setsebool deny_ptrace 0")


def test_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from perftui.probes.doctor import limits

    assert all(check.follows for check in limits.check_limits() if check.status != "ok")
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (64, 64))
    assert limits._open_files().status == "warn"
    for most, used, status in (("max", 5, "ok"), ("100", 5, "ok"), ("100", 60, "warn")):
        (tmp_path / "pids.max").write_text(most)
        (tmp_path / "pids.current").write_text(str(used))
        assert limits._processes(tmp_path).status == status, (most, used)


def test_folders_that_are_full_or_read_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from perftui.probes.doctor import limits

    monkeypatch.setattr(limits, "free_bytes", lambda _: (1_000, 1 << 40))
    low = limits._folder("recordings", tmp_path, "lost")
    assert low.status == "warn"
    assert "1.00 kB free" in low.found
    monkeypatch.setattr(limits, "read_only", lambda _: True)
    assert "read-only" in limits._folder("recordings", tmp_path, "lost").found
    monkeypatch.setattr(limits.tempfile, "tempdir", str(tmp_path / "none"))
    gone = limits._temporary()
    assert (gone.status, "TMPDIR" in gone.remedy) == ("fail", True)


@pytest.mark.parametrize(
    ("reason", "version", "status", "words"),
    [
        ("unknown-version", "3.10.4", "info", "reads CPython 3.11 to 3.15, this is 3.10.4"),
        ("unknown-version", "3.16.0", "warn", "py-spy, if it knows Python 3.16.0"),
        ("unknown-version", None, "info", "does not know this version"),
        ("", "3.12.1", "info", "gone"),
    ],
)
def test_who_takes_the_stacks_and_why(
    reason: str, version: str | None, status: str, words: str
) -> None:
    from perftui.probes.doctor import process

    check = process._by_other(reason, "gone", version)
    assert (check.status, check.name) == (status, "stacks by")
    assert words in check.found
    assert check.follows

"""Which programs are given the agent's variables, and that the others see none of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from perftui.probes.agent_link.loads_agent import loads_agent, refusing_option

PERFTUI = [sys.executable, "-I", "-m", "perftui", "run", "--headless", "--no-record"]
PYTHON = sys.executable

LOADS = [
    "PYTHON x.py",
    "PYTHON -c pass",
    "PYTHON -m http.server -I",
    "PYTHON -X dev -W error -u x.py -E",
    "PYTHON -Xdev -Werror x.py",
    "PYTHON -BsP x.py",
    "PYTHON -Wignore::IE x.py",
    "PYTHON",
    "PYTHON - -I",
    "python3.13t x.py",
    "sh -c env",
    "bash run.sh",
    "env A=1 PYTHON x.py",
    "env -u A -C / PYTHON x.py",
    "nice -n 5 PYTHON x.py",
    "timeout 5 sh -c env",
    "nice timeout 5 env PYTHON -u x.py",
    "make",
    "./with_python",
    "./with_env",
    "./with_env_s",
    "./with_shell",
    "./another_name x.py",
    "./holds_python",
]
DOES_NOT = [
    "PYTHON -I x.py",
    "PYTHON -E -m x",
    "PYTHON -uS x.py",
    "PYTHON -X dev -I -c pass",
    "PYTHON -Bs -I",
    "PYTHON --check-hash-based-pycs never -I x.py",
    "python2.7 x.py",
    "env",
    "env A=1",
    "env -i PYTHON x.py",
    "env sleep 1",
    "sleep 1",
    "nice sleep 1",
    "timeout 5 PYTHON -I x.py",
    "cat json",
    "./with_python_isolated",
    "./with_env_s_isolated",
    "./with_cat",
    "./another_name -I x.py",
    "no-such-program-anywhere",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("programs")
    shebangs = {
        "with_python": f"#!{PYTHON} -u",
        "with_python_isolated": f"#!{PYTHON} -sI",
        "with_env": "#!/usr/bin/env python3",
        "with_env_s": "#!/usr/bin/env -S python3 -u",
        "with_env_s_isolated": "#!/usr/bin/env -S python3 -I",
        "with_shell": "#! /bin/sh",
        "with_cat": "#!/bin/cat",
    }
    for name, line in shebangs.items():
        (made / name).write_text(line + "\n")
    (made / "holds_python").write_bytes(b"\x7fELF" + bytes(5000) + b"libpython3.12.so.1.0\0")
    for file in made.iterdir():
        file.chmod(0o755)
    (made / "another_name").symlink_to(Path(PYTHON).resolve())
    (made / "make").symlink_to("/bin/true")
    (made / "python3").symlink_to(Path(PYTHON).resolve())
    return made


@pytest.mark.parametrize(
    ("line", "expected"), [*((w, True) for w in LOADS), *((w, False) for w in DOES_NOT)]
)
def test_known_before_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: bool
) -> None:
    monkeypatch.chdir(folder)
    env = {"PATH": f"{folder}:{os.environ['PATH']}"}
    assert loads_agent([PYTHON if w == "PYTHON" else w for w in line.split()], env) is expected


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("PYTHON x.py", ""),
        ("PYTHON x.py -I", ""),
        ("PYTHON -u -I x.py", "-I"),
        ("PYTHON -W error -E x.py", "-E"),
        ("PYTHON -Sm x", "-S"),
        ("PYTHON -c 'import I' -S", ""),
        ("./another_name -I x.py", "-I"),
        ("./with_python_isolated", "-I"),
        ("./with_python", ""),
        ("cat -E", ""),
        ("no-such-program-anywhere -I", ""),
    ],
)
def test_which_option_keeps_it_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, option: str
) -> None:
    monkeypatch.chdir(folder)
    env = {"PATH": f"{folder}:{os.environ['PATH']}"}
    argv = [PYTHON if word == "PYTHON" else word for word in line.split()]
    assert refusing_option(argv, env) == option


SHOWN = (
    "import os; print(sorted(os.environ.items()), "
    "[n for n in map(int, os.listdir('/proc/self/fd')) if n < 100])"
)
SAME = {
    "env": ["env"],
    "env in wrappers": ["nice", "env", "A=1", "env"],
    "python -I": [PYTHON, "-I", "-c", SHOWN],
    "python -E": [PYTHON, "-E", "-c", SHOWN],
    "python -S": [PYTHON, "-S", "-c", SHOWN],
    "python": [PYTHON, "-c", SHOWN],
    "cat": ["cat", "/proc/self/environ"],
}


@pytest.mark.parametrize("name", SAME)
def test_a_program_prints_what_it_prints_without_us(name: str, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    alone = printed(SAME[name], env)
    # As it begins, the agent's thread writes its name to a file of /proc: open for microseconds.
    for _ in range(5):
        with_us = printed([*PERFTUI, "--no-stacks", "--", *SAME[name]], env)
        assert b"PERFTUI_AGENT" not in with_us
        if with_us == alone:
            break
    assert with_us == alone


def printed(argv: list[str], env: dict[str, str]) -> bytes:
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("through", ["sh", "env", "shebang"])
def test_the_agent_still_reaches_a_program_through_another(through: str, tmp_path: Path) -> None:
    program = tmp_path / "x.py"
    program.write_text(f"#!{PYTHON}\nimport perftui\nwith perftui.phase('below'): pass\n")
    program.chmod(0o755)
    words = {
        "sh": ["sh", "-c", f"true; {PYTHON} {program}"],
        "env": ["env", "A=1", PYTHON, str(program)],
        "shebang": ["nice", str(program)],
    }[through]
    if shutil.which(words[0]) is None:
        pytest.skip(f"there is no {words[0]}")
    done = subprocess.run(
        [*PERFTUI, "--no-stacks", "--json", "-", "--", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert [phase["name"] for phase in json.loads(done.stdout)["phases"]] == ["below"], done.stderr

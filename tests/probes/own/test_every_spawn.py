"""Every Python of ours is started through `own.python`; a scan finds any that is not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[3]
HOUSES = ("tui", "probes", "scenarios")
BUILDERS = {
    *("own_module", "own_code", "own_script", "module_for_others", "code_for_others"),
    *("script_beside_packages", "module_elsewhere", "code_elsewhere"),
    "code_beside_packages",
}
MAKES_AN_ARGV_OF_OURS = {"data_command", "fresh_process"}
STARTS = {
    *("Popen", "run", "call", "check_call", "check_output", "system", "popen", "startfile"),
    *("posix_spawn", "posix_spawnp", "create_subprocess_exec", "create_subprocess_shell"),
    *(f"exec{ending}" for ending in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")),
    *(f"spawn{ending}" for ending in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")),
    *("Process", "Pool", "ProcessPoolExecutor", "get_context", "fork", "forkpty"),
}
OWNERS = {"subprocess", "os", "asyncio", "multiprocessing", "pty", "futures"}
OF_A_PERSON = {
    "probes/target/program.py": "`perftui run -m MODULE`: their words, for their interpreter",
    "probes/allocations/memray_there.py": "theirs, asked for memray as it would be imported",
    "probes/remote/address.py": "a shell there, by ssh, docker or kubectl",
    "tui/commands/elsewhere/there.py": "`perftui run --on`: their words, for a Python there",
    "probes/doctor/agent.py": "the interpreter in which the agent is tried, as they would start it",
}
NO_PYTHON_OF_OURS = {
    **OF_A_PERSON,
    "probes/target/target.py": "the program that a person wants to see",
    "probes/stacks/recorder.py": "py-spy, a binary",
    "probes/remote/link.py": "ssh, docker or kubectl",
    "probes/doctor/checks.py": "py-spy, a binary",
    "probes/stacks/thread_names.py": "py-spy, a binary",
    "tui/session/notify.py": "the command that a person has named",
    "tui/mcp/own_command.py": "an argv of `own.python`, ended when it has said too much",
    "scenarios/environments/installer.py": "uv, or an argv of `own.python`",
    "scenarios/environments/interpreters.py": "uv, or an argv of `own.python`",
    "scenarios/environments/releases.py": "an argv of `own.python`, of the two that have a pip",
    "scenarios/bench/baseline/surroundings.py": "git",
    "scenarios/servers/guard.py": "the database server that it guards",
    "scenarios/selftest/programs/forked_pages.py": "a watched program: itself again, by fork",
    "scenarios/selftest/programs/twelve_workers.py": "the same",
    "scenarios/run/kept_runs.py": "this very process again, by the argv that it was started with",
}


def found_in(source: str, name: str) -> list[str]:
    """What starts a process, or names a Python to be started, past `own.python`."""
    tree = ast.parse(source)
    wrong = [
        f"{name}:{node.lineno}: an argv of a Python"
        for node in ast.walk(tree)
        if isinstance(node, ast.List) and _is_python_argv(node)
    ]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for scope in [tree, *(n for n in ast.walk(tree) if isinstance(n, functions))]:
        assigned = {
            target.id: node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in _calls_of(scope):
            argv = node.args[0] if node.args else None
            if isinstance(argv, ast.Name):
                argv = assigned.get(argv.id, argv)
            if not _by_us(argv) and name not in NO_PYTHON_OF_OURS:
                wrong.append(f"{name}:{node.lineno}: starts a process")
    return sorted(set(wrong))


def _is_python_argv(node: ast.List) -> bool:
    words = [item.value for item in node.elts if isinstance(item, ast.Constant)]
    if not node.elts or (
        isinstance(node.elts[0], ast.Constant) and node.elts[0].value == "/bin/sh"
    ):
        return False
    first = ast.unparse(node.elts[0])
    return bool({"-m", "-c"} & set(words)) or first in ("sys.executable", "executable")


def _calls_of(scope: ast.AST) -> list[ast.Call]:
    """Calls in a function's own body; those of functions in it are looked at with them."""
    calls = []
    waiting: list[ast.AST] = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Call) and _starts(node.func):
            calls.append(node)
        waiting.extend(ast.iter_child_nodes(node))
    return calls


def _starts(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in STARTS - {"run", "call", "system", "fork", "Process", "Pool"}
    owner = function.value if isinstance(function, ast.Attribute) else None
    return (
        isinstance(function, ast.Attribute)
        and function.attr in STARTS
        and isinstance(owner, ast.Name)
        and owner.id in OWNERS
        and (owner.id, function.attr) != ("asyncio", "run")
    )


def _by_us(argv: ast.expr | None) -> bool:
    return (
        isinstance(argv, ast.Call)
        and isinstance(argv.func, ast.Name)
        and argv.func.id in BUILDERS | MAKES_AN_ARGV_OF_OURS
    )


def sources() -> list[Path]:
    files = [file for house in HOUSES for file in (TREE / house).rglob("*.py")]
    return [file for file in files if file != TREE / "probes" / "own" / "python.py"]


def test_no_python_is_started_past_the_one_place() -> None:
    assert len(sources()) > 200
    wrong = [
        line
        for file in sources()
        for line in found_in(file.read_text(), str(file.relative_to(TREE)))
    ]
    assert [line for line in wrong if line.partition(":")[0] not in OF_A_PERSON] == []


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'perftui'])",
        "import subprocess\ndef f(python):\n    subprocess.Popen([python, '-m', 'x'])",
        "from subprocess import Popen\ndef f(argv):\n    Popen(argv)",
        "import subprocess\ndef f():\n    words = ['ls']\n    subprocess.check_output(words)",
        "def command(python):\n    return [python, '-m', 'perftui.x']",
        "import os, sys\nos.execv(sys.executable, [sys.executable, 'x.py'])",
        "import asyncio, sys\nasync def f():\n"
        "    await asyncio.create_subprocess_exec(sys.executable, 'x')",
        "import multiprocessing\nmultiprocessing.get_context('spawn')",
    ],
)
def test_the_scan_finds(source: str) -> None:
    assert found_in(source, "tui/x.py")


def test_the_scan_lets_pass() -> None:
    source = (
        "import subprocess\ndef f():\n    argv = own_module('perftui.x')\n"
        "    subprocess.run(argv)\n    subprocess.Popen(own_code('pass'))"
    )
    assert found_in(source, "tui/x.py") == []

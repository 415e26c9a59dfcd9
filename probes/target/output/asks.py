"""Does the program's own code ask for input, which is empty behind the screen?

A program that is given nothing and takes that for an answer (`except EOFError`, a loop over
`sys.stdin`) leaves no trace of it: an empty file that is read looks like one that is not. So its
text is looked at before, and what it may do is said as that.
"""

from __future__ import annotations

import ast
import re
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.spine.records import Notice
from perftui.probes.text.python_words import what_runs
from perftui.probes.text.source_lines import SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

_MENTIONS = re.compile(r"\b(input\s*\(|stdin\b)")
_LOOKS_ONLY = frozenset({"isatty", "fileno", "encoding", "errors", "reconfigure", "closed", "name"})
"""What may be asked of `sys.stdin` without reading it."""
_MOST_LINES = 100_000


def warning(argv: Sequence[str], folder: str | None = None) -> tuple[Notice, ...]:
    """Return what a person at the screen is told of a program that `may_ask`, if it may."""
    where = may_ask(argv, folder)
    text = "may ask for input, which is empty behind the screen: --headless leaves it the terminal"
    return (Notice(time.monotonic_ns(), "info", f"{where} {text}"),) if where else ()


def may_ask(argv: Sequence[str], folder: str | None = None) -> str | None:
    """Return where a Python program's own code asks for input: `load.py:4`; None: nowhere.

    Args:
        argv: Its command line: an interpreter, then a script, `-c` and code, or `-m` and a module
            that lies in the folder. What these import is not looked at.
        folder: Where it is started; None: where we are.
    """
    code = _code(argv, folder)
    if code is None or not _MENTIONS.search(code[1]):
        return None
    name, text = code
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the interpreter that runs it warns
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # the interpreter will say so itself
    lines = [line for line in map(_asks, ast.walk(tree)) if line]
    return f"{name}:{min(lines)}" if lines else None


def _code(argv: Sequence[str], folder: str | None) -> tuple[str, str] | None:
    """Return (name, text) of the code that a command line runs."""
    option, word = what_runs(iter(argv[1:]))
    if option == "-c":
        return "-c", word
    if option == "-m" and word:
        module = Path(folder or ".", *word.split("."))
        ways = (module / "__main__.py", module.with_name(module.name + ".py"))
        path = next((way for way in ways if way.is_file()), None)
    else:
        path = Path(folder or ".", word) if word.endswith((".py", ".pyw")) else None
    if path is None:
        return None
    lines = SOURCE.get(str(path), 1, _MOST_LINES)
    return path.name, "\n".join(text for _number, text in lines)


def _asks(node: ast.AST) -> int:
    """Return the line in which a piece of code asks for input; 0: it does not."""
    match node:
        case ast.Call(func=ast.Name(id="input")):
            return node.lineno
        case ast.Call(func=ast.Attribute(value=stream, attr=word)) if _is_stdin(stream):
            return 0 if word in _LOOKS_ONLY else node.lineno
        case ast.For(iter=each) | ast.comprehension(iter=each) if _is_stdin(each):
            return each.lineno
        case ast.Call(args=given) if any(map(_is_stdin, given)):
            return node.lineno  # json.load(sys.stdin), csv.reader(sys.stdin), ...
        case _:
            return 0


def _is_stdin(node: ast.AST) -> bool:
    """Tell whether code is `sys.stdin` or `sys.stdin.buffer`."""
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="stdin"):
            return True
        case ast.Attribute(value=inner, attr="buffer"):
            return _is_stdin(inner)
        case ast.Name(id="stdin"):
            return True
        case _:
            return False

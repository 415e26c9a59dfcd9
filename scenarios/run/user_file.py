"""Functions in people's own files as scenarios: `FILE.py:FUNCTION`.

The host only reads the source: a file that the profiler imported would run its top-level code
in the wrong process. The child imports it, as a script would be.
"""

from __future__ import annotations

import ast
import sys
import warnings
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perftui.probes.own.path import give_back
from perftui.scenarios.define.definition import Definition
from perftui.scenarios.define.parameters import (
    REQUIRED,
    Expression,
    Parameter,
    ScenarioError,
    Size,
    nearest,
    parameter_from_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES: dict[str, object] = {"str": str, "int": int, "float": float, "bool": bool, "Size": Size}


def split_reference(reference: str) -> tuple[str, str] | None:
    """Split "FILE.py:FUNCTION"; None if the reference is not of that form."""
    path, colon, function = reference.rpartition(":")
    if colon and path.endswith(".py") and function.isidentifier():
        return path, function
    return None


def read_function(path: str, function: str) -> tuple[Definition, tuple[Parameter, ...]]:
    """Read name, docstring and parameters of a function from the source, running nothing.

    Raises:
        ScenarioError: The file or the function is not there, or the file is not Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the interpreter that runs it warns
            tree = ast.parse(Path(path).read_bytes(), filename=path)
    except OSError as error:
        raise ScenarioError(f"cannot read {path}: {error.strerror or error}") from None
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ScenarioError(f"{path} is not valid Python{where}: {reason}") from None
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    node = functions.get(function)
    if node is None:
        names = [name for name in functions if not name.startswith("_")]
        listed = f"it has {', '.join(names)}" if names else "it has no functions at its top level"
        raise ScenarioError(
            f"{path} has no function {function}{nearest(function, names)}; {listed}"
        )
    return _definition(node), _parameters(node)


def load_function(path: str, function: str) -> Callable[..., Any]:
    """Import the file, its folder first on sys.path as for a script, and return the function.

    Raises:
        ScenarioError: The function is not there. What the file itself raises is passed on.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise ScenarioError(f"cannot read {path}: there is no such file")
    give_back(str(file.parent))
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ScenarioError(f"cannot import {path}")
    module = module_from_spec(spec)
    # Known under its name while it runs: dataclasses and pickle look modules up there.
    sys.modules.setdefault(file.stem, module)
    spec.loader.exec_module(module)
    found = getattr(module, function, None)
    if not callable(found):
        raise ScenarioError(f"{path} has no function {function}")
    loaded: Callable[..., Any] = found
    return loaded


def _parameters(node: ast.FunctionDef) -> tuple[Parameter, ...]:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    padding: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    by_position = list(zip(plain, [*padding, *arguments.defaults], strict=True))
    by_name = list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    for argument, default in by_position[: len(arguments.posonlyargs)]:
        if default is None:
            raise ScenarioError(
                f"{argument.arg} of {node.name} cannot be given by name: "
                "move it behind the / in the signature"
            )
    return tuple(
        parameter_from_type(argument.arg, _annotation(argument.annotation), _default(default))
        for argument, default in by_position[len(arguments.posonlyargs) :] + by_name
    )


def _default(node: ast.expr | None) -> object:
    if node is None:
        return REQUIRED
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return Expression(ast.unparse(node))
    simple = value is None or isinstance(value, str | int | float)
    return value if simple else Expression(ast.unparse(node))


def _annotation(node: ast.expr | None) -> object:
    """The type that the source names, if it is one that needs no evaluation; else None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        arms = [arm for arm in (node.left, node.right) if not _is_none(arm)]
        inner = _annotation(arms[0]) if len(arms) == 1 else None
        return inner | None if isinstance(inner, type) else None
    if isinstance(node, ast.Subscript) and _last_name(node.value) == "Literal":
        try:
            choices = ast.literal_eval(node.slice)
        except ValueError:
            return None
        return Literal.__getitem__(choices)
    return _TYPES.get(_last_name(node)) if node is not None else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _definition(node: ast.FunctionDef) -> Definition:
    """What the decorator says as far as it is written out, else the docstring's first line."""
    doc = (ast.get_docstring(node) or "").strip()
    said: dict[str, object] = {}
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and _last_name(decorator.func) == "scenario":
            for keyword in decorator.keywords:
                try:
                    said[keyword.arg or ""] = ast.literal_eval(keyword.value)
                except (ValueError, TypeError):
                    continue  # computed when it is imported; the host does not do that
    return Definition(
        node.name,
        str(said.get("summary") or (doc.splitlines()[0] if doc else "")),
        str(said.get("shows") or ""),
        _names(said.get("requires")),
        _names(said.get("uses")),
    )


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else ()

"""Does the program's own code keep a container to a bound? Read from its source, never run.

A dict that throws the oldest out, a buffer that replaces once it is full, a window of ten seconds:
none of them says how much goes into it, but the code that fills it does. Three shapes are known:

    if len(buffer) < 1500: buffer.append(x)                        room is asked for
    if len(cache) > self.most: cache.popitem(last=False)           what is too much is taken out
    while window and window[0].at < now - 10: window.popleft()     what is too old is taken out

That code takes out of a container without such a condition, as a queue's reader does, says nothing.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_PUTS = frozenset(
    ("append", "appendleft", "add", "extend", "insert", "put", "setdefault", "update", "heappush")
)
_TAKES = frozenset(("pop", "popleft", "popitem", "clear", "remove", "discard"))
_HEAP_TAKES = frozenset(("heappop", "heapreplace", "heappushpop"))
_FILE = "<read by perftui>"
_LEAST = 2
"""`len(x) > 0` asks whether there is anything."""
_MOST = 1 << 48
OF_ELEMENTS = "[…]"
"""At the end of a path: not the container grew, but what is in it, because it did."""
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class KeptTo(NamedTuple):
    """What the code says of one container."""

    most: int | None
    """Elements; None if it is bounded by an expression or by age."""
    line: int
    """Of the condition."""


def bound_of(source: str, what: str, line: int) -> KeptTo | None:
    """Return the bound to which the code keeps a container, None if none is seen.

    Args:
        source: Of the whole file; what cannot be parsed has no bound.
        what: The path that leads to the container, as a census tells it.
        line: Where the function begins that fills it; 0 or 1 for the file itself.
    """
    names = [each for each in _names_of(what) if _may_be_kept(source, each[0])]
    if not names:
        return None
    try:
        # What Python has to say of it, such as of "\\d", it has said to the program.
        warnings.filterwarnings("ignore", module=re.escape(_FILE))
        return _bound_in(ast.parse(source, _FILE), what, names, line)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound_in(
    tree: ast.Module, what: str, names: list[tuple[str, bool]], line: int
) -> KeptTo | None:
    path = _path_to(tree, line)
    if path is None:
        return None
    for name, is_local in names:
        scope = _scope(path, is_local=is_local)
        found = [each for node in ast.walk(scope) for each in _bounds_at(node, name, tree, scope)]
        sure = [each for each in found if each.most is not None]
        if sure and not what.endswith(OF_ELEMENTS):
            return max(sure, key=lambda each: each.most or 0)
        if found:
            return KeptTo(None, found[0].line)
    return None


def _names_of(what: str) -> list[tuple[str, bool]]:
    """Return the names by which code may know what a path leads to, and whether each is a
    variable of a function. What is found under a key has none."""
    words = what.removesuffix(OF_ELEMENTS)
    if "[" in words or words.startswith(("lru_cache of ", "default of ")):
        return []
    head, is_local, place = words.partition(" in ")
    if is_local:
        # "app in main.cache" and "rows in Job.run": which dots are a function's is not told.
        names = [] if head in ("self", "cls") else [(head, True)]
        _, dot, last = place.rpartition(".")
        return [*names, (last, False)] if dot else names
    _, is_closure, label = words.rpartition(": ")
    before, dot, last = (label if is_closure else words).rpartition(".")
    return [(last, bool(is_closure) and not before)]


def _may_be_kept(source: str, name: str) -> bool:
    """Tell in microseconds of most of what leaks that it need not be parsed."""
    if name not in source:
        return False
    it = re.escape(name)
    return bool(re.search(rf"len\(\s*(?:[\w.]+\.)?{it}\s*\)|\b{it}\s*\[\s*-?\w+\s*\]", source))


def _path_to(tree: ast.Module, line: int) -> list[ast.AST] | None:
    """Return the nodes from the file down to the function that begins at a line."""
    if line <= 1:
        return [tree]
    stack: list[tuple[ast.AST, list[ast.AST]]] = [(tree, [tree])]
    while stack:
        node, path = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and line in (
            node.lineno,
            *(each.lineno for each in node.decorator_list),
        ):
            return path
        stack += [(each, [*path, each]) for each in ast.iter_child_nodes(node)]
    return None


def _scope(path: list[ast.AST], *, is_local: bool) -> ast.AST:
    """Return in what code the name means the same: the outermost function, a class, or the file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef) if is_local else (ast.ClassDef,)
    inside = [each for each in path if isinstance(each, kinds)]
    if not inside:
        return path[0]
    return inside[0] if is_local else inside[-1]


def _bounds_at(node: ast.AST, name: str, tree: ast.Module, scope: ast.AST) -> Iterator[KeptTo]:
    if isinstance(node, ast.If | ast.While):
        for test in _parts(node.test):
            most, above = _compared(test, name)
            if most is None:
                if _looks_at_ends(test, name) and _takes(node.body, name):
                    yield KeptTo(None, test.lineno)
            elif (
                (_takes(node.body, name) or _leaves(node.body) or _waits(node, name))
                if above
                else (_puts(node.body, name) or _takes(node.orelse, name))
            ):
                known = _value(most, tree, scope)
                if known is None and _may_be_missing(most, scope):
                    continue
                if known is None or known >= _LEAST:
                    yield KeptTo(known, test.lineno)


def _may_be_missing(most: ast.expr, scope: ast.AST) -> bool:
    """Tell whether the code asks if there is a bound at all: nobody here knows the answer."""
    it = ast.dump(most)
    for node in ast.walk(scope):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            for test in _parts(node.test):
                asked = test.operand if isinstance(test, ast.UnaryOp) else test
                if isinstance(asked, ast.Compare) and isinstance(asked.ops[0], ast.Is | ast.IsNot):
                    asked = asked.left
                if ast.dump(asked) == it:
                    return True
    return False


def _parts(test: ast.expr) -> list[ast.expr]:
    return list(test.values) if isinstance(test, ast.BoolOp) else [test]


def _compared(test: ast.expr, name: str) -> tuple[ast.expr | None, bool]:
    """Return (with what a length is compared, whether it is true above that)."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None, False
    left, operation, right = test.left, test.ops[0], test.comparators[0]
    if _is_length(left, name):
        above = isinstance(operation, ast.Gt | ast.GtE | ast.Eq)
        below = isinstance(operation, ast.Lt | ast.LtE | ast.NotEq)
        return (right, above) if above or below else (None, False)
    if _is_length(right, name):
        above = isinstance(operation, ast.Lt | ast.LtE | ast.Eq)
        below = isinstance(operation, ast.Gt | ast.GtE | ast.NotEq)
        return (left, above) if above or below else (None, False)
    return None, False


def _is_length(node: ast.expr, name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "len"
        and len(node.args) == 1
        and _is_it(node.args[0], name)
    )


def _is_it(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (
        isinstance(node, ast.Attribute) and node.attr == name
    )


def _looks_at_ends(test: ast.expr, name: str) -> bool:
    """Tell a comparison with one of its elements: the oldest, or the smallest."""
    return isinstance(test, ast.Compare) and any(
        isinstance(each, ast.Subscript)
        and _is_it(each.value, name)
        and isinstance(each.slice, ast.Constant | ast.UnaryOp)
        for each in ast.walk(test)
    )


def _below(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


def _puts(body: list[ast.stmt], name: str) -> bool:
    for node in _below(body):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in _PUTS:
                if _is_it(called.value, name) or (node.args and _is_it(node.args[0], name)):
                    return True
            elif (
                isinstance(called, ast.Name)
                and called.id in _PUTS
                and node.args
                and _is_it(node.args[0], name)
            ):
                return True
        elif isinstance(node, ast.Subscript):
            if isinstance(node.ctx, ast.Store) and _is_it(node.value, name):
                return True
        elif isinstance(node, ast.AugAssign) and _is_it(node.target, name):
            return True
    return False


def _takes(body: list[ast.stmt], name: str) -> bool:
    for node in _below(body):
        if isinstance(node, ast.Call):
            called = node.func
            word = called.attr if isinstance(called, ast.Attribute) else ""
            word = called.id if isinstance(called, ast.Name) else word
            if word in _TAKES and isinstance(called, ast.Attribute) and _is_it(called.value, name):
                return True
            if word in _HEAP_TAKES and node.args and _is_it(node.args[0], name):
                return True
        elif isinstance(node, ast.Delete):
            for each in node.targets:
                if isinstance(each, ast.Subscript) and _is_it(each.value, name):
                    return True
        elif isinstance(node, ast.Assign) and any(_is_it(each, name) for each in node.targets):
            return True  # it begins anew, or goes on with a part of itself
    return False


def _leaves(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], _LEAVES)


def _waits(node: ast.If | ast.While, name: str) -> bool:
    """Tell a loop that waits until there is room."""
    return isinstance(node, ast.While) and not _puts(node.body, name)


def _value(node: ast.expr, tree: ast.Module, scope: ast.AST, steps: int = 4) -> int | None:
    """Return the number that an expression of constants stands for, also one by its only name."""
    if steps < 0:
        return None
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int and 0 <= node.value <= _MOST else None
    if isinstance(node, ast.BinOp):
        left = _value(node.left, tree, scope, steps - 1)
        right = _value(node.right, tree, scope, steps - 1)
        return None if left is None or right is None else _combined(left, node.op, right)
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        places = {id(scope): scope, id(tree): tree}.values()
        values = {ast.dump(value): value for where in places for value in _assigned(where, name)}
        if len(values) == 1:
            (value,) = values.values()
            return _value(value, tree, scope, steps - 1)
    return None


def _combined(left: int, operation: ast.operator, right: int) -> int | None:
    if isinstance(operation, ast.Mult):
        value = left * right
    elif isinstance(operation, ast.Add):
        value = left + right
    elif isinstance(operation, ast.Pow) and left <= 1024 and right <= 48:
        value = left**right
    elif isinstance(operation, ast.LShift) and right <= 48:
        value = left << right
    else:
        return None
    return value if value <= _MOST else None


def _assigned(where: ast.AST, name: str) -> Iterator[ast.expr]:
    """Yield what a name or an attribute is set to in there; what nobody can tell is no number."""
    unknown = ast.Constant(None)
    for node in ast.walk(where):
        if isinstance(node, ast.Assign):
            if any(_is_it(each, name) for each in node.targets):
                yield node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            if _is_it(node.target, name) and node.value is not None:
                yield node.value
        elif isinstance(node, ast.AugAssign):
            if _is_it(node.target, name):
                yield unknown
        elif isinstance(node, ast.arg) and node.arg == name:
            yield unknown  # whoever calls says it

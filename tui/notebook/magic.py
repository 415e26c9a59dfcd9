"""`%%perftui`: measure a cell, which runs as it would without: same names, result and errors."""

from __future__ import annotations

import ast
import html
import inspect
import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.text.units import format_bytes, format_seconds
from perftui.tui.notebook.kernel_side import Companion, NotMeasured

if TYPE_CHECKING:
    from types import CodeType

USAGE = "%%perftui [NAME] [--rate HZ] [--no-report]"
_FRAME = (
    '<iframe sandbox="allow-scripts" style="width:100%;height:70vh;border:1px solid #8884" '
    'srcdoc="{page}"></iframe>'
)


class _Asked(NamedTuple):
    name: str
    rate_hz: float
    report: bool


def load(shell: Any) -> None:
    """Bring the magics into a shell."""
    shell.register_magic_function(
        lambda line, cell: cell_magic(shell, line, cell), "cell", "perftui"
    )
    shell.register_magic_function(lambda line: cell_magic(shell, "", line), "line", "perftui")


def unload(shell: Any) -> None:
    """Take them out again."""
    for magics in shell.magics_manager.magics.values():
        magics.pop("perftui", None)


def _asked(line: str) -> _Asked:
    """Read the words behind `%%perftui`.

    Raises:
        UsageError: they make no sense.
    """
    from IPython.core.error import UsageError

    name, rate_hz, report = "", 100.0, True
    try:
        words = iter(shlex.split(line))
        for word in words:
            if word == "--no-report":
                report = False
            elif word == "--rate":
                rate_hz = float(next(words, ""))
            elif word.startswith("-"):
                raise ValueError
            else:
                name = f"{name} {word}".strip()
        if not 1 <= rate_hz <= 1000:
            raise ValueError
    except ValueError:
        raise UsageError(f"{USAGE}; HZ is from 1 to 1000") from None
    return _Asked(name, rate_hz, report)


def cell_magic(shell: Any, line: str, cell: str) -> object:
    """Run a cell while somebody watches; returns the value of its last line, as a cell does."""
    from IPython.core.error import UsageError

    asked = _asked(line)
    try:
        codes = _compiled(shell, cell)
    except _Awaits:
        raise UsageError(
            "%%perftui does not take a cell with await at its top level: put it into a function, "
            "or run perftui attach with this kernel's process id"
        ) from None
    folder = tempfile.TemporaryDirectory(prefix="perftui-")
    with folder:
        report = os.path.join(folder.name, "report.html") if asked.report else None  # noqa: PTH118
        try:
            beside = Companion(asked.rate_hz, report)
        except NotMeasured as error:
            print(f"perftui: this cell is not measured: {error}")
            return _run(shell, codes)
        try:
            beside.begin(asked.name or f"cell {shell.execution_count}")
            try:
                return _run(shell, codes)
            finally:
                beside.end()
                _show(beside, report)
        finally:
            beside.close()


class _Awaits(Exception):
    """A cell that only an event loop can run."""


def _compiled(shell: Any, cell: str) -> tuple[CodeType, CodeType | None]:
    """Return the code of a cell: all but its last expression, and that.

    Raises:
        SyntaxError: as it would without us.
    """
    text = shell.transform_cell(cell)
    name = shell.compile.cache(text, shell.execution_count, raw_code=cell)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    if inspect.CO_COROUTINE & compile(text, name, "exec", flags, True).co_flags:
        raise _Awaits
    with shell.compile.extra_flags(shell.compile.flags):
        tree = shell.transform_ast(shell.compile.ast_parse(text, filename=name))
        last = None
        is_shown = not text.rstrip().endswith(";")
        if is_shown and tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        first = compile(tree, name, "exec", shell.compile.flags, True)
        end = None if last is None else compile(last, name, "eval", shell.compile.flags, True)
    return first, end


def _run(shell: Any, codes: tuple[CodeType, CodeType | None]) -> object:
    first, last = codes
    exec(first, shell.user_ns)
    return None if last is None else eval(last, shell.user_ns)


def _show(beside: Companion, report: str | None) -> None:
    """Show what was seen below the cell."""
    from IPython import display

    try:
        summary = beside.summary()
    except (NotMeasured, KeyboardInterrupt) as error:
        print(f"perftui: no summary: {error}")
        return
    page = None
    if report is not None and summary["report"] is None:
        page = Path(report).read_text()
    shown = {"text/plain": text_of(summary), "text/html": html_of(summary, page)}
    publish: Any = display.publish_display_data
    publish(shown)


def text_of(summary: dict[str, Any]) -> str:
    """Return the summary of a cell as text."""
    phase = summary["phase"]
    head = []
    if phase is not None:
        head.append(f"{phase['name']}: {format_seconds(phase['duration_s'])}")
        if phase["cpu_s"] is not None:
            head.append(f"CPU {format_seconds(phase['cpu_s'])}")
        if phase["rss_start_bytes"] is not None and phase["rss_end_bytes"] is not None:
            grown = phase["rss_end_bytes"] - phase["rss_start_bytes"]
            head.append(f"RSS {'+' if grown >= 0 else '-'}{format_bytes(abs(grown))}")
        if phase["peak_rss_bytes"] is not None:
            head.append(f"peak {format_bytes(phase['peak_rss_bytes'])}")
    lines = [", ".join(head), *summary["lines"]]
    lines += [f"! {notice}" for notice in summary["notices"]]
    if summary["recording"] is not None:
        lines.append(f"perftui open {Path(summary['recording']).name.removesuffix('.perftui')}")
    return "\n".join(line for line in lines if line)


def html_of(summary: dict[str, Any], page: str | None) -> str:
    """Return the same as HTML, with what is behind it, and the report, folded."""
    parts = [f"<pre>{html.escape(text_of(summary))}</pre>"]
    proofs = f"<pre>{html.escape(summary['explained'])}</pre>"
    parts.append(f"<details><summary>findings and their proofs</summary>{proofs}</details>")
    if page is not None:
        frame = _FRAME.format(page=html.escape(page, quote=True))
        parts.append(f"<details><summary>report</summary>{frame}</details>")
    elif summary["report"] not in (None, "not asked for"):
        parts.append(f"<p>no report: {html.escape(str(summary['report']))}</p>")
    return "".join(parts)

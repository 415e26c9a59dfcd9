"""markdown: a summary for a pull request, short on top, the rest folded.

Names come from the watched program: they stand in code, where nothing in them is markup, links or
mentions anybody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from perftui.probes.export.pictures.drawing import fitted
from perftui.probes.export.report.facts import (
    facts_of,
    figures,
    machine_rows,
    missing,
    own_cost,
    verdict,
)
from perftui.probes.profile.place import place_of
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S, format_bytes, format_count, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.export.report.facts import Facts
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.reader import Reader
    from perftui.probes.spine.records import Alert

LIMIT_BYTES = 65_000
"""What a comment of a pull request takes is a little more."""
_SPARK = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 40
_SIGNS = {"critical": "🔴", "warn": "🟠", "info": "🔵"}
_PLAIN_NAME = re.compile(r"[\w .<>()\[\]{}:;,/+=*&%$#@!?'\"~^-]+")


class _Rows(NamedTuple):
    """How many rows of each kind are told."""

    alerts: int
    phases: int
    functions: int
    others: int


_SIZES = (_Rows(20, 40, 30, 30), _Rows(12, 15, 12, 10), _Rows(5, 5, 5, 4))
"""The largest that fits is taken."""


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """Write a summary of a part of a recording as GitHub-flavoured Markdown."""
    facts = facts_of(reader, part)
    for rows in _SIZES:
        text = "\n".join(_document(reader, facts, rows)) + "\n"
        data = text.encode()
        if len(data) < LIMIT_BYTES:
            break
    out.write(data)


def _document(reader: RecordedReader, facts: Facts, rows: _Rows) -> list[str]:
    lines = [f"### perftui: {code(facts.title, 160)}", ""]
    if facts.found is None or not facts.found.findings:
        lines += [f"**{prose(verdict(facts), 300)}**", ""]
    if not facts.is_whole:
        begin, end = (facts.seconds(t) for t in (facts.part.t0_ns, facts.part.t1_ns))
        phase = f" (phase {code(facts.part.phase)})" if facts.part.phase is not None else ""
        lines += [f"From {begin:.3f} s to {end:.3f} s{phase}.", ""]
    lines += _findings(facts)
    lines += _table(
        ("", "", ""),
        [
            (
                code(figure.name) if figure.name in _counter_names(facts) else figure.name,
                f"**{figure.value}**",
                figure.detail,
            )
            for figure in figures(facts)
        ],
        "lrl",
    )
    lines += _sparklines(reader, facts)
    lines += _alerts(facts, rows.alerts)
    lines += _top(facts, min(rows.functions, 8))
    lines += _folded("Phases", _phases(facts, rows.phases), len(facts.phases))
    lines += _folded("More functions", _functions(facts, 8, rows.functions), None)
    lines += _folded("Imports", _imports(facts, rows.others), len(facts.imports))
    lines += _folded("Calls", _calls(facts, rows.others), len(facts.calls))
    lines += _folded("Machine and measurement", _measured(reader, rows.others), None)
    return lines


def _findings(facts: Facts) -> list[str]:
    """List what matters, without its proof."""
    if facts.found is None or not facts.found.findings:
        return []
    lines = []
    for found in facts.found.findings:
        sign = _SIGNS.get(found.severity, "")
        place = f" {code(found.code)}" if found.code else ""
        unsure = f" (unsure: {prose(found.may_be_wrong, 160)})" if found.may_be_wrong else ""
        lines.append(f"1. {sign} {prose(found.text, 200)}{place}{unsure}")
    step = facts.found.next_step
    return [*lines, "", *([f"Next: {prose(step, 200)}", ""] if step else [])]


def _counter_names(facts: Facts) -> set[str]:
    return {counter.name for counter in facts.counters}


def _sparklines(reader: Reader, facts: Facts) -> list[str]:
    part = facts.part
    pid = TREE if part.pid is None else part.pid
    wanted: list[tuple[str, str, Callable[[float], str]]] = [
        ("RSS", "rss_bytes", format_bytes),
        ("CPU", "cpu_percent", lambda value: f"{value:.0f} %"),
    ]
    wanted += [
        (f"{code(counter.name)}/s", f"rate:{counter.name}", format_count)
        for counter in facts.counters[:2]
        if part.pid is None
    ]
    rows = []
    for name, metric, shown in wanted:
        found = reader.metric(metric, part.t0_ns, part.t1_ns, _SPARK_WIDTH, pid).high
        known = [value for value in found if value is not None]
        if known:
            rows.append((name, f"`{sparkline(found)}`", shown(min(known)), shown(max(known))))
    return ["", *_table(("", "over time", "least", "most"), rows, "llrr")] if rows else []


def sparkline(values: Sequence[float | None]) -> str:
    """Draw values from 0 as block characters; a blank where nothing was measured."""
    most = max((value for value in values if value is not None), default=0.0)
    top = len(_SPARK) - 1
    return "".join(
        " " if value is None else _SPARK[round(max(value, 0.0) * top / most) if most > 0 else 0]
        for value in values
    )


def _alerts(facts: Facts, most: int) -> list[str]:
    if not facts.alerts:
        return []
    lines = ["", "#### Alerts", ""]
    lines += [_alert(facts, alert) for alert in facts.alerts[:most]]
    return [*lines, *_more(len(facts.alerts), most)]


def _alert(facts: Facts, alert: Alert) -> str:
    span = f"from {format_seconds(facts.seconds(alert.t_onset_ns))}"
    if alert.t_clear_ns is not None:
        span += f" for {format_seconds((alert.t_clear_ns - alert.t_onset_ns) / NS_PER_S)}"
    sign = _SIGNS.get(alert.severity, "")
    kind = prose(alert.kind.replace("_", " "), 60)
    text = f"- {sign} **{kind}** ({prose(alert.severity, 20)}, {span}): {prose(alert.message, 300)}"
    return f"{text}  \n  {prose(alert.evidence, 400)}" if alert.evidence else text


def _top(facts: Facts, most: int) -> list[str]:
    rows = _functions(facts, 0, most)
    return ["", "#### Where the time went", "", *rows] if rows else []


def _functions(facts: Facts, first: int, last: int) -> list[str]:
    whole_ns = facts.top_wall_ns
    found = facts.top[first:last] if whole_ns else []
    rows = []
    for row in found:
        shares = (row.self_.wall_ns * 100 / whole_ns, row.total.wall_ns * 100 / whole_ns)
        if max(shares) >= 0.05:
            place = code(place_of(row.module, row.file, row.line), 60) if row.file else ""
            rows.append((*(f"{share:.1f} %" for share in shares), code(row.function), place))
    return _table(("self", "total", "function", "where"), rows, "rrll") if rows else []


def _phases(facts: Facts, most: int) -> list[str]:
    rows = []
    for phase in facts.phases[:most]:
        took = None if phase.t1_ns is None else (phase.t1_ns - phase.t0_ns) / NS_PER_S
        gained = ""
        if phase.rss_start_bytes is not None and phase.rss_end_bytes is not None:
            gained = _signed_bytes(phase.rss_end_bytes - phase.rss_start_bytes)
        rows.append(
            (
                "\u2007\u2007" * min(phase.depth, 8) + code(phase.name),
                format_seconds(facts.seconds(phase.t0_ns)),
                "not ended" if took is None else format_seconds(took),
                "" if phase.cpu_s is None else format_seconds(phase.cpu_s),
                "" if phase.peak_rss_bytes is None else format_bytes(phase.peak_rss_bytes),
                gained,
            )
        )
    if not rows:
        return []
    head = ("phase", "start", "took", "CPU", "peak RSS", "RSS kept")
    return [*_table(head, rows, "lrrrrr"), *_more(len(facts.phases), most)]


def _signed_bytes(value: int) -> str:
    return f"+{format_bytes(value)}" if value >= 0 else f"−{format_bytes(-value)}"


def _imports(facts: Facts, most: int) -> list[str]:
    ranked = sorted(facts.imports, key=lambda row: -row.total_ns)[:most]
    rows = [
        (
            code(row.module),
            format_seconds(row.total_ns / NS_PER_S),
            format_seconds(row.self_ns / NS_PER_S),
            "" if row.rss_bytes is None else _signed_bytes(row.rss_bytes),
        )
        for row in ranked
    ]
    return _table(("module", "with what it imports", "itself", "RSS"), rows, "lrrr") if rows else []


def _calls(facts: Facts, most: int) -> list[str]:
    rows = []
    for call in facts.calls[:most]:
        warm = call.warm_median_ns
        rows.append(
            (
                code(call.name),
                str(call.n),
                format_seconds(call.first_ns / NS_PER_S),
                "" if warm is None else format_seconds(warm / NS_PER_S),
                "" if call.ratio is None else f"{call.ratio:.1f}×",
            )
        )
    head = ("call", "n", "first", "median of the others", "ratio")
    return _table(head, rows, "lrrrr") if rows else []


def _measured(reader: RecordedReader, most: int) -> list[str]:
    rows = [(name, prose(value, 120)) for name, value in machine_rows(reader)[:most]]
    rows += [(f"perftui: {name}", prose(value, 80)) for name, value in own_cost(reader)]
    told = missing(reader)
    lines = _table(("", ""), rows, "ll")
    return [*lines, "", *(f"- {prose(text, 300)}" for text in told[:most])] if told else lines


def _folded(title: str, lines: Sequence[str], count: int | None) -> list[str]:
    """Fold lines away; the blank lines are what makes Markdown inside of HTML work."""
    if not lines:
        return []
    head = title if count is None else f"{title} ({count})"
    return ["", f"<details><summary>{head}</summary>", "", *lines, "", "</details>"]


def _more(count: int, most: int) -> list[str]:
    return ["", f"and {count - most} more"] if count > most else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    marks = ["---:" if side == "r" else ":---" for side in sides]
    return ["| " + " | ".join(row) + " |" for row in (head, marks, *rows)]


def code(name: str, chars: int = 100) -> str:
    """Return a name as code: readable if it is plain, in entities if it could break out."""
    name = fitted(name, chars).strip() or "·"
    if _PLAIN_NAME.fullmatch(name):
        return f"`{name}`"
    return f"<code>{_entities(name, _SPECIAL + '_@#')}</code>"


def prose(text: str, chars: int) -> str:
    """Return free text in which nothing is markup and nobody is mentioned."""
    text = _entities(fitted(text, chars), _SPECIAL)
    text = _LOOSE_UNDERSCORE.sub("&#95;", text)
    # The host of the page looks for names in text: a comment between sign and name is none.
    return _MENTION.sub(r"\1<!-- -->", text)


_SPECIAL = "\\`*{}[]<|~&"
_LOOSE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_MENTION = re.compile(r"(@|(?<!&)#)(?=\w)")


def _entities(text: str, special: str) -> str:
    return "".join(f"&#{ord(char)};" if char in special else char for char in text)

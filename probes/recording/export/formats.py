"""The formats, in one table. Modules are imported when their format is asked for."""

from __future__ import annotations

from perftui.probes.recording.export.exporter import Exporter, ExportError

FORMATS: tuple[Exporter, ...] = (
    Exporter(
        "speedscope",
        ".speedscope.json",
        "stacks",
        binary=False,
        good_for="a profile per thread, in the order of time",
        opened_by="speedscope.app (runs in the browser, nothing is uploaded)",
        module="speedscope",
        bytes_per_stack=13,
    ),
    Exporter(
        "flamegraph-svg",
        ".flame.svg",
        "report",
        binary=False,
        good_for="one picture of where the time went, hover texts, no script",
        opened_by="any browser, a ticket, a README",
        module="flamegraph_svg",
    ),
    Exporter(
        "icicle-svg",
        ".icicle.svg",
        "report",
        binary=False,
        good_for="the same with the root on top, as on the screen",
        opened_by="any browser, a ticket, a README",
        module="icicle_svg",
    ),
    Exporter(
        "markdown",
        ".md",
        "report",
        binary=False,
        good_for="a summary for a pull request: figures, alerts, functions, details folded",
        opened_by="pull requests, tickets, a chat",
        module="markdown",
    ),
    Exporter(
        "html",
        ".html",
        "report",
        binary=False,
        good_for="one offline page: timelines, alerts, flame graph, all following one range",
        opened_by="any browser",
        module="report.page",
    ),
)
_BY_NAME = {exporter.name: exporter for exporter in FORMATS}


def exporter_of(name: str) -> Exporter:
    """Return a format by its name.

    Raises:
        ExportError: there is none; the message lists what there is.
    """
    found = _BY_NAME.get(name)
    if found is None:
        raise ExportError(
            f"there is no format {name[:60]!r}; there are {', '.join(_BY_NAME)} "
            f"(`perftui export --list` says what each is good for)"
        )
    return found

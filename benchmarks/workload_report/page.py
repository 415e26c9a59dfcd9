"""The page: what was measured, where, by which commands, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.text.units import format_bytes, format_seconds
from workload_report.markdown import commands, named, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workload_report.section import Section

SCHEMA = 1
COMMAND = "python benchmarks/workloads.py"


def page(report: dict[str, Any], sections: Sequence[Section]) -> str:
    """Return the whole page; sections that were not measured are named as such.

    Args:
        report: What the JSON file holds.
        sections: All that there are.
    """
    parts = [
        "# Five workloads, measured",
        f"Written by `{COMMAND}`; do not edit. Every figure comes from a scenario that ran under "
        "perftui, as the commands below each section say; the numbers behind it, every single "
        "run, are in the JSON file beside this page. Take the ratios, not the times: this is one "
        "machine on one day.",
        _machine(report),
    ]
    for section in sections:
        parts.append(f"## {section.number}. {section.title}")
        data = report["sections"].get(section.number)
        if data is None:
            parts.append(f"Not measured: `{COMMAND} --only {section.number}`.")
            continue
        parts += _section(section, data, report)
    return "\n\n".join(parts) + "\n"


def _machine(report: dict[str, Any]) -> str:
    machine, versions = report["machine"], report["versions"]
    kind = "virtual machine, " if machine["virtual"] else ""
    rows = [
        ("processor", f"{machine['cpu'] or 'unknown'}, {machine['cores']} cores"),
        ("memory", format_bytes(machine["memory_bytes"])),
        (
            "system",
            f"{kind}{machine['system'] or 'unknown'}, Linux {machine['kernel']} "
            f"{machine['architecture']}",
        ),
        ("Python", versions["python"]),
        ("perftui", versions["perftui"]),
        (
            "packages",
            ", ".join(
                f"{name} {version}"
                for name, version in versions.items()
                if version is not None and name not in ("python", "perftui")
            ),
        ),
    ]
    absent = [name for name, version in versions.items() if version is None]
    if absent:
        rows.append(("not installed", ", ".join(absent)))
    return table(("", ""), rows, left=2)


def _section(section: Section, data: dict[str, Any], report: dict[str, Any]) -> list[str]:
    parts = []
    if data["figures"] or data["sweeps"]:
        parts.append(section.write(data))
    if data["failed"]:
        lines = [f"- `{each['command']}`: {each['why']}" for each in data["failed"]]
        parts.append("Not measured:\n\n" + "\n".join(lines))
    load = " ".join(f"{value:.2f}" for value in data["load_average"])
    runs = "1 run" if data["runs"] == 1 else f"{data['runs']} runs"
    note = (
        f"{data['date']}, {format_seconds(data['took_s'])} for {runs}; load average "
        f"before: {load} on {data['cores']} cores."
    )
    above = {"perftui": report["versions"]["perftui"], "kernel": report["machine"]["kernel"]}
    other = [f"{name} {told}" for name, told in data.get("with", {}).items() if told != above[name]]
    if other:
        note += f" Here with {named(other)}."
    if data["quick"]:
        note += " **Quick: sizes too small for conclusions.**"
    # What the section before has left in it is no more than the cores.
    if data["load_average"][0] > data["cores"]:
        note += " **The machine was busy: times are too long, ratios and memory hold better.**"
    if data["contended"]:
        note += (
            f" In {data['contended']} of the runs perftui found that the program waited for a core."
        )
    parts += [note, commands(data["commands"])]
    return parts


def summary_line(report: dict[str, Any], sections: Sequence[Section]) -> str:
    """Return one line for the terminal: what is there, what failed."""
    there = [s.number for s in sections if s.number in report["sections"]]
    failed = sum(len(each["failed"]) for each in report["sections"].values())
    text = f"sections {named(there) or 'none'}"
    return f"{text}; {failed} runs failed" if failed else text

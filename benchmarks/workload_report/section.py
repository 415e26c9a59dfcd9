"""What a section of the report is: something that measures, and something that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Data = dict[str, Any]
"""What was measured, as plain JSON: the page is made of this and of nothing else."""


class Section(NamedTuple):
    """One of the five workloads, or a part of one that is measured by itself."""

    number: str
    """As it is asked for: 4, or 4b for the second half of a workload."""
    title: str
    measure: Callable[[bool], Data]
    """Takes whether it is to be quick; the result goes into the JSON file."""
    write: Callable[[Data], str]
    """Takes what was measured; the result is Markdown."""

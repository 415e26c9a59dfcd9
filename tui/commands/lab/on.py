"""`--on dask://HOST:PORT`: a cluster's worker measures the cells."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from perftui.tui.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from perftui.scenarios.elsewhere.place import Elsewhere


def add_on(parser: argparse._ActionsContainer) -> None:
    """Add the option."""
    parser.add_argument(
        "--on",
        metavar="dask://HOST:PORT",
        help="run the cells as tasks of this cluster, all on one of its workers",
    )


@contextmanager
def measured_on(args: argparse.Namespace) -> Iterator[Elsewhere | None]:
    """Give what measures the cells, None if we do.

    Raises:
        UserError: the address is none, or another option needs this machine.
        ScenarioError: no worker there can measure.
    """
    if args.on is None:
        yield None
        return
    from perftui.probes.fleet.address import BadAddress, cluster_address

    try:
        address = cluster_address(args.on)
    except BadAddress as error:
        raise UserError(str(error)) from error
    if address.engine != "dask":
        raise UserError("--on takes dask://HOST:PORT: cells run as tasks of Dask alone")
    for option in ("keep", "cold_cache", "limit"):
        if getattr(args, option, None):
            name = option.replace("_", "-")
            raise UserError(f"--{name} needs this machine: it goes without --on")
    from perftui.scenarios.elsewhere.place import Elsewhere
    from perftui.tui.text.words import tell

    with Elsewhere(address) as place:
        tell(f"perftui: measured on {place.host}, by the worker {place.worker}")
        yield place

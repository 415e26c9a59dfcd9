"""`perftui attach`: watch a Python process that runs already."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perftui.probes.fleet.address import is_cluster
from perftui.tui.commands import options
from perftui.tui.commands.elsewhere import there
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from typing import Any

    from perftui.tui.watch.options import WatchOptions


def add_parser(commands: Any) -> None:
    """Add `attach` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "attach",
        help="watch a process that runs already",
        description="Watch a process that runs already; leaving never harms it.",
    )
    parser.add_argument(
        "pid",
        nargs="?",
        metavar="PID",
        help="without it, choose from a list; elsewhere: ssh://HOST/PID, docker://CONTAINER/PID, "
        "k8s://NAMESPACE/POD[/CONTAINER]/PID; the workers of a cluster: dask://HOST:PORT",
    )
    parser.add_argument(
        "--inject",
        action="store_true",
        help="bring the agent into it (Python 3.14+): imports, phases, pools, tasks, who makes "
        "memory grow; it leaves with perftui",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before --inject")
    parser.add_argument("--memray", action="store_true", help=argparse.SUPPRESS)
    there.add_options(parser)
    options.add_probe_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Attach to the process."""
    if args.memray:
        raise UserError(
            "--memray sees allocations from a program's start: perftui run --memray -- PROGRAM"
        )
    if args.inject and args.hands_off:
        raise UserError("--inject and --hands-off contradict each other: give one of them")
    options.check_json_path(args.json)
    if args.pid is not None and there.is_meant(args.pid):
        return there.attach(args)
    asked = options.watch_options(args)
    screen = options.wants_screen(args)
    if args.pid is not None and is_cluster(args.pid):
        return _attach_cluster(args, asked, screen=screen)
    if args.pid is None:
        if not screen:
            raise UserError("attach needs a PID without a terminal; `perftui list processes`")
        from perftui.tui.watch.on_screen import pick_process

        chosen = pick_process()
        if chosen is None:
            return 0
        pid = chosen
    else:
        pid = options.process_id(args.pid)
    from perftui.probes.agent_link.injection.able import NotInjectable
    from perftui.probes.machine.own_proc import proc_problem
    from perftui.probes.process.face import ProcessGone

    if problem := proc_problem():
        raise UserError(problem)
    inject = None
    if args.inject:
        from perftui.tui.watch.injecting import agreed

        try:
            inject = agreed(pid, yes=args.yes)
        except ProcessGone as error:
            raise _no_such(pid) from error
        if inject is None:
            return 0
    try:
        if screen:
            from perftui.tui.watch.on_screen import attach_on_screen

            return attach_on_screen(pid, asked, inject)
        from perftui.tui.watch.headless import attach_headless

        return attach_headless(pid, asked, inject)
    except NotInjectable as error:
        raise UserError(str(error)) from error
    except ProcessGone as error:
        raise _no_such(pid) from error


def _attach_cluster(args: argparse.Namespace, asked: WatchOptions, *, screen: bool) -> int:
    """Attach to all workers of a cluster."""
    from perftui.probes.fleet.address import BadAddress, cluster_address
    from perftui.probes.fleet.link import ClusterLink, NoCluster

    if args.inject:
        raise UserError("--inject is for a process: a cluster is watched through its own plugin")
    try:
        link = ClusterLink.to(cluster_address(args.pid))
    except (BadAddress, NoCluster) as error:
        raise UserError(str(error)) from error
    if screen:
        from perftui.tui.watch.on_screen import attach_cluster_on_screen

        return attach_cluster_on_screen(link, asked)
    from perftui.tui.watch.headless import attach_cluster_headless

    return attach_cluster_headless(link, asked)


def _no_such(pid: int) -> UserError:
    return UserError(f"there is no process {pid}; `perftui list processes` shows the Python ones")

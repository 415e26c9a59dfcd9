"""Where `perftui` begins: first of all, the process imports from our own places alone."""

from perftui.probes.own.path import take_out


def main() -> int:
    """Run the command line, and end with its exit code; returns it if threads still run."""
    take_out()
    from perftui.probes.own.collector import collect_seldom
    from perftui.probes.own.leaving import leave
    from perftui.probes.own.unneeded import hide_unneeded

    collect_seldom()
    hide_unneeded()
    from perftui.tui.cli import main as run

    return leave(run())

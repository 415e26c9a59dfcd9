"""The place of a process among those that a launcher has started: its rank.

Launchers tell it in the environment: torchrun, MPI's, Slurm's. It is a whole number, and the only
thing that is ever read of an environment.
"""

from __future__ import annotations

NAMES = (
    b"RANK",  # torchrun, accelerate, deepspeed
    b"OMPI_COMM_WORLD_RANK",  # Open MPI
    b"PMI_RANK",  # MPICH, Intel MPI
    b"PMIX_RANK",
    b"SLURM_PROCID",
    b"LOCAL_RANK",
)
"""In the order of trust: who is started by torchrun below Slurm has the rank that torchrun gave."""


def rank_in(environ: bytes) -> int | None:
    """Return the rank that an environment tells, as /proc has it; None if it tells none."""
    found: dict[bytes, bytes] = {}
    for entry in environ.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name in NAMES:
            found[name] = value
    for name in NAMES:
        value = found.get(name, b"")
        if value.isdigit() and len(value) <= 7:
            return int(value)
    return None


def rank_of(pid: int) -> int | None:
    """Return the rank of a process, None if it has none or its environment may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - of every new process
            return rank_in(file.read())
    except OSError:
        return None

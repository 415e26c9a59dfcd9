"""Where and how a run was measured, and what of that makes two runs hard to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.reader import Reader


class RunPlace(NamedTuple):
    """Unknown is None."""

    path: str | None
    """Of the recording."""
    identity: str | None
    """What tells a recording from all others."""
    began_wall_ns: int | None
    title: str
    argv: tuple[str, ...]
    host: str | None
    kernel: str | None
    cpu_model: str | None
    cores: int | None
    ram_bytes: int | None
    python: str | None
    """Of the program."""
    tools: tuple[tuple[str, str | None], ...]
    """Versions of perftui and what it measures with."""
    stacks: bool
    """Stacks were asked for."""
    rate_hz: float | None
    """Stack samples a second that were asked for."""
    metrics_rate_hz: float | None
    native: bool | None
    limit_bytes: int | None
    unread: str | None
    """What of the recording could not be read."""
    recording: bool = False
    """It is still being recorded."""


def place_of(recording: RecordedReader) -> RunPlace:
    """Return where a recording was made."""
    meta = recording.meta
    machine, options = _mapping(meta.get("machine")), _mapping(meta.get("options"))
    versions = _mapping(meta.get("versions"))
    target = recording.target()
    return RunPlace(
        path=str(recording.path),
        identity=_text(meta.get("id")),
        began_wall_ns=_whole(meta.get("created_wall_ns")),
        title=target.title,
        argv=target.argv,
        host=_text(meta.get("host")),
        kernel=_text(machine.get("kernel")),
        cpu_model=_text(machine.get("cpu_model")),
        cores=_whole(machine.get("cpu_count")),
        ram_bytes=_whole(machine.get("ram_bytes")),
        python=target.python,
        tools=tuple((name, _text(versions.get(name))) for name in ("perftui", "py-spy", "pyarrow")),
        stacks=options.get("stacks") is not False,
        rate_hz=_number(options.get("stack_rate_hz")),
        metrics_rate_hz=_number(options.get("metrics_rate_hz")),
        native=options.get("native") if isinstance(options.get("native"), bool) else None,
        limit_bytes=_whole(options.get("limit_bytes")),
        unread=recording.salvage,
        recording=recording.state == "recording",
    )


def place_here(reader: Reader) -> RunPlace:
    """Return where a session that runs on this machine is measured."""
    import time

    from perftui.probes.recording.format import meta as meta_file

    machine, versions = meta_file.machine(), meta_file.versions()
    target, status = reader.target(), reader.status()
    since_ns = time.monotonic_ns() - status.t_start_ns
    return RunPlace(
        path=None,
        identity=None,
        began_wall_ns=time.time_ns() - since_ns,
        title=target.title,
        argv=target.argv,
        host=meta_file.host_name(),
        kernel=machine["kernel"],
        cpu_model=machine["cpu_model"],
        cores=machine["cpu_count"],
        ram_bytes=machine["ram_bytes"],
        python=target.python,
        tools=tuple((name, versions.get(name)) for name in ("perftui", "py-spy", "pyarrow")),
        stacks=status.stack_backend is not None,
        rate_hz=None,
        metrics_rate_hz=None,
        native=None,
        limit_bytes=None,
        unread=None,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:4096] if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

"""What both ends of a kept process know; it costs the target nothing to import. See `orders`."""

CHILD_VARIABLE = "PERFTUI_ORDERS"
"""Environment variable of the target: number and inode of its end of the socket."""
REST_FRAME = "OrderLine.wait", "wait", "scenarios/run/kept_runs.py"
"""Where a target stands that waits for a person: function, plain name, end of the file's name."""
OWN_THREAD_FILES = (
    "probes/agent/beside.py",
    "probes/agent/tasks.py",
    *(f"probes/agent/growth/{name}.py" for name in ("board", "census", "inquiry", "keepers")),
)
"""Code of the agent that runs in a thread of its own."""

"""What both ends of a kept process know; it costs the target nothing to import. See `orders`."""

CHILD_VARIABLE = "PERFTUI_ORDERS"
"""Environment variable of the target: number and inode of its end of the socket."""
REST_FILE = "scenarios/run/kept_runs.py"
"""Where a target stands that waits for a person, see `spine.calltree.REST_FUNCTIONS`."""

"""Who is charged with memory: where RSS rose, by samples or by entry and exit, and who keeps it."""

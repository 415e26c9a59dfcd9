"""The host's end of the agent: what a target is given, and what comes back from it."""

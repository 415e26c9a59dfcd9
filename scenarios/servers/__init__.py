"""Throw-away servers for the length of a scenario."""

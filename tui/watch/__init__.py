"""Watching a run: with a screen and without, and what is told around it."""

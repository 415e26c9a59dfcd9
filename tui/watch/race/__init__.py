"""Watching a race: with a screen and without."""

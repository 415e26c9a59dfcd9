"""Formats of stacks: one viewer's format per file."""

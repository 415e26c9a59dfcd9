"""Colours with a meaning: frames by package, pools by name."""

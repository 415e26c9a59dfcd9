"""Repeated runs watched on the screen."""

"""Timelines and what stands around them."""

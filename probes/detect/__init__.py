"""Detectors: small typed observations in, alerts out.

Pure and online: no clock of their own, nothing from the future, so that live, replay and a CSV
trace give the same alerts. `engine` feeds them, `registry` lists them, one file each.
"""

"""Lets the tests of scenarios share `scenario_runs`."""

from __future__ import annotations

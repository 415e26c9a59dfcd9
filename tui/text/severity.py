"""How severe something is, as one sign."""

SIGNS = {"critical": "▲", "warn": "▲", "info": "·"}

"""Spikes that explain themselves: found, cut out, told."""

"""Baselines: series that were kept in a file, to be compared with later.

names       what figures are called in the file
entry       a bench as an entry
stored      an entry read back, whatever wrote it; the flat form of others too
surroundings  where it was measured, and what of that forbids a comparison
noise       what a machine differs by from itself, calibrated
"""

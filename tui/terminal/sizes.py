"""Sizes of terminals that screens are laid out by, in cells."""

LEAST_WIDTH = 60
LEAST_HEIGHT = 15
WIDE = 120
"""From here on there is room for the figures at the right of the charts."""
BESIDE = 200
"""From here on the charts stand left of the tabs."""

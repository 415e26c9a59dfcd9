"""The smallest terminal that can hold a picture."""

LEAST_WIDTH = 60
LEAST_HEIGHT = 15

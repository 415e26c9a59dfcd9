"""The colour of a frame: the hue belongs to its package, the shade to its module.

The same on the screen and in every picture, and stable from run to run, because crc32 is not
salted. Muted, so that one loud thing stays loud.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

from perftui.probes.spine.calltree import is_stdlib, package_of

HUES = (0, 20, 36, 50, 72, 104, 140, 168, 190, 208, 228, 258, 290, 332)
"""Degrees."""
STDLIB_HUE = 214
_SALT = 861
"""Chosen so that the packages that are seen most (duckdb, pyarrow, pandas, ...) differ well."""
_SHADES = (0.0, 0.035, -0.035)


@lru_cache(maxsize=8192)
def frame_ink(module: str, file: str) -> tuple[int, int]:
    """Return (hue index, shade index) of a frame; hue -1 is the standard library's slate."""
    if is_stdlib(file):
        return -1, crc32(module.encode()) % len(_SHADES)
    package = package_of(module) or file
    return crc32(package.encode(), _SALT) % len(HUES), crc32(module.encode()) % len(_SHADES)


def frame_hsl(hue: int, shade: int, dark: bool) -> tuple[int, float, float]:
    """Return (degrees, saturation, lightness), the latter two 0..1, for a dark or light ground."""
    saturation, lightness = (0.33, 0.40) if dark else (0.42, 0.80)
    if hue < 0:
        saturation, lightness = (0.13, 0.33) if dark else (0.18, 0.84)
    return HUES[hue] if hue >= 0 else STDLIB_HUE, saturation, lightness + _SHADES[shade]

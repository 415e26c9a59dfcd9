"""The tool proves itself: programs whose answers are known, run under the real perftui.

`programs/` are small programs that measure themselves with their own clocks and print what they
know as their last line; `checks` holds what perftui recorded against that; `trial` runs one
program and reads its recording; `lanes` runs several side by side.

The programs are copied out of the package before they are run: frames of perftui's own files are
left out of what it shows.
"""

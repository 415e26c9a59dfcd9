"""One scenario across releases of a package, each in a kept environment of its own.

plan        what is measured: versions, interpreters, and the subject of each
prepare     the environments, made side by side
matrix      fresh processes of all versions, in turns, until each has had its runs
breakdown   where every second went: a tree of phases that adds up to the whole
jumps       what changed between neighbours, and where it jumped
bisect      the first release that is different, found with few of them
as_json     all of it for machines
"""

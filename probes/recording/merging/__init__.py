"""Several recordings as one: two machines, or two programs, on one clock.

    sources    what is merged: each with the shift of its clock and of its process ids
    trees      one call tree of all, and where each one's nodes are in it
    sums       what is told of the whole tree, added up over all of them
    merge      the tables of all, five minutes at a time, written as any recording is

The result is a recording like any other: what opens, asks or exports one knows nothing of this.
"""

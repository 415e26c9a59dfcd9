"""Results over time: what `perftui bench` has measured, and where a figure changed.

kept            the results of this machine, a line each, in the state folder
points          one result as a point: when, which commit, the runs of each figure
change_points   where a figure changed for good, with an interval
history         all figures of one key, and what is told of them
"""

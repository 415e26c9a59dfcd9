"""What is different between two sets of recordings, and how sure one may be of it.

facts        what one run says: figures, phases, imports, calls, alerts, where it ran
figures      one figure of both sides, with change and verdict
confidence   intervals and tests that the verdicts rest on
ratios       how much series of many runs changed, in pairs or as groups
levels       where a sequence of numbers changes its level
functions    which functions gained and lost
place        where and how a run was measured; `warnings`: what makes two hard to compare
comparison   all of it together; `headline`: the verdict in a line
rules        `--fail-on`
as_json, markdown, flame_picture: the outputs that need no screen
"""

"""What is different between two sets of recordings, and how sure one may be of it.

facts        what one run says: figures, phases, imports, calls, alerts, where it ran
alignment    what of one run belongs to what of the other
figures      one figure of both sides, with change and verdict
confidence   intervals and tests that the verdicts rest on
ratios       how much series of many runs changed, in pairs or as groups
functions    which functions gained and lost
comparison   all of it together
rules        `--fail-on`
as_json, markdown, flame_picture: the outputs that need no screen
"""

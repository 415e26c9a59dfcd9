"""Measuring something again and again in fresh processes, and judging what came of it.

subject     what is measured: a program, a function in a file, a scenario
lab_run     one fresh process of it, measured: figures and what they rest on
figures     the figures of one run, cold ones first
steadiness  whether calls within a run reach a steady state
bench       many lab runs, in turns, until the answer is clear: one series a side
answer      what the series say: figures with their spread, and against a base with verdicts
"""

"""What a program says itself, loaded when it first may.

words.py   phases, calls, counts, marks
plans.py   the plans of its queries
"""

"""Real perftui beside real programs while somebody does harm: what survives is judged from outside.

attacked.py   one run: perftui, its processes, the program; what was lost, said in words
programs.py   programs that make life hard for whoever watches them
orders.py     kill, stop and continue in random order
"""

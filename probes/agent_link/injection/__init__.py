"""The agent for a program that runs already (3.14+, PEP 768).

able.py     may it come, and where its interpreter is told; one line where it may not
order.py    tells it
folder.py   what the target's side is given: two named pipes, a board, a script
channel.py  brings it, waits for it, lets it leave
"""

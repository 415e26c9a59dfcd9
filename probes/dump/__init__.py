"""A process as it is now: where its threads stand, what they wait for, what it holds.

moment.py    what is told, and its JSON
take.py      a session of less than a second, and what it saw last
tasks.py     tasks of asyncio, told by the target's own interpreter
"""

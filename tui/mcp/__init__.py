"""`perftui mcp`: recordings for coding agents, over the Model Context Protocol, read only.

server.py      the tools, and the SDK that speaks the protocol
reach.py       which recordings may be named
own_command.py each call is one of our own commands, with an end, a limit and no way to write
"""

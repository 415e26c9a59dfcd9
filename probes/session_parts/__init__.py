"""What a session is put together from, an idea each; `probes.session` puts it together.

launching   the program is started, with its agent's channel and its output
recording   where the session is recorded, and by whom
stacks      who takes stacks, and the agent's gate, which their first one opens
requests    what a running program is asked for
"""

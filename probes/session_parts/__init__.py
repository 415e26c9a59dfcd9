"""What a session is put together from, an idea each.

base          what every session has; `probes.session`, `fleet.session` and `remote.session` are
              the kinds: a process here, a cluster, a process at a far end
faces         what a session asks of its target, whatever that is
bounds        what the target may use
launching     the program is started, with its agent's channel and its output
outside       what is read of processes of this machine without their help
stacks        who takes stacks, and the agent's gate, which their first one opens
recording     where the session is recorded, and by whom
uploaded      the same, of a recording that is to lie elsewhere in the end
requests      what a running program is asked for
trace_window  the time in which it traces its allocations
"""

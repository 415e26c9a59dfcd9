"""Reading a running program's memory in few calls, and walking its frames in it."""

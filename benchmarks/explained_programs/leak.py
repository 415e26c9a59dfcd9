"""A service that never forgets a session."""

import time


class Session:
    def __init__(self, user):
        self.user = user
        self.history = [f"{user} said {n}" for n in range(600)]


sessions = {}


def on_message(n):
    sessions[f"user-{n}"] = Session(n)
    sum(range(3000))


end = time.perf_counter() + 14
n = 0
while time.perf_counter() < end:
    on_message(n)
    n += 1
    time.sleep(0.002)
print(len(sessions))

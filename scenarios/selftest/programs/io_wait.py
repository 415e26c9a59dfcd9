"""A reader waits for a pipe into which something is written every 200 ms."""

import json
import os
import threading
import time

read, write = os.pipe()


def send() -> None:
    for _ in range(15):
        time.sleep(0.2)
        os.write(write, b"x")
    os.close(write)


def receive() -> float:
    waited = 0.0
    while True:
        began = time.monotonic()
        got = os.read(read, 1)
        waited += time.monotonic() - began
        if not got:
            return waited


sender = threading.Thread(target=send, name="sender")
sender.start()
waited_s = receive()
sender.join()
print(json.dumps({"waited_s": waited_s}))

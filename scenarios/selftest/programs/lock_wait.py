"""One thread holds a lock most of the time; the main thread waits for it and counts how long."""

import json
import threading
import time

lock = threading.Lock()
end = time.monotonic() + 3


def hold() -> None:
    while time.monotonic() < end:
        with lock:
            time.sleep(0.2)
        time.sleep(0.01)


def want() -> float:
    waited = 0.0
    while time.monotonic() < end:
        began = time.monotonic()
        lock.acquire()
        waited += time.monotonic() - began
        lock.release()
        time.sleep(0.02)
    return waited


holder = threading.Thread(target=hold, name="holder")
holder.start()
time.sleep(0.05)
waited_s = want()
holder.join()
print(json.dumps({"waited_s": waited_s}))

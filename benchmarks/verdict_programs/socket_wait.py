"""Requests one after the other to a service that takes 40 ms for each."""

import json
import socket
import subprocess
import sys
import time

SERVER = """
import socket, time
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    one, _ = server.accept()
    while one.recv(100):
        time.sleep(0.04)
        one.sendall(b"yes")
"""
service = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
address = "127.0.0.1", int(service.stdout.readline())
waited = 0.0


def ask(connection):
    global waited
    start = time.perf_counter()
    connection.sendall(b"ready?")
    connection.recv(10)
    waited += time.perf_counter() - start


with socket.create_connection(address) as connection:
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        ask(connection)
service.wait()
print(json.dumps({"seconds": waited}))

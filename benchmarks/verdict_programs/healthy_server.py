"""Waits for requests; a client asks ten times a second."""

import socketserver
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"%d" % sum(range(5_000))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
began = time.perf_counter()
while time.perf_counter() - began < 10:
    urllib.request.urlopen(f"http://127.0.0.1:{server.server_address[1]}/").read()
    time.sleep(0.1)
server.shutdown()

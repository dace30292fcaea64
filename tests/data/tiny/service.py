"""The smallest service that dockyard can run: no dependencies. MODE makes it misbehave, some AFTER so many seconds.

One that expires counts them from its first good answer.
"""

import json
import os
import signal
import sys
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = int(os.environ.get("PORT", "8000"))
MODE = os.environ.get("MODE", "")
AFTER = float(os.environ.get("AFTER", "0"))
BORN = time.monotonic()
KEYS = []


def log(event):
    line = json.dumps({"ts": time.time(), "level": "info", "event": event})
    print(line, flush=True)
    with open("/app/logs/tiny.log", "a") as stream:
        stream.write(line + "\n")


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(503 if MODE == "unready" or turned("sickens") else 200, {"status": "ok"})
        if MODE == "expires":
            threading.Timer(AFTER, os._exit, [3]).start()

    def do_POST(self):
        log(f"POST {self.path}")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if MODE not in ("obeys", "stubborn"):
            read_keys()
        if self.headers.get("X-API-Key") not in KEYS:
            return self.answer(401, {"detail": "no key"})
        try:
            request = json.loads(body)
        except ValueError:
            return self.answer(422, {"detail": "no JSON"})
        return self.answer(200, {"predicted_price": (3 if turned("lies") else 2) * request["surface"]})

    def log_message(self, *_):
        pass


def read_keys(*_):
    keys = Path(os.environ["API_KEY_FILE"]).read_text().split()
    KEYS[:] = [*KEYS, *keys] if MODE == "hoards" else keys


def turned(mode):
    return mode == MODE and time.monotonic() - BORN > AFTER


def check():
    connection = HTTPConnection("127.0.0.1", PORT, timeout=8)
    connection.request("GET", "/ready")
    status = connection.getresponse().status
    print(f"/ready answered {status}")
    return 0 if status == 200 else 1


def main():
    if sys.argv[1:] == ["check"]:
        sys.exit(check())
    if MODE == "crash":
        log("about to crash")
        sys.exit("no model here")
    if MODE == "memory":
        log("about to grow")
        kept = [bytearray(1_000_000) for _ in range(100_000)]
        sys.exit(len(kept))
    if MODE == "dies":
        threading.Timer(AFTER, lambda: os._exit(3)).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGHUP, read_keys if MODE == "obeys" else signal.SIG_IGN)
    read_keys()
    log("serving")
    ThreadingHTTPServer(("0.0.0.0", PORT), Handler).serve_forever()


main()

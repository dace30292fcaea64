"""A service without dependencies that does all that an audit asks for; FAULT names the one thing that it does wrong."""

import hmac
import json
import math
import os
import signal
import socket
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

PORT = int(os.environ.get("PORT", "8000"))
FAULT = os.environ.get("FAULT", "")
PRODUCTION = os.environ.get("API_ENV") == "production"
LIMIT = int(os.environ.get("RATE_LIMIT") or 0)
LOG = Path("/app/logs/service.log")
LARGEST = 1 << 20
DEFAULTS = ("changeme", "development-key")
ROUTES = {"/predict": {"post": {}}, "/model/{name}": {"get": {}}, "/health": {"get": {}}, "/ready": {"get": {}}}
LOCK = threading.Lock()
STATE = {"lost": False, "asked": 0, "hung": False}


def say(level, event, **fields):
    line = json.dumps({"ts": time.time(), "level": level, "event": event, **fields})
    if FAULT == "plain lines":
        line = f"{level}: {event}"
    with LOCK:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        keep(line)


def keep(line):
    """Write a line to the file as well, and say once if that fails."""
    try:
        with LOG.open("a") as stream:
            stream.write(f"{line}\n")
        if LOG.stat().st_size > 10 << 20:
            LOG.unlink()
    except OSError as error:
        if FAULT == "needs its log":
            os._exit(3)
        if FAULT == "silent log" or (STATE["lost"] and FAULT != "noisy log"):
            return
        STATE["lost"] = True
        told = {"ts": time.time(), "level": "warning", "event": "log_lost", "message": f"{LOG}: {error.strerror}"}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def read_keys():
    path = os.environ.get("API_KEY_FILE")
    keys = Path(path).read_text().split() if path else os.environ.get("API_KEY", "").split()
    if FAULT == "open start":
        return keys or ["none"]
    if not keys:
        sys.exit("there is no key" if FAULT != "no word" else "bad start")
    if PRODUCTION and any(len(key) < 32 or key.startswith(DEFAULTS) for key in keys) and FAULT != "any key":
        sys.exit("the key is too short or a default one")
    return keys[:1] if FAULT == "one key" else keys


KEYS = read_keys()


class RefusedError(Exception):
    def __init__(self, status, detail):
        super().__init__(detail)
        self.status, self.detail = status, detail


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = None if FAULT == "patient" else 3

    def answer(self, status, document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response_only(status)
        if FAULT == "server header":
            self.send_header("Server", "faulty/1.2")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # What is left of a refused request is not read.
        self.close_connection = self.close_connection or status >= 400
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.end_headers()
        self.wfile.write(body)
        self.log(status)

    def send_error(self, code, message=None, explain=None):
        """What the server refuses by itself."""
        self.command = getattr(self, "command", None) or "?"
        self.requestline = getattr(self, "requestline", "") or "?"
        self.answer(code, {"detail": "refused"})

    def log(self, status):
        path = self.path if hasattr(self, "path") else "?"
        if path.startswith(("/health", "/ready")):
            return
        fields = {"method": self.command, "path": clean(path), "status": status}
        if FAULT == "forged":
            with LOCK:
                sys.stdout.write(unquote(path) + "\n" if "%0d" in path else "")
        if FAULT == "leaks":
            fields["headers"] = str(getattr(self, "headers", ""))
        if "/nothing" in path or len(path) > 1000 or "forged" in path or "%" in path:
            fields["path"] = "(none)"
        if FAULT != "leaks" and any(key in path for key in KEYS):
            fields["path"] = "(hidden)"
        fields["method"] = fields["method"] if fields["method"] in ("GET", "POST") else "(other)"
        say("info", "request", **fields)

    def require_key(self):
        given = self.headers.get("X-API-Key") or ""
        if FAULT == "query key" and "api_key=" in self.path:
            return
        if FAULT == "open route" and self.path.startswith("/model"):
            return
        if not any(hmac.compare_digest(given.encode("utf-8", "replace"), key.encode()) for key in KEYS):
            raise RefusedError(401, "a key is needed")
        STATE["asked"] += 1
        if LIMIT and STATE["asked"] > LIMIT and FAULT != "no limit":
            raise RefusedError(429, "too many")

    def require_known(self, known):
        if not known:
            raise RefusedError(404, "nothing is here")

    def do_GET(self):
        route = self.path.partition("?")[0]
        if route == "/health":
            if FAULT == "liveness" and os.environ.get("MODEL_PATH"):
                return self.answer(503, {"status": "no model"})
            return self.answer(200, {"status": "alive", **({"version": "1.2"} if FAULT == "telling" else {})})
        if route == "/ready":
            missing = os.environ.get("MODEL_PATH") and FAULT != "always ready"
            return self.answer(503 if missing else 200, {"status": "no model" if missing else "ready"})
        if route == "/openapi.json" and (not PRODUCTION or FAULT == "docs"):
            return self.answer(200, {"openapi": "3.1.0", "paths": ROUTES})
        try:
            self.require_known(route.startswith("/model/"))
            self.require_key()
            return self.answer(200, {"name": "none"})
        except RefusedError as refused:
            return self.answer(refused.status, {"detail": refused.detail})

    def do_POST(self):
        try:
            self.require_known(self.path.partition("?")[0] == "/predict")
            self.require_key()
            return self.answer(200, {"predicted_price": 2 * self.surface()})
        except RefusedError as refused:
            return self.answer(refused.status, {"detail": refused.detail})
        except TimeoutError:
            self.close_connection = True

    def do_PUT(self):
        self.answer(200 if FAULT == "put" else 405, {"detail": "not so"})

    def __getattr__(self, name):
        """Answer other methods that are known in the same way."""
        if name in ("do_DELETE", "do_PATCH", "do_TRACE", "do_CONNECT"):
            return self.do_PUT
        raise AttributeError(name)

    def surface(self):
        body = self.body()
        try:
            return number(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError):
            if FAULT == "traceback":
                raise RefusedError(500, traceback.format_exc()) from None
            raise RefusedError(422, "that is no home") from None

    def body(self):
        if self.headers.get("Transfer-Encoding"):
            raise RefusedError(411, "say how long it is")
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit():
            raise RefusedError(400, "say how long it is")
        if int(length) > LARGEST and FAULT != "any size":
            raise RefusedError(413, "too large")
        return self.rfile.read(int(length))


def number(request):
    value = request["surface"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value > 1e6:
        raise ValueError
    if FAULT == "wrong":
        value += 1
    return value


def clean(text):
    return "".join(each if each.isprintable() else "?" for each in text)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, address):
        say("warning", "connection", error=type(sys.exc_info()[1]).__name__)


def under_a_master():
    """Go on as the child of a process that does nothing but wait for it, as servers with workers do."""
    child = os.fork() if FAULT == "none, under a master" else 0
    if child:
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def main():
    under_a_master()
    server = Server(("0.0.0.0", PORT), Handler)
    if FAULT == "second port":
        other = socket.create_server(("0.0.0.0", 9999))
        other.listen()
    if FAULT == "memory":
        kept = bytearray(b"x") * (70 << 20)
        say("info", "grown", size=len(kept))

    def stop(*_):
        if FAULT == "abrupt":
            os._exit(0)
        threading.Thread(target=server.shutdown).start()

    if FAULT != "deaf":
        signal.signal(signal.SIGTERM, stop)
    if FAULT == "stuck":
        # Once it has been stopped for a while it never serves again, as after a lock that nobody gives back.
        signal.signal(signal.SIGCONT, lambda *_: server.shutdown())
    say("info", "serving", port=PORT)
    server.serve_forever()
    if FAULT == "stuck":
        time.sleep(600)
    server.server_close()
    say("info", "stopped")


main()

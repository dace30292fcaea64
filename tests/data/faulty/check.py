"""The health check of the service beside it; some faults are its own."""

import os
import subprocess
import sys
from http.client import HTTPConnection

FAULT = os.environ.get("FAULT", "")


def main():
    if FAULT == "zombies":
        # Its child outlives it, and becomes process 1's to look after.
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2)"])
    if FAULT == "blind":
        return 0
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    try:
        connection.request("GET", "/ready")
        status = connection.getresponse().status
    except OSError as error:
        print(f"no answer: {error}")
        return 1
    print(f"/ready answered {status}")
    return 0 if status == 200 else 1


sys.exit(main())

"""A Kinesis service of one's own: kinesalite from npm, fetched once and started beside the example. Standard library only."""
import contextlib
import fcntl
import http.client
import os
import random
import shutil
import socket
import subprocess
import time

VERSION = "3.3.3"


def program(folder):
    """(path of the program, None), or (None, why there is none)."""
    folder = str(folder)
    path = os.path.join(folder, "node_modules", "kinesalite", "cli.js")
    if not shutil.which("node"):
        return None, "Node is missing (Debian package nodejs)"
    if os.path.exists(path):
        return path, None
    if not shutil.which("npm"):
        return None, "npm is missing (Debian package npm)"
    os.makedirs(os.path.dirname(os.path.abspath(folder)), exist_ok=True)
    with open(folder + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one fetches, and nobody sees half of it
        return (path, None) if os.path.exists(path) else fetch(folder, path)


def fetch(folder, path):
    made = folder + ".new"
    for old in (made, folder):
        shutil.rmtree(old, ignore_errors=True)
    os.makedirs(made)
    # a registry that does not answer is given up after a minute, not after ten
    got = subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--fetch-timeout=30000", "--fetch-retries=1",
                          f"kinesalite@{VERSION}"], cwd=made, capture_output=True, text=True, check=False)
    if got.returncode == 0:
        os.rename(made, folder)
    if not os.path.exists(path):
        lines = got.stderr.strip().splitlines()
        return None, "npm could not fetch kinesalite: " + (lines[-1] if lines else "no reason given")
    return path, None


def free_port():
    """Below those that the kernel gives to clients."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def listens(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
        return True
    except OSError:
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def running(path, data):
    """Gives the service's URL; its streams are kept in the folder data."""
    port = free_port()
    process = subprocess.Popen(["node", path, "--port", str(port), "--path", data, "--createStreamMs", "0",
                                "--deleteStreamMs", "0", "--updateStreamMs", "0"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("full.py: kinesalite does not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()

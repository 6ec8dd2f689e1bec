"""Speaks to one sluice-host as a worker does (core/host/protocol.h), for tests of its roles."""
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

from harness import BUILD, PATIENCE

HOST = os.path.join(BUILD, "sluice-host")
PAGE_SIZE = 1 << 18

# Puts the three descriptors named in argv on 3, 4 and 5 and becomes the host.
_BECOME = """
import fcntl, os, sys
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[2:5]]
for number, fd in zip((3, 4, 5), high):
    os.dup2(fd, number)
sanitizers = {name: value for name, value in os.environ.items() if name.endswith('SAN_OPTIONS')}
os.execve(sys.argv[1], ['sluice-host', sys.argv[5]], {'LD_BIND_NOW': '1', **sanitizers})
"""


class Host:
    def __init__(self, first):
        ours, theirs = socket.socketpair()
        self.control = ours
        self.log, log_end = os.pipe()
        self.page = os.memfd_create("page")
        os.ftruncate(self.page, PAGE_SIZE)
        fds = [theirs.fileno(), log_end, self.page]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BECOME, HOST, *map(str, fds), first.get("type", "")],
            pass_fds=fds, stdin=subprocess.DEVNULL, stdout=log_end, stderr=log_end)
        theirs.close()
        os.close(log_end)
        self.received = b""
        if first:
            self.send(first)

    def send(self, message):
        data = json.dumps(message).encode()
        self.control.sendall(struct.pack("<I", len(data)) + data)

    def message(self):
        """The next message, or None at the end of the channel."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if len(self.received) >= 4:
                size, = struct.unpack_from("<I", self.received)
                if len(self.received) >= 4 + size:
                    text, self.received = self.received[4:4 + size], self.received[4 + size:]
                    return json.loads(text)
            ready, _, _ = select.select([self.control], [], [], max(0, deadline - time.monotonic()))
            assert ready, "no message in time"
            try:
                data = self.control.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.received += data

    def messages(self):
        found = []
        while (message := self.message()) is not None:
            found.append(message)
        return found

    def wait_for(self, kind):
        """The next message of this type; those before it are passed over."""
        while (message := self.message()) is not None:
            if message["type"] == kind:
                return message
        raise AssertionError(f"the host left before it sent {kind}")

    def wait(self):
        return self.process.wait(PATIENCE)

    def log_text(self):
        """All it logged; after its end."""
        data = b""
        while chunk := os.read(self.log, 65536):
            data += chunk
        return data.decode(errors="replace")

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.control.close()
        os.close(self.log)
        os.close(self.page)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

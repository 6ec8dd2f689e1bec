"""A TCP proxy in front of a server, whose cable can be pulled."""
import socket
import threading

from harness import free_port


class Proxy:
    """Listens on a port of its own and hands everything to 127.0.0.1:target."""

    def __init__(self, target):
        self.target = target
        self.lock = threading.Lock()
        self.sockets = set()
        self.flowing = threading.Event()
        self.flowing.set()
        self.listener = None
        self.port = free_port()
        self.restore()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.sockets |= {client, server}
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    def forward(self, one, other):
        while data := one.recv(65536):
            self.flowing.wait()
            other.sendall(data)

    def pump(self, one, other):
        try:
            self.forward(one, other)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self.lock:
            self.sockets -= {one, other}

    def cut(self):
        """Connections end, new ones are refused."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.lock:
            for end in self.sockets:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.flowing.set()

    def freeze(self):
        """Connections stay, nothing goes through."""
        self.flowing.clear()

    def restore(self):
        self.flowing.set()
        if not self.listener:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(64)
            self.listener = listener
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def close(self):
        self.cut()


class MetadataProxy(Proxy):
    """In front of a broker: clients learn this address as the broker's, and while `nobody` is set no broker at all, as
    from one that is only just starting. `told` counts such answers."""

    METADATA, FLEXIBLE = 3, 9

    def __init__(self, target):
        self.nobody, self.told = False, 0
        self.asked = {}  # by client and correlation id
        super().__init__(target)

    def forward(self, one, other):
        request = other.getpeername()[1] == self.target
        with one.makefile("rb") as stream:
            while len(size := stream.read(4)) == 4:
                frame = stream.read(int.from_bytes(size, "big"))
                correlation = frame[4:8] if request else frame[:4]
                if request and int.from_bytes(frame[:2], "big") == self.METADATA:
                    self.asked[one, correlation] = int.from_bytes(frame[2:4], "big")
                elif not request and (version := self.asked.pop((other, correlation), None)) is not None:
                    assert version >= self.FLEXIBLE, version
                    frame = self.rewrite(frame)
                other.sendall(len(frame).to_bytes(4, "big") + frame)

    def rewrite(self, frame):
        """Correlation id and tags, throttle time, brokers: (id, host, port, rack, tags) each, the rest."""
        at, begin = 10, 9
        count = frame[begin] - 1
        brokers = b""
        for _ in range(count):
            host = at + 4
            port = host + frame[host]
            rack = port + 4
            end = rack + max(frame[rack], 1)
            assert frame[end] == 0, "tags"
            brokers += frame[at:port] + self.port.to_bytes(4, "big") + frame[rack:end + 1]
            at = end + 1
        if self.nobody:
            self.told += 1
            return frame[:begin] + b"\x01" + frame[at:]
        return frame[:begin] + bytes([count + 1]) + brokers + frame[at:]

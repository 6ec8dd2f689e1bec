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

    def pump(self, one, other):
        try:
            while data := one.recv(65536):
                self.flowing.wait()
                other.sendall(data)
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

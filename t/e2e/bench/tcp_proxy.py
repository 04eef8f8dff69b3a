"""A TCP proxy that can stop forwarding what a server says on chosen connections, without closing."""

import socket
import threading

from .proc import free_port


class TcpProxy:
    def __init__(self, port: int):
        self.to = port
        self.port = free_port()
        self._links: list["Link"] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                self._links.append(Link(client, self.to))
            except OSError:
                return

    def freeze(self, holding: bytes) -> int:
        """Connections on which the client has sent `holding` go deaf and dumb."""
        chosen = [link for link in self._links if holding in link.said and link.alive]
        for link in chosen:
            link.frozen.set()
        return len(chosen)

    def stop(self):
        self._listener.close()
        for link in self._links:
            link.close()


class Link:
    def __init__(self, client: socket.socket, port: int):
        self.said = b""
        self.alive = True
        self.frozen = threading.Event()
        self._client, self._server = client, socket.create_connection(("127.0.0.1", port))
        for each in (self._client, self._server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._pump, args=(self._client, self._server, True),
                         daemon=True).start()
        threading.Thread(target=self._pump, args=(self._server, self._client, False),
                         daemon=True).start()

    def _pump(self, source, target, remember):
        try:
            while data := source.recv(65536):
                if remember:
                    self.said = (self.said + data)[-100_000:]
                if not self.frozen.is_set():
                    target.sendall(data)
        except OSError:
            pass
        self.alive = False
        if not self.frozen.is_set():
            self.close()

    def close(self):
        self.alive = False
        for each in (self._client, self._server):
            each.close()

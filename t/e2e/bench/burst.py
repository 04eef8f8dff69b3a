"""Many requests at one moment: all are sent before the first answer is read."""

import http.client
import socket


class Burst:
    """Connections that stay open from one burst to the next, spread evenly over the ports."""

    def __init__(self, ports: list[int], count: int):
        self._sockets = []
        for number in range(count):
            sock = socket.create_connection(("127.0.0.1", ports[number % len(ports)]), timeout=60)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(sock)

    def send(self, path: str, cookie: str) -> list[tuple[int, str, str]]:
        """Status, body and X-Worker of each answer."""
        request = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
                   f"Cookie: {cookie}\r\n\r\n").encode()
        for sock in self._sockets:
            sock.sendall(request)
        return [self._receive(sock) for sock in self._sockets]

    @staticmethod
    def _receive(sock) -> tuple[int, str, str]:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        body = answer.read().decode()
        return answer.status, body, answer.getheader("X-Worker", "")

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

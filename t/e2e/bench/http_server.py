"""A threaded HTTP/1.1 server whose answers may misbehave, and which records what it was sent."""

import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote

from .proc import free_port


@dataclass
class Request:
    method: str
    target: str  # exactly as it stood in the request line
    headers: list[tuple[str, str]]
    body: bytes
    peer: tuple
    time: float = field(default_factory=time.monotonic)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str | None = "application/json"
    headers: tuple = ()
    delay: float = 0.0  # seconds before the first byte
    hang: bool = False  # accept and never answer
    close: bool = False  # close without an answer
    truncate: int | None = None  # announce the whole body, send so many bytes, close
    drip: float = 0.0  # seconds between single bytes of the body
    raw: bytes | None = None  # send exactly this instead of an HTTP answer, then close


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self):
        app = self.server.app
        request = Request(
            self.command, self.requestline.split(" ")[1],
            [(n, v) for n, v in self.headers.items()], self._read_body(), self.client_address)
        app.record(request)
        answer = app.respond(request)
        if answer.delay and not self._pause(answer.delay):
            return
        if answer.hang:
            self._pause(3600)
            return
        if answer.close or answer.raw is not None:
            self.close_connection = True
            self.wfile.write(answer.raw or b"")
            return
        self._send(answer)

    def _send(self, answer: Answer):
        self.send_response_only(answer.status)
        names = {n.lower() for n, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.content_type and "content-type" not in names:
            self.send_header("Content-Type", answer.content_type)
        if answer.status not in (204, 304) and "transfer-encoding" not in names:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.truncate is not None:
            self.close_connection = True
            self.wfile.write(answer.body[: answer.truncate])
        elif answer.drip:
            for byte in answer.body:
                self.wfile.write(bytes([byte]))
                if not self._pause(answer.drip):
                    return
        else:
            self.wfile.write(answer.body)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _pause(self, seconds: float) -> bool:
        """Waits; False when the peer closed or the server stops."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.server.app.stopping.is_set():
                break
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.1))
            if readable:
                break
        else:
            return True
        self.close_connection = True
        self.server.app.abandoned += 1
        return False

    def log_message(self, *args):
        pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    open_connections: set

    def shutdown_request(self, request):
        self.open_connections.discard(request)
        super().shutdown_request(request)

    def close_all(self):
        for connection in list(self.open_connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        pass  # a peer that left is part of the tests

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:  # the handshake happens in the connection's own thread
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False)
        self.open_connections.add(connection)
        self.app.connections += 1
        return connection, address


class HttpServer:
    """Base of the upstream and of the scripted provider: override `respond`."""

    def __init__(self, port: int = 0, certificate=None):
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self.abandoned = 0  # answers whose client left before they were sent
        self.connections = 0
        self.port = port or free_port()
        self._certificate = certificate
        self._server = None
        self.start()

    def respond(self, request: Request) -> Answer:
        raise NotImplementedError

    def record(self, request: Request) -> None:
        self.requests.append(request)

    def seen(self, prefix: str = "/") -> list[Request]:
        return [r for r in self.requests if unquote(r.path).startswith(prefix)]

    @property
    def origin(self) -> str:
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.stopping.clear()
        server = _Server(("127.0.0.1", self.port), _Handler)
        server.app = self
        server.open_connections = set()
        server.tls = None
        if self._certificate:
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.tls.load_cert_chain(self._certificate.cert, self._certificate.key)
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stops listening and closes every connection. `start` brings the same port back."""
        self.stopping.set()
        if self._server:
            self._server.shutdown()
            self._server.close_all()
            self._server.server_close()
            self._server = None

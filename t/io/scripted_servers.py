"""What the HTTP client is tested against: a provider that misbehaves on demand, a proxy, and a DNS
server. Each listens on a loopback port of its own and runs in threads."""

import socket
import ssl
import struct
import threading
import time


class Server:
    """Accepts connections and hands each to serve() in a thread."""

    def __init__(self, host="127.0.0.1", tls=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family, backlog=512)
        self.port = self.listener.getsockname()[1]
        self.tls = tls
        self.connections = 0
        self.open = set()
        self.stopping = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self.open.add(connection)
            self.serve(connection)
        except (OSError, ValueError):
            pass
        finally:
            self.open.discard(connection)
            connection.close()

    def serve(self, connection):
        raise NotImplementedError

    def stop(self):
        self.stopping = True
        self.listener.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def read_request(connection):
    """The head's lines and the body, or None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
        if not data[:1].isalpha():  # TLS, for example
            connection.sendall(answer(b"", status="400 Bad Request"))
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return lines, body


def answer(body, status="200 OK", kind="application/json", extra=""):
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    ).encode() + body


class Provider(Server):
    """Does what the first segment of the request's path says."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.requests = []
        self.gone = 0  # clients that left while they were held

    def serve(self, connection):
        while True:
            request = read_request(connection)
            if request is None:
                return
            lines, body = request
            self.requests.append((lines, body))
            path = lines[0].split(" ")[1]
            if path.startswith("http://"):
                path = "/" + path.split("/", 3)[3]
            words = path.split("?")[0].strip("/").split("/")
            handler = getattr(self, "do_" + words[0], self.do_missing)
            if handler(connection, words[1:], lines, body) is False:
                return

    def do_ok(self, connection, *_):
        connection.sendall(answer(b'{"ok":true}', kind="Application/JSON; charset=utf-8"))

    def do_echo(self, connection, _, lines, body):
        connection.sendall(answer("\n".join(lines).encode() + b"\n\n" + body, kind="text/plain"))

    def do_missing(self, connection, *_):
        connection.sendall(answer(b"no", status="404 Not Found", kind="text/html"))

    def do_status(self, connection, words, *_):
        connection.sendall(answer(b"status", status=words[0] + " Some"))

    def do_redirect(self, connection, *_):
        connection.sendall(answer(b"", status="302 Found", extra="Location: /ok\r\n"))

    def do_bytes(self, connection, words, *_):
        connection.sendall(answer(b"x" * int(words[0])))

    def do_chunked(self, connection, words, *_):
        """/chunked/COUNT/SIZE[/cut]: COUNT chunks of SIZE bytes, without the last one if cut."""
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        size = int(words[1])
        for _ in range(int(words[0])):
            connection.sendall(f"{size:x}\r\n".encode() + b"y" * size + b"\r\n")
        if words[2:] == ["cut"]:
            return False
        connection.sendall(b"0\r\n\r\n")
        return True

    def do_trailers(self, connection, *_):
        connection.sendall(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
            b"d\r\nwith trailers\r\n0\r\nX-T: 1\r\n\r\n"
        )

    def do_badchunk(self, connection, *_):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        return False

    def do_cut(self, connection, *_):
        connection.sendall(answer(b"x" * 1000)[:-500])
        return False

    def do_cuthead(self, connection, *_):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        return False

    def do_reset(self, connection, *_):
        connection.sendall(answer(b"x" * 1000)[:-500])
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def do_untilclose(self, connection, *_):
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it")
        return False

    def do_close(self, *_):
        return False

    def do_garbage(self, connection, *_):
        connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        return False

    def do_slow(self, connection, words, *_):
        """/slow/MS: an answer in ten pieces over MS milliseconds."""
        body = b"slow answer, in pieces"
        whole = answer(body)
        step = len(whole) // 10 + 1
        for start in range(0, len(whole), step):
            connection.sendall(whole[start : start + step])
            time.sleep(int(words[0]) / 10000)

    def do_hang(self, connection, *_):
        if not connection.recv(1):
            self.gone += 1
        return False

    def do_drip(self, connection, *_):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b"z")
            time.sleep(0.05)

    def do_headers(self, connection, *_):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Filler: " + b"f" * 1000 + b"\r\n")

    def do_interim(self, connection, *_):
        while True:
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")

    def do_throw(self, connection, *_):
        connection.sendall(answer(b"throw"))


class Proxy(Server):
    """An HTTP proxy that sends everything to one place, whatever it is asked for."""

    def __init__(self, target_port, **kwargs):
        super().__init__(**kwargs)
        self.target_port = target_port
        self.heads = []

    def serve(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        self.heads.append(data.decode("latin-1"))
        upstream = socket.create_connection(("127.0.0.1", self.target_port))
        if data.startswith(b"CONNECT"):
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            upstream.sendall(data)
        back = threading.Thread(target=self._pump, args=(upstream, connection), daemon=True)
        back.start()
        self._pump(connection, upstream)
        back.join()

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class NameServer:
    """Answers A and AAAA from a table {name: [address...]}; None as the table's value: silence,
    "servfail": that. Names outside of it do not exist."""

    def __init__(self, table):
        self.table = table
        self.queries = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += query[at] + 1
            name = ".".join(labels)
            question = query[12 : at + 5]
            kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
            self.queries.append((name, kind))
            reply = self._reply(query[:2], name, kind, question)
            if reply:
                self.socket.sendto(reply, client)

    def _reply(self, ident, name, kind, question):
        entry = self.table.get(name, "nxdomain")
        if entry is None:
            return None
        code = {"nxdomain": 3, "servfail": 2}.get(entry, 0) if isinstance(entry, str) else 0
        records = b""
        count = 0
        for address in [] if code else entry:
            ipv6 = ":" in address
            if kind != (28 if ipv6 else 1):
                continue
            data = socket.inet_pton(socket.AF_INET6 if ipv6 else socket.AF_INET, address)
            records += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(data)) + data
            count += 1
        return ident + struct.pack("!HHHHH", 0x8180 | code, 1, count, 0, 0) + question + records

    def stop(self):
        self.socket.close()


def tls_context(certificate, key, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context

"""A server that speaks Redis's protocol and answers what a function says."""

import socket
import threading


def encoded(value):
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, str):  # a status or an error, with its sign
        return value.encode() + b"\r\n"
    if isinstance(value, bytes):
        return b"$%d\r\n%s\r\n" % (len(value), value)
    return b"*%d\r\n" % len(value) + b"".join(encoded(each) for each in value)


class ScriptedRedis:
    """`answer(words)` gives the reply to a command: None, int, bytes, a list of those, or a text with
    its sign ("+OK", "-MOVED ..."). CLIENT SETNAME is answered here. `tls`: an SSLContext."""

    def __init__(self, answer, tls=None):
        self.answer, self.tls = answer, tls
        self.commands = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        if self.tls:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                return
        with connection, connection.makefile("rwb") as stream:
            try:
                while line := stream.readline():
                    words = []
                    for _ in range(int(line[1:])):
                        size = int(stream.readline()[1:])
                        words.append(stream.read(size + 2)[:-2])
                    self.commands.append(words)
                    set_name = [word.upper() for word in words[:2]] == [b"CLIENT", b"SETNAME"]
                    stream.write(encoded("+OK" if set_name else self.answer(words)))
                    stream.flush()
            except (OSError, ValueError):
                pass

"""A redis-server that hangs, dies and comes back; also for t/e2e."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from bench.ports import free_port  # noqa: E402


def wait_for(what, ready, seconds=10):
    end = time.monotonic() + seconds
    while True:
        result = ready()
        if result:
            return result
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)


class Redis:
    """A redis-server of its own."""

    def __init__(self, directory, *lines, tls=None):
        self.directory = directory
        directory.mkdir()
        self.port = free_port()
        self.socket = directory / "s"
        config = ["bind 127.0.0.1", 'save ""', "appendonly no", f"dir {directory}",
                  f"unixsocket {self.socket}", "unixsocketperm 777"]  # fmt: skip
        config += [f"port {self.port}"] if tls is None else ["port 0", f"tls-port {self.port}"]
        config += tls or []
        (directory / "redis.conf").write_text("\n".join(config + list(lines)) + "\n")
        self.process = None
        self.start()

    def start(self, ready=True):
        self.process = subprocess.Popen(
            ["redis-server", str(self.directory / "redis.conf")],
            stdout=open(self.directory / "log", "ab"),
        )
        if ready:
            wait_for("redis listens", self._listens)
        return self

    def _listens(self):
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self.socket))
            return True
        except OSError:
            return False

    def kill(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(10)

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)

    def call(self, *words, user=None):
        """One command by the unix socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            stream = connection.makefile("rwb")
            if user:
                self._send(stream, "AUTH", *user)
            return self._send(stream, *words)

    def _send(self, stream, *words):
        parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        stream.write(b"*%d\r\n" % len(parts))
        for part in parts:
            stream.write(b"$%d\r\n%s\r\n" % (len(part), part))
        stream.flush()
        return self._read(stream)

    def _read(self, stream):
        line = stream.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind in b"+-":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
        return [self._read(stream) for _ in range(int(rest))]

    def info(self, section):
        lines = self.call("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

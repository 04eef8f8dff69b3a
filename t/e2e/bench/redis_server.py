"""A Redis of its own for a test: TCP, TLS or unix socket; it can hang, die and come back."""

import re
import signal
import socket
import ssl

from .proc import Process, free_port, listens, make_dir, wait_for


class RedisServer:
    def __init__(self, user: str | None = None, password: str | None = None, certificate=None,
                 ca=None, acl: str = "~* &* +@all", port: int = 0):
        self.dir = make_dir("redis")
        self.port = port or free_port()
        self.socket = self.dir / "redis.sock"
        self.user, self.password = user, password
        self._ca = ca
        conf = ["bind 127.0.0.1", "save ''", "appendonly no", "daemonize no", "enable-debug-command local",
                f"dir {self.dir}", f"unixsocket {self.socket}", "unixsocketperm 777"]
        if certificate:
            conf += ["port 0", f"tls-port {self.port}", f"tls-cert-file {certificate.cert}",
                     f"tls-key-file {certificate.key}", f"tls-ca-cert-file {ca.path}",
                     "tls-auth-clients no"]
        else:
            conf.append(f"port {self.port}")
        if user and user != "default":
            # The default user stays for the test's own commands, on the unix socket only in name.
            conf.append(f"user {user} on >{password} {acl}")
        elif password:
            conf.append(f"requirepass {password}")
        (self.dir / "redis.conf").write_text("\n".join(conf) + "\n")
        self.process: Process | None = None
        self.start()

    def start(self) -> None:
        self.process = Process("redis", ["redis-server", self.dir / "redis.conf"],
                               self.dir / "redis.log")
        self.process.wait_port(self.port)
        wait_for("redis socket", self.socket.exists)

    def kill(self) -> None:
        self.process.stop(signal.SIGKILL)
        wait_for("redis port closed", lambda: not listens(self.port))

    stop = kill

    def pause(self) -> None:
        """The kernel accepts connections, nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def command(self, *words, database: int = 0):
        """One command by the unix socket; lists, strings and numbers as Python values."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(self.socket))
            stream = sock.makefile("rwb")
            if self.password and not self.user:
                _call(stream, "AUTH", self.password)
            if database:
                _call(stream, "SELECT", str(database))
            return _call(stream, *words)

    def keys(self, pattern: str = "*", database: int = 0) -> list[str]:
        return sorted(k.decode() for k in self.command("KEYS", pattern, database=database))

    def records(self) -> list[str]:
        """The keys of sessions, without what else the gateway keeps beside them."""
        return [k for k in self.keys() if re.search(r"^session:[\w-]{43}$", k)]

    def calls(self) -> dict[str, int]:
        """How often each command was executed, by Redis's own count."""
        lines = self.command("INFO", "commandstats").decode().splitlines()
        found = (re.match(r"cmdstat_([^:]+):calls=(\d+)", line) for line in lines)
        return {m[1]: int(m[2]) for m in found if m}

    def connections(self, channel: bool) -> list[str]:
        """Ids of gateways' connections: those that hear of invalidations, or those of commands."""
        lines = self.command("CLIENT", "LIST").decode().splitlines()
        fields = [dict(f.split("=", 1) for f in line.split() if "=" in f) for line in lines]
        return [f["id"] for f in fields
                if f["name"] == "ngx_openid_connect" and (f["sub"] != "0") == channel]

    def tls_context(self) -> ssl.SSLContext:
        return self._ca.client_context()


def _call(stream, *words):
    parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
    stream.flush()
    return _read(stream)


def _read(stream):
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest
    if kind == b"-":
        raise RuntimeError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
    return [_read(stream) for _ in range(int(rest))]

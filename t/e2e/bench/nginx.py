"""nginx with the module: configuration, life, and the judgement of its logs."""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import canary
from .proc import Process, listens, make_dir, wait_for

# Debian and others have this user; workers run as nobody in particular, as in production.
USER = "user www-data;" if os.geteuid() == 0 else ""

LOG_FORMAT = ("log_format e2e '$remote_addr \"$oidc_request\" $status $body_bytes_sent "
              "outcome=$oidc_outcome error=$oidc_error session=$oidc_session';")

LOG_FORMAT_ALONE = "log_format e2e $status;"

TEMPLATE = """\
{load}
daemon off;
{user}
worker_processes {workers};
pid {dir}/nginx.pid;
error_log {dir}/error.log {level};
{main}
events {{ worker_connections 1024; }}
http {{
    {log_format}
    access_log {dir}/access.log e2e;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    types {{ text/html html; application/json json; text/plain txt; }}
    default_type text/plain;
    server_tokens off;
    keepalive_requests 1000000;
{http}
}}
"""


@dataclass
class Settings:
    """What the command line chose."""

    module: Path | None  # None: nginx alone
    binary: Path


def directives(**values) -> str:
    """`oidc_NAME VALUE;` lines. A list repeats the directive, None leaves it out."""
    lines = []
    for name, value in values.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is not None:
                lines.append(f"oidc_{name} {one};")
    return "\n".join(lines) + "\n"


def server(port: int, body: str, names: str = "127.0.0.1 localhost service.test",
           certificate=None, http2: bool = False, listen: str = "") -> str:
    tls = ""
    flags = listen
    if certificate:
        flags += " ssl" + (" http2" if http2 else "")
        tls = f"ssl_certificate {certificate.cert}; ssl_certificate_key {certificate.key};"
    return f"server {{\nlisten 127.0.0.1:{port} {flags};\nserver_name {names};\n{tls}\n{body}\n}}\n"


def location(path: str, body: str) -> str:
    return f"location {path} {{\n{body}\n}}\n"


class LogView:
    """The error log's lines since a moment."""

    def __init__(self, path: Path):
        self._path = path
        self._start = path.stat().st_size if path.exists() else 0

    def text(self) -> str:
        with open(self._path, "rb") as file:
            file.seek(self._start)
            return file.read().decode(errors="replace")

    def reasons(self) -> list[str]:
        return re.findall(r"reason=([a-z0-9_]+)", self.text())

    def wait_reason(self, reasons, timeout: float = 2.0) -> str | None:
        """The first of `reasons` that is logged; the log line may come after the answer."""
        end = time.monotonic() + timeout
        while True:
            found = [r for r in self.reasons() if r in reasons]
            if found or time.monotonic() > end:
                return found[0] if found else None
            time.sleep(0.01)


class Nginx:
    def __init__(self, settings: Settings, name: str = "nginx"):
        self.settings = settings
        self.dir = make_dir(name)
        self.process: Process | None = None
        self.port = 0
        self.wrapper: list[str] = []  # a program that runs nginx, valgrind for instance
        self.expected_alerts: list[str] = []  # regular expressions of alerts that a test provokes
        self._env = self._sanitizer_env()

    @property
    def error_log(self) -> Path:
        return self.dir / "error.log"

    @property
    def access_log(self) -> Path:
        return self.dir / "access.log"

    def write(self, http: str, workers: int = 1, level: str = "info", main: str = "",
              log_format: str = LOG_FORMAT) -> Path:
        path = self.dir / "nginx.conf"
        alone = self.settings.module is None
        path.write_text(TEMPLATE.format(
            load="" if alone else f"load_module {self.settings.module};", user=USER, workers=workers,
            dir=self.dir, level=level, main=main, http=http,
            log_format=LOG_FORMAT_ALONE if alone else log_format))
        return path

    def check(self, http: str, **options) -> tuple[int, str]:
        """`nginx -t`: the exit code and what it said."""
        self.write(http, **options)
        done = subprocess.run(self._argv("-t"), capture_output=True, text=True, timeout=60,
                              env={**os.environ, **self._env})
        return done.returncode, done.stderr

    def start(self, http: str, port: int, **options) -> "Nginx":
        self.write(http, **options)
        self.port = port
        self.process = Process("nginx", self._argv(), self.dir / "stderr.log", self._env)
        self.process.wait_port(port, 20)
        return self

    def view(self) -> LogView:
        return LogView(self.error_log)

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def reload(self, http: str | None = None, **options) -> None:
        """SIGHUP; returns when the new workers serve and knows the old ones are leaving."""
        if http is not None:
            self.write(http, **options)
        before = set(self.workers())
        self.process.send_signal(signal.SIGHUP)
        wait_for("new workers", lambda: set(self.workers()) - before, 20)
        wait_for("port", lambda: listens(self.port))

    def quit(self) -> None:
        self.process.send_signal(signal.SIGQUIT)

    def stop(self) -> None:
        if self.process and self.process.alive():
            self.process.stop(signal.SIGQUIT, 15)

    def verdict(self) -> list[str]:
        """Everything that must never be in the logs, found there. Call it after `stop`."""
        problems = []
        if self.process and self.process.returncode not in (0, None):
            problems.append(f"nginx exited with {self.process.returncode}")
        stderr = self.dir / "stderr.log"
        errors = b""
        for path in (self.error_log, stderr):
            errors += path.read_bytes() if path.exists() else b""
        for line in errors.decode(errors="replace").splitlines():
            if re.search(r"\[(alert|emerg|crit)\]|exited on signal", line):
                if not any(re.search(known, line) for known in self.expected_alerts):
                    problems.append(line)
            if "runtime error:" in line or "AddressSanitizer" in line:
                problems.append(line)
        access = self.access_log.read_bytes() if self.access_log.exists() else b""
        problems += [f"error.log leaks {leak}" for leak in canary.find(errors)]
        problems += [f"access.log leaks {leak}" for leak in canary.find(access)]
        return problems

    def _argv(self, *more: str) -> list[str]:
        return [*self.wrapper, str(self.settings.binary), "-p", str(self.dir), "-c", str(self.dir / "nginx.conf"),
                "-e", str(self.error_log), *more]

    def _sanitizer_env(self) -> dict:
        """Reports go to standard error, which nginx makes its error log. An instrumented module in
        a plain nginx needs the runtime loaded first."""
        if self.settings.module is None:
            return {}
        module, binary = self.settings.module.read_bytes(), self.settings.binary.read_bytes()
        wanted = [name for name in ("libasan.so", "libubsan.so") if name.encode() in module]
        if not wanted:
            return {}
        # Every dynamic module has a symbol ngx_modules; nginx leaves its cycle to the kernel.
        env = {"ASAN_OPTIONS": "detect_odr_violation=0:detect_leaks=0",
               "UBSAN_OPTIONS": "print_stacktrace=1"}
        if b"libasan.so" not in binary:
            paths = [subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True,
                                    text=True, check=True).stdout.strip() for name in wanted]
            env["LD_PRELOAD"] = " ".join(paths)
        return env

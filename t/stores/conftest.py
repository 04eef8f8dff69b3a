"""nginx with the probe module, and Redis servers that hang, die and come back."""

import os
import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "io"))
from certificates import Authority  # noqa: E402
from redis_process import Redis, free_port, wait_for  # noqa: E402, F401


def pytest_addoption(parser):
    parser.addoption("--module", required=True)
    parser.addoption("--nginx", default="nginx")
    parser.addoption("--preload", default="", help="LD_PRELOAD of nginx: the sanitizer's library")


class Answer:
    def __init__(self, response):
        assert response.status == 200, response.status
        self.result = response.getheader("X-Result")
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode("latin-1")

    def __repr__(self):
        return f"<{self.result} {self.body[:200]!r}>"


def filler(size):
    """What the module makes of size=N."""
    return bytes((i * 131 + (i >> 8)) & 0xFF for i in range(size))


def path_of(location, op, key="", **arguments):
    words = {"op": op, "key": key, **arguments}
    encoded = (
        f"{name}={quote_from_bytes(v if isinstance(v, bytes) else str(v).encode(), safe='')}"
        for name, v in words.items()
    )
    return f"{location}?{'&'.join(encoded)}"


CONFIG = """
load_module {module};
daemon off;
master_process on;
worker_processes {workers};
{user}
pid nginx.pid;
error_log {directory}/error.log notice;
events {{ worker_connections 1024; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
  uwsgi_temp_path tmp; scgi_temp_path tmp;
  keepalive_timeout 60s; keepalive_requests 1000000;
  large_client_header_buffers 4 256k;
  {zones}
  server {{
    listen 127.0.0.1:{port} backlog=1024 reuseport;
    location /plain {{ return 200 "plain"; }}
    {locations}
  }}
}}
"""


class Nginx:
    def __init__(self, directory, options, locations, zones="", workers=1):
        self.directory = directory
        self.options = options
        self.error_log = directory / "error.log"
        self.error_log.touch()
        self.port = free_port()
        (directory / "tmp").mkdir(exist_ok=True)
        self.config = directory / "nginx.conf"
        self.workers_wanted = workers
        self.configure(locations, zones)
        self.environment = dict(os.environ)
        if options.preload:
            self.environment["LD_PRELOAD"] = options.preload
            self.environment["ASAN_OPTIONS"] = (
                f"detect_odr_violation=0:detect_leaks=0:log_path={directory}/asan"
            )
        self.command = [options.nginx, "-p", str(directory), "-c", str(self.config)]
        self.process = None

    def configure(self, locations, zones=""):
        self.config.write_text(
            CONFIG.format(
                module=self.options.module,
                workers=self.workers_wanted,
                user="user root;" if os.getuid() == 0 else "",
                directory=self.directory,
                zones=zones,
                port=self.port,
                locations=locations,
            )
        )

    def start(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stderr=open(self.directory / "stderr", "wb")
        )

        def listens():
            assert self.process.poll() is None, (self.directory / "stderr").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            except OSError:
                return False

        wait_for("nginx listens", listens)
        return self

    def kill(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGQUIT, timeout=30):
        if self.process and self.process.poll() is None:
            self.kill(number)
            self.process.wait(timeout)
        return self.process.returncode if self.process else None

    def workers(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return {int(word) for word in children.read().split()}

    def reload(self):
        old = wait_for("workers", self.workers)
        self.kill(signal.SIGHUP)
        wait_for("new workers", lambda: len(self.workers() - old) == self.workers_wanted)
        wait_for("old workers are gone", lambda: not self.workers() & old, 20)

    def connect(self):
        return HTTPConnection("127.0.0.1", self.port, timeout=30)

    def send(self, location, op, key="", **arguments):
        """A request whose answer is read later, by answer_of()."""
        connection = self.connect()
        connection.request("GET", path_of(location, op, key, **arguments))
        return connection

    def get(self, location, op, key="", **arguments):
        return answer_of(self.send(location, op, key, **arguments))

    def log(self):
        return self.error_log.read_text(errors="replace")

    def wait_for_log(self, text, seconds=10):
        wait_for(f"{text!r} in the log", lambda: text in self.log(), seconds)

    def check_log(self, allowed=r"^$"):
        bad = [
            line
            for line in self.log().splitlines()
            if re.search(r"\[(alert|emerg|crit)\]|exited on signal", line)
            and not re.search(allowed, line)
        ]
        assert not bad, bad
        reports = [path.read_text() for path in self.directory.glob("asan.*")]
        assert not reports, reports[0]


def answer_of(connection):
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


class Bench:
    """Makes servers, and sees to it that they end and that nginx's log is clean."""

    def __init__(self, directory, options):
        self.directory = directory
        self.options = options
        self.allowed = r"^$"  # lines of the log that this test provokes
        self.also = []  # other servers: they are killed at the end
        self._nginx, self._redis = [], []

    def nginx(self, locations, **more):
        directory = self.directory / f"nginx{len(self._nginx)}"
        directory.mkdir()
        server = Nginx(directory, self.options, locations, **more)
        self._nginx.append(server)
        return server.start()

    def redis(self, *lines, **more):
        server = Redis(self.directory / f"redis{len(self._redis)}", *lines, **more)
        self._redis.append(server)
        return server

    def authority(self, name):
        return Authority(self.directory, name)

    def end(self):
        codes = [server.stop() for server in self._nginx]
        for server in self._redis + self.also:
            server.kill()
        assert codes == [0] * len(codes)
        for server in self._nginx:
            server.check_log(self.allowed)


@pytest.fixture
def bench(request, tmp_path):
    tmp_path.chmod(0o755)
    made = Bench(tmp_path, request.config.option)
    yield made
    made.end()

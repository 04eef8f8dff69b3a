"""nginx with the probe module, and the counterparts it talks to."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from urllib.parse import quote

import pytest
from certificates import Authority
from scripted_servers import NameServer, Provider, Proxy, tls_context


def pytest_addoption(parser):
    parser.addoption("--module", required=True)
    parser.addoption("--nginx", default="nginx")
    parser.addoption("--preload", default="", help="LD_PRELOAD of nginx: the sanitizer's library")
    parser.addoption("--sanitized", action="store_true")


class Answer:
    def __init__(self, response):
        self.code = response.status
        self.status = int(response.getheader("X-Status") or 0)
        self.type = response.getheader("X-Type")
        self.body = response.read().decode("latin-1")

    @property
    def reason(self):
        return self.body.partition(":")[0] if self.code == 502 else "none"

    def __repr__(self):
        return f"<{self.code} {self.status} {self.type} {self.body[:200]!r}>"


class Nginx:
    def __init__(self, directory, config, options):
        self.directory = directory
        self.error_log = directory / "error.log"
        self.error_log.touch()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (directory / "tmp").mkdir(exist_ok=True)
        self.config = directory / "nginx.conf"
        self.config.write_text(config.replace("@PORT@", str(self.port)))
        self.environment = dict(os.environ)
        self.environment["LD_PRELOAD"] = options.preload
        self.environment["ASAN_OPTIONS"] = (
            f"detect_odr_violation=0:detect_leaks=1:log_path={directory}/asan"
        )
        # nginx itself leaves some of its memory when it exits.
        suppressions = directory / "suppressions"
        suppressions.write_text("leak:ngx_alloc\nleak:ngx_memalign\n")
        self.environment["LSAN_OPTIONS"] = f"suppressions={suppressions}:print_suppressions=0"
        self.command = [options.nginx, "-p", str(directory), "-c", str(self.config)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stderr=open(self.directory / "stderr", "wb")
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                assert self.process.poll() is None, (self.directory / "stderr").read_text()
                time.sleep(0.05)
        raise AssertionError("nginx does not listen")

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
            return [int(word) for word in children.read().split()]

    def worker(self):
        (worker,) = self.workers()
        return worker

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path):
        connection = self.connect()
        connection.request("GET", path)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def fetch(self, url, location="/fetch", **arguments):
        return self.get(self.path(url, location, **arguments))

    @staticmethod
    def path(url, location="/fetch", **arguments):
        arguments = {"url": url, **arguments}
        return location + "?" + "&".join(f"{k}={quote(str(v), '')}" for k, v in arguments.items())

    def log(self):
        return self.error_log.read_text(errors="replace")

    def wait_for_log(self, text, seconds=10):
        end = time.monotonic() + seconds
        while text not in self.log():
            assert time.monotonic() < end, f"{text!r} is not in the log"
            time.sleep(0.05)

    def check_log(self):
        bad = [
            line
            for line in self.log().splitlines()
            if re.search(r"\[(alert|emerg|crit)\]|signal 11|exited on signal", line)
        ]
        assert not bad, bad
        reports = [path.read_text() for path in self.directory.glob("asan.*")]
        assert not reports, reports[0]


CONFIG = """
load_module @MODULE@;
daemon off;
master_process on;
worker_processes 1;
@USER@
pid nginx.pid;
error_log @DIR@/error.log @LEVEL@;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
  uwsgi_temp_path tmp; scgi_temp_path tmp;
  http_probe_system @DIR@/hosts @DIR@/resolv.conf;
  keepalive_timeout 60s;
  server {
    listen 127.0.0.1:@PORT@ backlog=1024;
    location /plain { return 200 "plain"; }
    location /fetch {
      resolver 127.0.0.1:@DNS@;
      http_probe timeout=3000 trust=@DIR@/ca.pem;
    }
    location /nodns { http_probe timeout=3000; }
    location /short { http_probe timeout=600; resolver 127.0.0.1:@DNS@; }
    location /fresh { http_probe keepalive=off; }
    location /other { http_probe trust=@DIR@/other.pem; }
    location /untrusting { http_probe; }
    location /system { http_probe trust=system; }
    location /unverified { http_probe verify=off; }
    location /revoked { http_probe trust=@DIR@/ca.pem crl=@DIR@/ca-1.crl; }
    location /current { http_probe trust=@DIR@/ca.pem crl=@DIR@/ca-0.crl; }
    location /client {
      http_probe trust=@DIR@/ca.pem certificate=@DIR@/user.pem key=@DIR@/user.key;
    }
    location /proxied {
      resolver 127.0.0.1:@DNS@;
      http_probe trust=@DIR@/ca.pem http_proxy=http://user:p%40ss@proxy.test:@PROXY@
                 https_proxy=http://proxy.test:@TLSPROXY@ no_proxy=direct.test,127.0.0.1,[::1],.below.test;
    }
    location /refused {
      http_probe http_proxy=http://127.0.0.1:@BROKEN@ https_proxy=http://127.0.0.1:@BROKEN@;
    }
  }
}
"""


class Bench:
    """Everything of one test run."""

    def __init__(self, directory, options):
        self.directory = directory
        self.options = options
        ca, other = Authority(directory, "ca"), Authority(directory, "other")
        names = "DNS:localhost,DNS:good.test,IP:127.0.0.1,IP:::1"
        good = ca.issue("good", names)
        self.user = ca.issue("user", "DNS:user")
        ca.revocations()
        ca.revocations(good[0])
        assert other.certificate.exists()
        self.plain = Provider()
        self.plain6 = Provider(host="::1")
        self.secure = Provider(tls=tls_context(*good))
        self.mutual = Provider(tls=tls_context(*good, client_ca=ca.certificate))
        self.proxy = Proxy(self.plain.port)
        self.tls_proxy = Proxy(self.secure.port)
        self.dns = NameServer(
            {
                "good.test": ["127.0.0.1"],
                "both.test": ["127.0.0.1", "::1"],
                "six.test": ["::1"],
                "dead.test": ["127.0.0.2", "127.0.0.3"],
                "wrong.test": ["127.0.0.1"],
                "proxy.test": ["127.0.0.1"],
                "direct.test": ["127.0.0.1"],
                "sub.direct.test": ["127.0.0.1"],
                "under.below.test": ["127.0.0.1"],
                "silent.test": None,
                "failing.test": "servfail",
                "svc.first.test": ["192.0.2.1"],
                "svc.second.test": ["192.0.2.2"],
                "a.b.c": ["192.0.2.3"],
                "a.b.c.first.test": ["192.0.2.4"],
            }
        )
        (directory / "hosts").write_text(
            "# a comment\n127.0.0.1 hosted.test alias.test # another\n"
            "::1 hosted.test\nnonsense broken.test\n"
        )
        (directory / "resolv.conf").write_text(
            f"# one\nnameserver fe80::1%eth0\nnameserver [127.0.0.1]:{self.dns.port}\n"
            "search wrong.search first.test second.test\noptions edns0 ndots:2\n"
        )

    def nginx(self, name, level="notice", extra=lambda text: text):
        directory = self.directory / name
        directory.mkdir()
        values = {
            "MODULE": self.options.module,
            "DIR": str(self.directory),
            "USER": "user root;" if os.getuid() == 0 else "",
            "LEVEL": level,
            "DNS": str(self.dns.port),
            "PROXY": str(self.proxy.port),
            "TLSPROXY": str(self.tls_proxy.port),
            "BROKEN": str(self.plain.port),
        }
        config = extra(CONFIG).replace("@DIR@/error.log", f"{directory}/error.log")
        for key, value in values.items():
            config = config.replace(f"@{key}@", value)
        return Nginx(directory, config, self.options)


@pytest.fixture(scope="session")
def bench(request, tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"), request.config.option)


@pytest.fixture(scope="module")
def nginx(bench):
    """Shared by the tests that leave nothing behind; the log is judged at the end."""
    server = bench.nginx("shared").start()
    yield server
    assert server.stop() == 0
    server.check_log()


@pytest.fixture
def own_nginx(bench, request):
    """For tests that stop or reload it."""
    server = bench.nginx(request.node.name).start()
    yield server
    server.stop(signal.SIGTERM)
    server.check_log()

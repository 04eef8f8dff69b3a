"""TLS to Redis: it must fail closed."""

import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from conftest import answer_of, filler, wait_for
from test_redis import frozen_burst, location, stored


class Parts:
    def __init__(self, bench):
        self.ca, self.other = bench.authority("ca"), bench.authority("other")
        self.good = self.ca.issue("good", "DNS:localhost,DNS:redis.test,IP:127.0.0.1,IP:::1")
        self.bench = bench

    def redis(self, certificate=None, *lines, clients="no"):
        certificate, key = certificate or self.good
        tls = [
            f"tls-cert-file {certificate}",
            f"tls-key-file {key}",
            f"tls-ca-cert-file {self.ca.certificate}",
            f"tls-auth-clients {clients}",
        ]
        return self.bench.redis(*lines, tls=tls)


@pytest.fixture
def parts(bench):
    return Parts(bench)


def tls(redis, parts, path="/r", **words):
    words = {"tls": "on", "trust": parts.ca.certificate, "connect": 500, **words}
    return location(redis, path, **words)


def refused(bench, nginx, where="/r", allowed="SSL_do_handshake"):
    """The error of an attempt; nginx's own line about the handshake is not a fault of ours."""
    bench.allowed = allowed
    answer = nginx.get(where, "insert", "k", value="v")
    assert answer.result == "error", answer
    return answer.text


def test_good(bench, parts):
    redis = parts.redis()
    nginx = bench.nginx(tls(redis, parts))
    assert nginx.get("/r", "insert", "k", size=60_000).result == "hit"
    assert nginx.get("/r", "read", "k").body == filler(60_000)


def test_the_server_name_is_compared_and_sent(bench, parts):
    redis = parts.redis(parts.ca.issue("named", "DNS:redis.test"))
    named = location(redis, "/n", tls="on", trust=parts.ca.certificate, name="redis.test")
    nginx = bench.nginx(tls(redis, parts) + named)
    assert 'not for "127.0.0.1"' in refused(bench, nginx)
    assert nginx.get("/n", "insert", "k", value="v").result == "hit"
    assert redis.call("GET", stored("k")) == b"v"


@pytest.mark.parametrize(
    ("alternatives", "host", "good"),
    [
        ("DNS:localhost", "localhost", True),
        ("DNS:redis.test", "localhost", False),
        ("IP:127.0.0.1", "127.0.0.1", True),
        ("IP:127.0.0.2", "127.0.0.1", False),
        ("DNS:127.0.0.1", "127.0.0.1", False),
        ("DNS:*.test,IP:127.0.0.1", "localhost", False),
    ],
)
def test_whose_certificate(bench, parts, alternatives, host, good):
    redis = parts.redis(parts.ca.issue("server", alternatives))
    nginx = bench.nginx(tls(redis, parts, host=host))
    if good:
        assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    else:
        assert f'not for "{host}"' in refused(bench, nginx)
        assert redis.call("DBSIZE") == 0


def test_another_authority(bench, parts):
    redis = parts.redis(parts.other.issue("foreign", "DNS:localhost,IP:127.0.0.1"))
    nginx = bench.nginx(tls(redis, parts, password="canary"))
    assert "certificate is not trusted" in refused(bench, nginx)
    assert "not trusted" in nginx.log() and "canary" not in nginx.log()
    assert redis.info("stats")["total_commands_processed"] == "0"


def test_self_signed(bench, parts):
    nginx = bench.nginx(tls(parts.redis((parts.other.certificate, parts.other.key)), parts))
    assert "certificate is not trusted" in refused(bench, nginx)


def test_trusting_nobody(bench, parts):
    redis = parts.redis()
    nginx = bench.nginx(location(redis, tls="on", connect=500))
    assert "certificate is not trusted" in refused(bench, nginx)


def test_unverified_on_request_only(bench, parts):
    redis = parts.redis(parts.other.issue("foreign", "DNS:elsewhere"))
    nginx = bench.nginx(location(redis, tls="unverified"))
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"


def test_client_certificate(bench, parts):
    certificate, key = parts.ca.issue("client", "DNS:client")
    redis = parts.redis(clients="yes")
    nginx = bench.nginx(
        location(redis, tls="on", trust=parts.ca.certificate, cert=certificate, certkey=key)
        + tls(redis, parts, "/none")
    )
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    bench.allowed = "SSL_"
    refused(bench, nginx, "/none", "SSL_")
    assert "certificate required" in nginx.log()


def test_a_server_without_tls(bench, parts):
    redis = bench.redis()
    nginx = bench.nginx(tls(redis, parts))
    refused(bench, nginx)


def test_a_server_with_tls_only(bench, parts):
    redis = parts.redis()
    nginx = bench.nginx(location(redis, connect=500))
    refused(bench, nginx)


@pytest.mark.filterwarnings("ignore:.*TLSv1_1:DeprecationWarning")
def test_old_protocols_are_refused(bench, parts):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(*map(str, parts.good))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            try:
                connection, _ = server.accept()
                context.wrap_socket(connection, server_side=True)
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        nginx = bench.nginx(f"location /r {{ store_probe redis port={server.getsockname()[1]} "
                            f"tls=on trust={parts.ca.certificate} connect=500; }}")  # fmt: skip
        refused(bench, nginx)


def test_a_handshake_that_hangs(bench, parts):
    with socket.create_server(("127.0.0.1", 0)) as server:
        nginx = bench.nginx(f"location /r {{ store_probe redis port={server.getsockname()[1]} "
                            f"tls=on trust={parts.ca.certificate} connect=400; }}")  # fmt: skip
        started = time.monotonic()
        assert "in the TLS handshake" in refused(bench, nginx)
        assert 0.3 < time.monotonic() - started < 0.8


def test_bursts_and_large_records(bench, parts):
    redis = parts.redis()
    nginx = bench.nginx(tls(redis, parts, connections=2))
    answers = frozen_burst(nginx, 60, op="insert", size=60_000)
    assert {each.result for each in answers} == {"hit"}
    assert all(each.body == filler(60_000) for each in frozen_burst(nginx, 60))


def test_hanging_dying_and_coming_back(bench, parts):
    redis = parts.redis()
    nginx = bench.nginx(tls(redis, parts, read=400, connect=400))
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    redis.hang()
    waiting = [nginx.send("/r", "read", "k") for _ in range(10)]
    assert {answer_of(each).result for each in waiting} == {"error"}
    redis.wake()
    wait_for("recovery", lambda: nginx.get("/r", "read", "k").result == "hit", 5)
    redis.kill()
    assert nginx.get("/r", "read", "k").result == "error"
    redis.start()
    wait_for("recovery", lambda: nginx.get("/r", "read", "k").result == "miss", 5)


def test_a_server_that_does_not_read(bench, parts):
    """Records wait half sent, and more come behind them."""
    redis = parts.redis()
    nginx = bench.nginx(tls(redis, parts, read=4000, send=4000, connections=1))
    assert nginx.get("/r", "insert", "k", value="v").result == "hit"
    redis.hang()
    waiting = []
    for i in range(80):
        waiting.append(nginx.send("/r", "insert", f"k{i}", size=60_000))
        time.sleep(0.005)
    redis.wake()
    assert {answer_of(each).result for each in waiting} == {"hit"}
    assert all(nginx.get("/r", "read", f"k{i}").body == filler(60_000) for i in range(80))


def test_quit_with_idle_connections(bench, parts):
    redis = parts.redis()
    nginx = bench.nginx(tls(redis, parts))
    nginx.get("/r", "insert", "k", value="v")
    started = time.monotonic()
    nginx.kill(signal.SIGQUIT)
    assert nginx.process.wait(5) == 0 and time.monotonic() - started < 1


@pytest.mark.parametrize(
    "words", [{"trust": "/nowhere.pem"}, {"cert": "/nowhere.pem", "certkey": "/x"}]
)
def test_files_that_are_not_there(bench, parts, words):
    redis = parts.redis()
    nginx = bench.nginx(tls(redis, parts))
    nginx.configure(tls(redis, parts, **words))
    check = subprocess.run([*nginx.command, "-t"], capture_output=True, env=nginx.environment)
    assert check.returncode == 1 and b"nowhere.pem: No such file" in check.stderr

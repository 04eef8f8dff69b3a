"""Reload, quit and stop with calls in flight; leaks; exceptions; what nginx -t says."""

import os
import signal
import subprocess
import time

import pytest
from conftest import Answer
from test_http_client import nginx_answer, url


def held(nginx, bench, path, count=5, **arguments):
    connections = []
    for _ in range(count):
        connection = nginx.connect()
        connection.request("GET", nginx.path(url(bench.plain, path), **arguments))
        connections.append(connection)
    time.sleep(0.3)
    return connections


def test_quit_waits_for_calls_in_flight(own_nginx, bench):
    connections = held(own_nginx, bench, "slow/1500")
    own_nginx.kill(signal.SIGQUIT)
    assert {nginx_answer(each).body for each in connections} == {"slow answer, in pieces"}
    assert own_nginx.process.wait(10) == 0


def test_quit_waits_for_a_timeout_and_no_longer(own_nginx, bench):
    connections = held(own_nginx, bench, "hang")
    started = time.monotonic()
    own_nginx.kill(signal.SIGQUIT)
    assert {nginx_answer(each).reason for each in connections} == {"provider_timeout"}
    assert own_nginx.process.wait(10) == 0
    assert time.monotonic() - started < 5


def test_quit_waits_for_names(own_nginx):
    connection = own_nginx.connect()
    connection.request("GET", own_nginx.path("http://silent.test/", "/short"))
    time.sleep(0.2)
    own_nginx.kill(signal.SIGQUIT)
    assert nginx_answer(connection).reason == "provider_timeout"
    assert own_nginx.process.wait(10) == 0


def test_quit_waits_for_worker_tasks(own_nginx, bench):
    assert own_nginx.fetch(url(bench.plain, "slow/1000"), spawn=1).code == 204
    own_nginx.kill(signal.SIGQUIT)
    assert own_nginx.process.wait(10) == 0
    assert "spawned fetch: 200" in own_nginx.log()


def test_quit_waits_for_a_sleep_but_not_in_the_background(own_nginx):
    assert own_nginx.get("/fetch?nap=10").code == 204
    own_nginx.wait_for_log("slept")
    assert own_nginx.get("/fetch?sleep=1000").code == 204
    assert own_nginx.get("/fetch?nap=20000").code == 204
    started = time.monotonic()
    own_nginx.kill(signal.SIGQUIT)
    assert own_nginx.process.wait(10) == 0
    assert 0.5 < time.monotonic() - started < 5
    assert own_nginx.log().count("slept") == 2


def test_quit_with_idle_connections(own_nginx, bench):
    assert own_nginx.fetch(url(bench.plain, "ok")).status == 200
    assert own_nginx.fetch(url(bench.secure, "ok", "localhost", "https")).status == 200
    started = time.monotonic()
    own_nginx.kill(signal.SIGQUIT)
    assert own_nginx.process.wait(10) == 0
    assert time.monotonic() - started < 2


def test_reload_with_calls_in_flight(own_nginx, bench):
    old = own_nginx.worker()
    connections = held(own_nginx, bench, "slow/1500")
    own_nginx.kill(signal.SIGHUP)
    end = time.monotonic() + 5
    while own_nginx.workers() in ([old], []):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert own_nginx.fetch(url(bench.plain, "ok")).status == 200
    assert {nginx_answer(each).body for each in connections} == {"slow answer, in pieces"}
    end = time.monotonic() + 10
    while old in own_nginx.workers():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_many_reloads(own_nginx, bench):
    for _ in range(8):
        connections = held(own_nginx, bench, "slow/100", count=2)
        own_nginx.kill(signal.SIGHUP)
        assert {nginx_answer(each).status for each in connections} == {200}
    time.sleep(0.5)
    assert own_nginx.fetch(url(bench.plain, "ok")).status == 200


@pytest.mark.parametrize("path", ["hang", "drip"])
def test_fast_stop_with_calls_in_flight(bench, path):
    nginx = bench.nginx(f"stop-{path}").start()
    connections = held(nginx, bench, path)
    assert nginx.fetch(url(bench.plain, path), spawn=1).code == 204
    assert nginx.fetch("http://silent.test/", spawn=1).code == 204
    connection = nginx.connect()
    connection.request("GET", nginx.path("http://silent.test/"))
    time.sleep(0.3)
    started = time.monotonic()
    assert nginx.stop(signal.SIGTERM) == 0
    assert time.monotonic() - started < 2
    assert connections and connection
    nginx.check_log()


def test_an_exception_is_logged_by_its_type_only(bench):
    nginx = bench.nginx("exception").start()
    assert nginx.fetch(url(bench.plain, "throw"), spawn=1).code == 204
    nginx.wait_for_log("an exception escaped: std::runtime_error")
    assert nginx.fetch(url(bench.plain, "ok")).status == 200
    assert nginx.stop() == 0
    assert "what()" not in nginx.log()


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    raise AssertionError("no VmRSS")


def test_a_thousand_requests_leave_nothing(own_nginx, bench, request):
    worker = own_nginx.worker()
    targets = [
        (url(bench.plain, "ok"), "/fetch"),
        (url(bench.secure, "ok", "good.test", "https"), "/fetch"),
        (url(bench.plain, "ok"), "/fresh"),
        (url(bench.plain, "cut"), "/fetch"),
        (url(bench.plain, "chunked/10/1000"), "/fetch"),
        (url(bench.secure, "ok", "wrong.test", "https"), "/fetch"),
        ("http://absent.test/", "/fetch"),
        (url(bench.plain, "close"), "/fetch"),
    ]

    def thousand():
        connection = own_nginx.connect()
        for number in range(1000):
            target, location = targets[number % len(targets)]
            connection.request("GET", own_nginx.path(target, location))
            Answer(connection.getresponse())
        connection.close()
        time.sleep(0.2)
        return len(os.listdir(f"/proc/{worker}/fd")), resident_kib(worker)

    thousand()
    files, memory = thousand()
    files_later, memory_later = thousand()
    print(f"\nfd {files} -> {files_later}, resident {memory} -> {memory_later} KiB")
    assert files_later <= files + 1
    if not request.config.option.sanitized:  # the sanitizer keeps what is freed for a while
        assert memory_later - memory < 600


def test_under_nginxs_debug_log(bench):
    """The debug log reads the connections behind events and timers."""
    nginx = bench.nginx("debug", level="debug").start()
    assert nginx.fetch(url(bench.secure, "slow/300", "good.test", "https")).status == 200
    assert nginx.fetch(url(bench.plain, "hang"), "/short").reason == "provider_timeout"
    assert nginx.fetch("http://silent.test/", "/short").reason == "provider_timeout"
    assert nginx.stop() == 0
    assert "event timer" in nginx.log()
    nginx.check_log()


def test_posted_events(bench):
    """A worker that holds the accept mutex posts its events instead of handling them at once."""
    nginx = bench.nginx(
        "posted",
        extra=lambda text: text.replace("worker_processes 1", "worker_processes 2").replace(
            "events {", "events { accept_mutex on;"
        ),
    ).start()
    for _ in range(30):
        assert nginx.fetch(url(bench.secure, "slow/20", "good.test", "https")).status == 200
        assert nginx.fetch(url(bench.plain, "cut")).reason == "provider_answer_truncated"
    assert nginx.stop() == 0
    nginx.check_log()


@pytest.mark.parametrize(
    "words, complaint",
    [
        ("trust=@DIR@/absent.pem", "absent.pem: No such file or directory"),
        ("trust=@DIR@/hosts", "hosts: "),
        ("trust=@DIR@/ca.pem crl=@DIR@/ca.pem", "ca.pem: "),
        ("trust=@DIR@/ca.pem certificate=@DIR@/user.pem", "go together"),
        ("trust=@DIR@/ca.pem certificate=@DIR@/user.pem key=@DIR@/good.key", "good.key: key va"),
        ("trust=@DIR@/ca.pem certificate=@DIR@/user.pem key=@DIR@/locked.key", "locked.key: "),
        ("http_proxy=https://127.0.0.1:1", "a proxy is reached by http"),
        ("https_proxy=//x:y:z", "a proxy: "),
    ],
)
def test_configuration_errors(bench, request, words, complaint):
    subprocess.run(
        ["openssl", "ec", "-in", bench.user[1], "-aes128", "-passout", "pass:pw", "-out",
         bench.directory / "locked.key"], check=True, capture_output=True)  # fmt: skip
    name = "conf-" + str(abs(hash(request.node.name)))
    nginx = bench.nginx(name, extra=lambda t: t.replace("http_probe;", f"http_probe {words};"))
    result = subprocess.run(
        [*nginx.command, "-t"], env=nginx.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=20, check=False)  # fmt: skip
    assert result.returncode == 1
    assert complaint in result.stderr

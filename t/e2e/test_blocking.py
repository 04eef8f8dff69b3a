"""Nothing blocks a worker: provider and Redis hold their connections open and never answer, while
other traffic flows through the same single worker. Prints the worst delay of that traffic."""

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bench import traffic
from bench.client import Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.http_server import Answer
from bench.login import at_provider, begin
from bench.nginx import location
from bench.proc import make_dir

LIMIT = 0.25  # seconds; two shared cores make noise, whatever blocks takes a second or more
TRAFFIC = Path(traffic.__file__)


@pytest.fixture(scope="module")
def files():
    """Served by nginx itself, so that nothing but nginx is measured."""
    root = make_dir("root")
    for name in ("plain", "x"):
        (root / name).write_text("served")
    return root


def report(capsys, what, delays):
    delays.sort()
    with capsys.disabled():
        print(f"\n    {what}: {len(delays)} requests, median {delays[len(delays) // 2]*1e3:.2f} ms,"
              f" p99 {delays[int(len(delays) * 0.99)]*1e3:.2f} ms, worst {delays[-1]*1e3:.1f} ms")
    assert delays[-1] < LIMIT


@pytest.fixture
def site(make_nginx, upstream, op, make_redis, files, request):
    """One worker; a healthy shm scope, one whose Redis and one whose provider will hang."""
    redis = make_redis()
    good, bad, stored = (
        op.provider(f"{n}-{request.node.name}") for n in ("good", "bad", "stored"))
    proxy = f"proxy_pass {upstream.origin};"
    site = Site(make_nginx, upstream, good, "\n".join([
        location("/", protect(good) + f"root {files};"),
        location("/plain", f"root {files};"),
        location("/redis/", protect(
            stored, redirect_uri="/callback-redis", session_storage="redis",
            session_secret=SESSION_SECRET, redis_port=redis.port) + proxy),
        location("/bad/", protect(bad, redirect_uri="/callback-bad", timeout="3s") + proxy)]))
    site.redis, site.bad = redis, bad
    return site


def stuck(calls, seconds=0.2):
    threads = [threading.Thread(target=quiet, args=(call,), daemon=True) for call in calls]
    [t.start() for t in threads]
    time.sleep(seconds)
    return threads


def quiet(call):
    try:
        call()
    except OSError:
        pass


def measure(site, capsys, what, calls):
    client = Client()
    site.login(client, "/x")
    threads = stuck(calls)
    flows = {
        kind: subprocess.Popen([sys.executable, TRAFFIC, str(site.port), path, "3", cookie],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for kind, path, cookie in (("plain", "/plain", ""),
                                   ("with session", "/x", client.cookie_header(site.url("/"))))}
    ends = {kind: flow.communicate(timeout=60) for kind, flow in flows.items()}
    [t.join() for t in threads]
    for kind, (out, problem) in ends.items():
        assert not problem, f"{kind}: {problem}"
        report(capsys, f"{what}, {kind}", json.loads(out))


def test_baseline(site, capsys):
    measure(site, capsys, "nobody hangs", [])


def test_hanging_token_endpoint(site, capsys):
    deliveries = []
    for _ in range(20):
        client = Client()
        deliveries.append((client, at_provider(begin(client, site.url("/bad/x")), site.origin)))
    site.bad.override["token"] = Answer(hang=True)
    measure(site, capsys, "20 callbacks at a hanging token endpoint", [
        lambda c=c, d=d: c.navigate(d.url) for c, d in deliveries])


def test_hanging_discovery(site, capsys):
    site.bad.override["openid-configuration"] = Answer(hang=True)
    measure(site, capsys, "20 logins at a hanging discovery", [
        lambda: Client().navigate(site.url("/bad/x")) for _ in range(20)])


def test_hanging_redis(site, capsys):
    client = Client()
    site.login(client, "/redis/x")
    site.redis.pause()
    try:
        measure(site, capsys, "20 requests at a hanging Redis", [
            lambda: client.get(site.url("/redis/x")) for _ in range(20)])
    finally:
        site.redis.resume()


def test_provider_that_drips(site, capsys):
    deliveries = []
    for _ in range(10):
        client = Client()
        deliveries.append((client, at_provider(begin(client, site.url("/bad/x")), site.origin)))
    site.bad.override["token"] = Answer(200, b"{" + b" " * 500, drip=0.01)
    measure(site, capsys, "10 callbacks at a dripping token endpoint", [
        lambda c=c, d=d: c.navigate(d.url) for c, d in deliveries])


def test_unresolvable_provider(make_nginx, upstream, op, files, capsys):
    """A name whose server does not answer: the resolver of the system may take its time."""
    good = op.provider("good-dns")
    proxy = f"proxy_pass {upstream.origin};"
    site = Site(make_nginx, upstream, good, "\n".join([
        "resolver 127.0.0.1:9 ipv6=off; resolver_timeout 2s;",
        location("/", protect(good) + f"root {files};"), location("/plain", f"root {files};"),
        location("/bad/", "oidc on; oidc_issuer https://provider.invalid; oidc_client_id x;"
                 "oidc_client_secret y; oidc_redirect_uri /callback-bad; oidc_timeout 3s;"
                 + proxy)]))
    measure(site, capsys, "10 logins with a silent name server", [
        lambda: Client().navigate(site.url("/bad/x")) for _ in range(10)])


def test_connections_that_nobody_accepts(make_nginx, upstream, op, files, capsys):
    """A black hole: a full backlog drops SYNs, connecting takes at most a third of the timeout."""
    hole = socket.socket()
    hole.bind(("127.0.0.1", 0))
    hole.listen(0)
    fill = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(hole.getsockname())
        fill.append(filler)
    good = op.provider("good-hole")
    proxy = f"proxy_pass {upstream.origin};"
    url = f"http://127.0.0.1:{hole.getsockname()[1]}"
    site = Site(make_nginx, upstream, good, "\n".join([
        location("/", protect(good) + f"root {files};"), location("/plain", f"root {files};"),
        location("/bad/", f"oidc on; oidc_issuer {url}; oidc_client_id x; oidc_client_secret y;"
                 "oidc_redirect_uri /callback-bad; oidc_timeout 3s;" + proxy)]))
    measure(site, capsys, "10 logins at a black hole", [
        lambda: Client().navigate(site.url("/bad/x")) for _ in range(10)])
    [s.close() for s in (*fill, hole)]

"""Clients that leave at every wait, reloads and quits with a login in flight."""

import threading
import time

import pytest
from bench.client import FORM, Client, Wire
from bench.gateway import SESSION_SECRET, Site
from bench.http_server import Answer
from bench.login import at_provider, begin, hand_over, login
from bench.proc import wait_for


def leave(call):
    """Calls with a short patience, so that the connection is closed while nginx waits."""
    with pytest.raises(TimeoutError):
        call(0.3)


def still_serves(site):
    client = Client()
    site.login(client)
    assert site.echo(client).bearer


def test_client_leaves_during_discovery(make_nginx, upstream, op):
    provider = op.provider("gone-discovery")
    provider.override["openid-configuration"] = lambda r: time.sleep(1.0)
    site = Site(make_nginx, upstream, provider)
    leave(lambda patience: Client().navigate(site.url("/x"), timeout=patience))
    time.sleep(1.2)
    provider.override.clear()
    still_serves(site)


@pytest.mark.parametrize("storage", ["shm", "redis"])
@pytest.mark.parametrize("endpoint", ["token", "jwks"])
@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_client_leaves_during_the_callback(make_nginx, upstream, op, make_redis, storage,
                                           endpoint, mode):
    where = {"session_storage": "shm"} if storage == "shm" else {
        "session_storage": "redis", "session_secret": SESSION_SECRET,
        "redis_port": make_redis().port}
    provider = op.provider(f"gone-{endpoint}-{storage}-{mode}")
    site = Site(make_nginx, upstream, provider, response_mode=mode, **where)
    client = Client()
    delivery = at_provider(begin(client, site.url("/x")), site.origin)
    provider.override[endpoint] = lambda r: time.sleep(1.0)

    def come_back(patience):
        if delivery.body is None:
            client.navigate(delivery.url, timeout=patience)
        else:
            client.request("POST", delivery.url, [FORM], delivery.body, timeout=patience)
    leave(come_back)
    wait_for("the provider's answer", lambda: provider.count(endpoint) >= 1)
    time.sleep(1.2)
    provider.override.clear()
    still_serves(site)
    assert provider.violations == []


def test_client_leaves_during_a_store_read(make_nginx, upstream, op, make_redis):
    redis = make_redis()
    site = Site(make_nginx, upstream, op.provider("gone-redis"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_port=redis.port)
    client = Client()
    site.login(client)
    redis.pause()
    for _ in range(3):
        leave(lambda patience: client.get(site.url("/x"), timeout=patience))
    redis.resume()
    wait_for("answers", lambda: client.get(site.url("/x")).status == 200, 10)


def test_client_leaves_while_its_body_is_read(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("gone-body"), response_mode="form_post")
    for _ in range(5):
        with Wire(site.port) as wire:
            wire.send((f"POST /oidc/callback HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
                       "Content-Type: application/x-www-form-urlencoded\r\n"
                       "Content-Length: 500\r\n\r\ncode=abc&st").encode())
            time.sleep(0.05)
    still_serves(site)


def test_body_timeout(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("slow-body"), response_mode="form_post",
                http="client_body_timeout 1s;")
    with Wire(site.port) as wire:
        wire.send((f"POST /oidc/callback HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\n"
                   "Content-Length: 500\r\n\r\ncode=abc&st").encode())
        assert wire.sock.recv(100)[:12] in (b"HTTP/1.1 408", b"HTTP/1.1 400", b"")
    still_serves(site)


def in_background(call):
    result = []
    thread = threading.Thread(target=lambda: result.append(call()))
    thread.start()
    return thread, result


@pytest.mark.parametrize("what", ["reload", "quit"])
@pytest.mark.parametrize("endpoint", ["token", "jwks"])
def test_login_in_flight(make_nginx, upstream, op, what, endpoint):
    """The old worker finishes what it began."""
    provider = op.provider(f"{what}-{endpoint}")
    site = Site(make_nginx, upstream, provider)
    client = Client()
    delivery = at_provider(begin(client, site.url("/x")), site.origin)
    provider.override[endpoint] = lambda r: time.sleep(1.5)
    thread, result = in_background(lambda: hand_over(client, delivery))
    wait_for("the request", lambda: provider.count(endpoint) >= 1)
    old = site.nginx.workers()
    if what == "reload":
        site.nginx.reload()
    else:
        site.nginx.quit()
    thread.join()
    assert result[0].status in (302, 303), result[0]
    if what == "reload":
        provider.override.clear()
        assert site.echo(client, "/x").bearer
        wait_for("old workers gone", lambda: not set(old) & set(site.nginx.workers()), 15)
    else:
        assert site.nginx.process.wait(15) == 0


def test_login_begun_before_a_reload_ends_after_it(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("over-reload"))
    client = Client()
    delivery = at_provider(begin(client, site.url("/x?a=b")), site.origin)
    site.nginx.reload()
    response = hand_over(client, delivery)
    assert response.status in (302, 303), response
    assert site.echo(client, "/x?a=b").bearer


def test_quit_with_a_hanging_provider(make_nginx, upstream, op):
    """Bounded: the worker leaves when the call's own time is over."""
    provider = op.provider("quit-hangs")
    site = Site(make_nginx, upstream, provider, timeout="2s")
    client = Client()
    delivery = at_provider(begin(client, site.url("/x")), site.origin)
    provider.override["token"] = Answer(hang=True)
    thread, result = in_background(lambda: hand_over(client, delivery))
    wait_for("the request", lambda: provider.count("token") >= 1)
    site.nginx.quit()
    thread.join()
    assert result[0].status == 504, result[0]
    assert site.nginx.process.wait(10) == 0


def test_idle_connections_do_not_hold_a_worker(make_nginx, upstream, op, make_redis):
    """Kept-alive connections to provider and Redis are no reason to stay."""
    site = Site(make_nginx, upstream, op.provider("idle"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_port=make_redis().port)
    still_serves(site)
    start = time.monotonic()
    site.nginx.quit()
    assert site.nginx.process.wait(10) == 0
    assert time.monotonic() - start < 5


def test_many_reloads_under_load(make_nginx, upstream, op):
    site = Site(make_nginx, upstream, op.provider("reloads"), options={"workers": 2})
    client = Client()
    site.login(client)
    stop, bad = threading.Event(), []

    def traffic():
        own = Client()
        own.jar = client.jar
        while not stop.is_set():
            response = own.get(site.url("/x"))
            if response.status != 200:
                bad.append(response)
    threads = [threading.Thread(target=traffic) for _ in range(3)]
    [t.start() for t in threads]
    for _ in range(8):
        site.nginx.reload()
        assert login(Client(), site.url("/y")).status in (302, 303)
    stop.set()
    [t.join() for t in threads]
    assert bad == []

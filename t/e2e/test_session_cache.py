"""Opened sessions in the workers' memory: what they save, and that they are never stale.

Two gateways, each an nginx of its own, on one Redis: what one of them changes, the other has cached.
"""

import re
import time
from pathlib import Path

import pytest
from bench.client import NAVIGATION, Client, Wire
from bench.gateway import SESSION_SECRET, Site
from bench.proc import wait_for
from bench.tcp_proxy import TcpProxy

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]
BOUND = 2.0  # seconds that a channel may be silent
NOISE = 2.0  # what a busy machine may add


def redis_site(make_nginx, upstream, provider, port, **settings):
    return Site(make_nginx, upstream, provider, **{
        "session_storage": "redis", "session_secret": SESSION_SECRET, "redis_port": port,
        "logout_uri_suffix": "/logout", **settings})


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("main")


@pytest.fixture
def pair(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    one, two = (redis_site(make_nginx, upstream, provider, redis.port) for _ in range(2))
    return one, two, redis


def logged_in(site):
    client = Client()
    site.login(client)
    return client


def copy_of(client):
    other = Client()
    other.jar = dict(client.jar)
    return other


def reads(redis):
    return redis.calls().get("get", 0)


def warm(site, client, redis):
    """Until the gateway has it cached: a request that Redis hears nothing of."""
    def free():
        before = reads(redis)
        assert site.echo(client).bearer
        return reads(redis) == before
    wait_for("a cached session", free, 10, 0.01)


def logout(site, client):
    response = client.request("POST", site.url("/logout"), SAME, b"")
    assert response.status in (200, 302, 303), response


class Requests:
    """The same request again and again on one connection."""

    def __init__(self, site, client):
        self._wire = Wire(site.port)
        lines = ["GET /again HTTP/1.1", f"Host: 127.0.0.1:{site.port}", "Accept: application/json",
                 f"Cookie: {client.cookie_header(site.url('/'))}"]
        self._bytes = ("\r\n".join(lines) + "\r\n\r\n").encode()

    def close(self):
        self._wire.close()

    def status(self):
        self._wire.send(self._bytes)
        return self._wire.receive().status

    def until_refused(self, limit):
        """How many passed, and when the first one did not."""
        end, passed = time.monotonic() + limit, 0
        while (status := self.status()) == 200:
            passed += 1
            assert time.monotonic() < end, f"still accepted after {limit} s"
        assert status == 401
        return passed, time.monotonic()


def test_cached_requests_cost_no_command(pair):
    _, two, redis = pair
    client = logged_in(two)
    warm(two, client, redis)
    before, requests = redis.calls(), Requests(two, client)
    for _ in range(300):
        assert requests.status() == 200
    after = redis.calls()
    spent = {name: n - before.get(name, 0) for name, n in after.items()
             if n != before.get(name, 0) and name not in ("info", "ping")}
    assert spent == {}


def test_cache_off(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis.port, http="oidc_session_cache off;")
    client = logged_in(site)
    before = reads(redis)
    for _ in range(20):
        assert site.echo(client).bearer
    assert reads(redis) - before == 20
    assert redis.connections(channel=True) == []


def test_logout_reaches_the_other_gateway(pair, capsys):
    """The moment counts from the logout's answer."""
    one, two, redis = pair
    delays, late = [], 0
    for _ in range(200):
        client = logged_in(one)
        warm(two, client, redis)
        requests = Requests(two, client)
        assert requests.status() == 200
        thief = copy_of(client)
        logout(one, client)
        answered = time.monotonic()
        passed, refused = requests.until_refused(BOUND + NOISE)
        delays.append(refused - answered)
        late += passed
        assert requests.status() == 401
        if len(delays) % 50 == 0:
            assert two.asks_for_login(thief) and one.asks_for_login(thief)
    delays.sort()
    with capsys.disabled():
        print(f"\n    {len(delays)} logouts: the other gateway refused after p50 "
              f"{delays[len(delays) // 2]*1e3:.2f} ms, p99 {delays[int(len(delays) * .99)]*1e3:.2f} "
              f"ms, max {delays[-1]*1e3:.2f} ms; {late} requests got through after the answer")


def test_deaf_channel_is_bounded(make_nginx, upstream, provider, make_redis, capsys):
    """The channel's connection stays open and brings nothing any more."""
    redis = make_redis()
    proxy = TcpProxy(redis.port)
    one = redis_site(make_nginx, upstream, provider, redis.port)
    two = redis_site(make_nginx, upstream, provider, proxy.port)
    stale = []
    for _ in range(3):
        client = logged_in(one)
        warm(two, client, redis)
        requests = Requests(two, client)
        assert requests.status() == 200
        assert proxy.freeze(b"SUBSCRIBE") >= 1
        began = time.monotonic()
        logout(one, client)
        _, refused = requests.until_refused(BOUND + NOISE)
        stale.append(refused - began)
        assert requests.status() == 401
    fresh = logged_in(one)
    warm(two, fresh, redis)  # a new channel came in its place
    proxy.stop()
    with capsys.disabled():
        print(f"\n    deaf channel: refused after {', '.join(f'{s:.2f}' for s in stale)} s")


def test_deaf_connection_of_commands(make_nginx, upstream, provider, make_redis):
    """Whatever was read on it is not worth less while the channel lives; and nothing hangs."""
    redis = make_redis()
    proxy = TcpProxy(redis.port)
    one = redis_site(make_nginx, upstream, provider, redis.port)
    two = redis_site(make_nginx, upstream, provider, proxy.port, redis_read_timeout="500ms")
    client = logged_in(one)
    warm(two, client, redis)
    assert proxy.freeze(b"GET") >= 1
    requests = Requests(two, client)
    assert requests.status() == 200
    logout(one, client)
    end = time.monotonic() + BOUND + NOISE
    while (status := requests.status()) == 200 or status == 503:
        assert time.monotonic() < end
    assert status == 401
    proxy.stop()


@pytest.mark.parametrize("change", ["expiry", "delete", "flushdb", "flushall", "rename"])
def test_changes_in_redis(pair, change):
    _, two, redis = pair
    client = logged_in(two)
    warm(two, client, redis)
    key, = redis.records()
    if change == "expiry":
        redis.command("PEXPIRE", key, 700)
        assert two.echo(client).bearer  # reads its new end
        warm(two, client, redis)
        requests = Requests(two, client)
        began = time.monotonic()
        _, refused = requests.until_refused(BOUND + NOISE)
        assert refused - began <= 0.7 + NOISE
        return
    requests = Requests(two, client)
    assert requests.status() == 200
    words = {"delete": ["DEL", key], "flushdb": ["FLUSHDB"], "flushall": ["FLUSHALL"],
             "rename": ["RENAME", key, "elsewhere"]}[change]
    redis.command(*words)
    _, refused = requests.until_refused(BOUND + NOISE)


def test_a_refresh_on_the_other_gateway(make_nginx, upstream, op, make_redis):
    provider, redis = op.provider("refreshed"), make_redis()
    provider.token_life = 8
    one, two = (redis_site(make_nginx, upstream, provider, redis.port, http=http)
                for http in ("", "oidc_session_cache 1m max_age=1h;"))
    client = logged_in(one)
    first = two.echo(client).bearer
    warm(two, client, redis)

    def renewed():
        return one.echo(client).bearer != first
    wait_for("a refresh", renewed, 15, 0.1)
    now = one.echo(client).bearer
    wait_for("the new token", lambda: two.echo(client).bearer == now, BOUND + NOISE, 0.01)
    grants = [r for r in provider.requests if r.path.endswith("/token")
              and dict(r.form).get("grant_type") == "refresh_token"]
    assert len(grants) == 1


@pytest.mark.parametrize("which", ["channel", "commands"])
def test_killed_connections(pair, which):
    """What was read on a connection that has died is asked for again, and a new channel opens."""
    one, two, redis = pair
    client = logged_in(two)
    warm(two, client, redis)
    for number in redis.connections(channel=which == "channel"):
        redis.command("CLIENT", "KILL", "ID", number)
    key, = redis.records()
    redis.command("DEL", key)  # nobody tells: the connection that had read it is gone
    requests = Requests(two, client)
    requests.until_refused(BOUND + NOISE)
    again = logged_in(one)
    warm(two, again, redis)
    logout(one, again)
    Requests(two, again).until_refused(BOUND + NOISE)


def test_restarted_redis(pair):
    one, two, redis = pair
    client = logged_in(two)
    warm(two, client, redis)
    redis.kill()
    redis.start()  # empty
    wait_for("a login", lambda: two.asks_for_login(client), 10, 0.05)
    again = logged_in(one)
    warm(two, again, redis)
    logout(one, again)
    Requests(two, again).until_refused(BOUND + NOISE)


def test_without_the_channel_there_is_no_cache(make_nginx, upstream, provider, make_redis):
    """An access list that lacks &__redis__:invalidate: one warning, and all works."""
    redis = make_redis(user="gateway", password="redis-password-canary",
                       acl="resetchannels ~* +@all")
    site = redis_site(make_nginx, upstream, provider, redis.port, redis_username="gateway",
                      redis_password="redis-password-canary")
    client = logged_in(site)
    before = reads(redis)
    for _ in range(20):
        assert site.echo(client).bearer
    assert reads(redis) - before >= 20
    assert site.nginx.error_log.read_text().count("no cache of sessions") == 1


def test_no_tracking(make_nginx, upstream, provider, make_redis):
    redis = make_redis(user="gateway", password="redis-password-canary",
                       acl="~* &* +@all -client|tracking")
    site = redis_site(make_nginx, upstream, provider, redis.port, redis_username="gateway",
                      redis_password="redis-password-canary")
    client = logged_in(site)
    for _ in range(20):
        assert site.echo(client).bearer
    assert site.nginx.error_log.read_text().count("no cache of sessions") == 1


def test_the_documented_access_list(make_nginx, upstream, provider, make_redis):
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    acl = re.search(r"^user gateway on >PASSWORD (.*)$", text, re.MULTILINE)[1]
    redis = make_redis(user="gateway", password="redis-password-canary", acl=acl)
    one, two = (redis_site(make_nginx, upstream, provider, redis.port, redis_username="gateway",
                           redis_password="redis-password-canary", redis_prefix="portal")
                for _ in range(2))
    client = logged_in(one)
    warm(one, client, redis)
    warm(two, client, redis)
    logout(one, client)
    Requests(two, client).until_refused(BOUND + NOISE)
    refused = [line for line in redis.command("ACL", "LOG")]
    assert refused == []


def test_small_cache_forgets_and_still_works(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis.port, http="oidc_session_cache 64k;")
    clients = [logged_in(site) for _ in range(60)]
    for _ in range(2):
        before = reads(redis)
        assert all(site.echo(client).bearer for client in clients)
        assert reads(redis) > before  # they do not all fit


def test_max_age(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis.port,
                      http="oidc_session_cache 1m max_age=1s;")
    client = logged_in(site)
    warm(site, client, redis)
    before, began = reads(redis), time.monotonic()
    while time.monotonic() - began < 3:
        assert site.echo(client).bearer
        time.sleep(0.01)
    assert 2 <= reads(redis) - before <= 4


def test_shm_logout_is_seen_by_all_workers(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, options={"workers": 3}, logout_uri_suffix="/logout")
    for _ in range(20):
        client = logged_in(site)
        held = [Requests(site, client) for _ in range(8)]  # some worker has each of them
        for _ in range(2):
            assert {requests.status() for requests in held} == {200}
        logout(site, client)
        assert {requests.status() for requests in held} == {401}


def test_sessions_in_use_stay(make_nginx, upstream, provider, make_redis):
    """The idle deadline moves although no request asks Redis for the session."""
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis.port, session_idling_timeout="3s")
    client = logged_in(site)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        assert site.echo(client).bearer
        time.sleep(0.1)
    time.sleep(3.5)
    assert site.asks_for_login(client)


def test_a_touch_that_another_made_is_enough(pair):
    """The login has just set the end: neither gateway moves it."""
    one, two, redis = pair
    first = logged_in(one)
    for site in pair[:2]:
        warm(site, first, redis)  # the channels are up
    client = logged_in(one)
    before = redis.calls()
    for site in (one, two):
        warm(site, client, redis)
        for _ in range(10):
            assert site.echo(client).bearer
    after = redis.calls()
    for name in ("eval", "evalsha", "pexpire"):
        assert after.get(name, 0) == before.get(name, 0)


@pytest.mark.parametrize("line, said", [
    ("oidc_session_cache 1k;", "oidc_session_cache"),
    ("oidc_session_cache 16m max=1s;", "only max_age=TIME"),
    ("oidc_session_cache 16m max_age=0;", "oidc_session_cache"),
    ("oidc_session_cache maybe;", "oidc_session_cache"),
    ("oidc_session_outage sometimes;", "deny or cached=TIME"),
    ("oidc_session_outage cached=2d;", "oidc_session_outage"),
    ("oidc_session_cache off; oidc_session_outage cached=1m;", "oidc_session_cache is off"),
])
def test_refused_at_nginx_t(make_nginx, upstream, provider, make_redis, line, said):
    good = redis_site(make_nginx, upstream, provider, make_redis().port)
    good.nginx.expected_alerts.append(r"\[emerg\].*oidc_session_")
    code, text = good.nginx.check(line + good.http)
    assert code != 0 and said in text

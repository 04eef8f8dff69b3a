"""Sessions in shm and in Redis, and what happens when Redis is ill."""

import re
import time

import pytest
from bench.ca import CertificateAuthority
from bench.client import NAVIGATION, XHR, Client
from bench.gateway import SESSION_SECRET, Site
from bench.http_server import Answer
from bench.login import at_provider, begin, hand_over, login
from bench.proc import make_dir, wait_for


def redis_site(make_nginx, upstream, provider, redis, **settings):
    address = {} if "redis_socket" in settings else {
        "redis_host": "127.0.0.1", "redis_port": redis.port}
    return Site(make_nginx, upstream, provider, **{
        "session_storage": "redis", "session_secret": SESSION_SECRET, **address, **settings})


def round_trip(site) -> Client:
    client = Client()
    site.login(client)
    assert site.echo(client, "/after").bearer
    return client


@pytest.fixture(scope="module")
def provider(op):
    return op.provider("main")


def test_shm_needs_no_secret_and_survives_a_reload(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, session_storage="shm")
    client = round_trip(site)
    site.nginx.reload()
    assert site.echo(client).bearer


def test_shm_is_shared_by_workers(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, options={"workers": 3})
    client = round_trip(site)
    for _ in range(30):  # new connections, whichever worker takes them
        assert site.echo(client).bearer


def test_own_zone(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, http="oidc_session_zone small 1m;",
                session_storage="shm:small")
    round_trip(site)


def test_a_flood_of_logins_takes_no_room_but_its_own(make_nginx, upstream, op):
    """Used states have a zone of their own; a state that cannot be noted is refused."""
    provider = op.provider("flood")
    site = Site(make_nginx, upstream, provider, http="oidc_authorization_zone 64k;")
    client = round_trip(site)
    log = site.nginx.view()
    provider.override["token"] = Answer(400, b'{"error": "invalid_grant"}')
    last = None
    try:
        for _ in range(1000):
            stranger = Client()
            last = hand_over(stranger, at_provider(begin(stranger, site.url("/")), site.origin))
            if last.status == 503:
                break
    finally:
        del provider.override["token"]
    assert last.status == 503, last
    assert log.wait_reason(["store_full"])
    assert 'zone "oidc_states" is full' in log.text()
    assert "oidc_authorization_zone" in log.text()
    # Who is logged in notices nothing, and the zones of others have room.
    assert site.echo(client).bearer
    assert 'zone "oidc_shared" is full' not in log.text()


def test_full_zone_is_said_and_does_not_crash(make_nginx, upstream, provider):
    """256 kB hold some hundred sessions: either old ones go or logins get 503, never a crash."""
    site = Site(make_nginx, upstream, provider, http="oidc_session_zone tiny 256k;",
                session_storage="shm:tiny")
    provider.edit_claims = lambda c: c | {"padding": "x" * 3000}
    try:
        statuses = {login(Client(), site.url("/")).status for _ in range(150)}
    finally:
        provider.edit_claims = lambda c: c
    assert statuses <= {302, 303, 503}
    log = site.nginx.view()
    response = login(Client(), site.url("/"))
    assert response.status in (302, 303) or "store_full" in log.reasons()


@pytest.mark.parametrize("how", ["tcp", "unix", "password", "acl", "tls", "prefix", "database"])
def test_redis(make_nginx, upstream, provider, make_redis, ca, certificate, how):
    server = {"password": {"password": "redis-password-canary"},
              "acl": {"user": "gateway", "password": "redis-password-canary"},
              "tls": {"certificate": certificate}}.get(how, {})
    redis = make_redis(**server)
    settings = {
        "unix": {"redis_socket": redis.socket},
        "password": {"redis_password": "redis-password-canary"},
        "acl": {"redis_username": "gateway", "redis_password": "redis-password-canary"},
        "tls": {"redis_ssl": "on", "redis_ssl_trusted_certificate": ca.path,
                "redis_server_name": "localhost"},
        "prefix": {"redis_prefix": "shop:"},
        "database": {"redis_database": "3"}}.get(how, {})
    site = redis_site(make_nginx, upstream, provider, redis, **settings)
    client = round_trip(site)
    database = 3 if how == "database" else 0
    keys = redis.keys(database=database)
    assert len(keys) >= 1
    if how == "prefix":
        assert all(k.startswith("shop:") for k in keys)
    # The cookie's session id is not in Redis, and no record opens without it.
    cookie = next(c for c in client.cookies() if "session" in c.name)
    # What the gateway probes its channel with goes by itself: DUMP is nil then, TTL -2.
    dump = b"".join(redis.command("DUMP", k, database=database) or b"" for k in keys)
    assert cookie.value not in "".join(keys)
    for secret in (cookie.value, site.echo(client).bearer, "alice"):
        assert secret.encode() not in dump
    lives = {k: redis.command("TTL", k, database=database) for k in keys}
    assert all(life == -2 or 0 < life <= 86400 for life in lives.values()), lives
    assert any(re.fullmatch(r"(session|shop:):[\w-]{43}", k) and life > 0
               for k, life in lives.items()), lives


def test_redis_two_gateways_share_sessions(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    one = redis_site(make_nginx, upstream, provider, redis)
    two = redis_site(make_nginx, upstream, provider, redis)
    assert two.echo(round_trip(one)).bearer


def test_record_moved_to_another_key_does_not_open(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis)
    alice = round_trip(site)
    first = redis.records()
    round_trip(site)
    second = [k for k in redis.records() if k not in first]
    for own, other in zip(first, second):
        redis.command("RESTORE", own, 0, redis.command("DUMP", other), "REPLACE")
    # A gateway that has never seen the session (no cache) must refuse the foreign record.
    fresh = redis_site(make_nginx, upstream, provider, redis)
    log = fresh.nginx.view()
    assert fresh.asks_for_login(alice)
    assert log.wait_reason(["session_record_invalid"])


@pytest.mark.parametrize("junk", [b"", b"junk", b"\0" * 4000, b"\xff" * 100_000])
def test_garbage_in_redis(make_nginx, upstream, provider, make_redis, junk):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis)
    client = round_trip(site)
    for key in redis.keys():
        redis.command("SET", key, junk)
    fresh = redis_site(make_nginx, upstream, provider, redis)
    response = fresh_navigate(fresh, client)
    # One that is longer than any record counts as an error of the store.
    assert response.status in ((503,) if len(junk) > 65536 else (302, 303)), response


def test_record_of_another_type_in_redis(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis)
    client = round_trip(site)
    for key in redis.keys():
        redis.command("DEL", key)
        redis.command("LPUSH", key, "x")
    fresh = redis_site(make_nginx, upstream, provider, redis)
    response = fresh_navigate(fresh, client)
    assert response.status in (302, 303, 503)


def fresh_navigate(site, client):
    seen = len(site.upstream.requests)
    response = client.navigate(site.url("/"))
    assert len(site.upstream.requests) == seen
    return response


def outage(site, client, timeout=10.0):
    """Redis does not answer: 503, Retry-After, the cookie untouched, nothing at the upstream."""
    jar = dict(client.jar)
    log, seen = site.nginx.view(), len(site.upstream.requests)
    for headers in (NAVIGATION, XHR):
        start = time.monotonic()
        response = client.request("GET", site.url("/out"), headers, timeout=timeout + 5)
        assert response.status == 503, response
        assert int(response.header("Retry-After")) > 0
        assert response.all("Set-Cookie") == []
        assert time.monotonic() - start < timeout
    assert len(site.upstream.requests) == seen
    assert client.jar == jar
    assert log.wait_reason(["store_unavailable"])


@pytest.fixture
def cold_site(make_nginx, upstream, provider, make_redis):
    """No cache of opened sessions: each request asks Redis."""
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis, http="oidc_session_cache off;",
                      redis_connect_timeout="1s",
                      redis_read_timeout="1s", redis_send_timeout="1s")
    return site, redis


def test_dead_redis_and_recovery(cold_site):
    site, redis = cold_site
    client = round_trip(site)
    redis.kill()
    outage(site, client)
    redis.start()  # empty: a miss now, so a login
    wait_for("recovery", lambda: site.asks_for_login(client), 10, 0.2)
    round_trip(site)


def test_hanging_redis_and_recovery(cold_site):
    site, redis = cold_site
    client = round_trip(site)
    redis.pause()
    outage(site, client)
    redis.resume()  # the session is still there
    wait_for("recovery", lambda: client.navigate(site.url("/back")).status == 200, 10, 0.2)


def test_redis_dies_during_a_login(cold_site):
    """The code is used up; the browser gets 503 and no session cookie, and may try again."""
    site, redis = cold_site
    client = Client()
    delivery = at_provider(begin(client, site.url("/")), site.origin)
    redis.kill()
    log = site.nginx.view()
    response = hand_over(client, delivery)
    assert response.status == 503, response
    assert log.wait_reason(["store_unavailable"])
    assert not [c for c in client.cookies() if "session" in c.name]
    redis.start()
    wait_for("recovery", lambda: _works(site), 10, 0.3)


def test_redis_absent_at_start(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    redis.kill()
    site = redis_site(make_nginx, upstream, provider, redis)
    assert site.asks_for_login(Client())  # a pending login needs no store
    redis.start()
    wait_for("login", lambda: _works(site), 10, 0.3)


def _works(site):
    return login(Client(), site.url("/")).status in (302, 303)


@pytest.mark.parametrize("fault", ["wrong-ca", "wrong-name", "plain", "password"])
def test_redis_is_not_trusted_blindly(make_nginx, upstream, provider, make_redis, ca, certificate,
                                      fault):
    stranger = CertificateAuthority(make_dir("ca"), "stranger CA")
    redis = make_redis(
        certificate=None if fault == "plain" else
        ca.issue("redis-other", ["other.test"]) if fault == "wrong-name" else certificate,
        **({"password": "right-redis-password"} if fault == "password" else {}))
    site = redis_site(
        make_nginx, upstream, provider, redis, redis_ssl="on", redis_server_name="localhost",
        redis_ssl_trusted_certificate=stranger.path if fault == "wrong-ca" else ca.path,
        **({"redis_password": "wrong-redis-password"} if fault == "password" else {}))
    site.nginx.expected_alerts.append("certificate verify failed|SSL_do_handshake")
    log = site.nginx.view()
    response = login(Client(), site.url("/"))
    assert response.status == 503, response
    assert log.wait_reason(["store_unavailable"])
    assert redis.keys() == [] if fault != "plain" else True


@pytest.mark.parametrize("storage", ["shm", "redis"])
def test_timeouts(make_nginx, upstream, provider, make_redis, storage):
    where = {"session_storage": "shm"}
    if storage == "redis":
        where = {"session_storage": "redis", "session_secret": SESSION_SECRET,
                 "redis_port": make_redis().port}
    idle = Site(make_nginx, upstream, provider, session_idling_timeout="2s", **where)
    absolute = Site(make_nginx, upstream, provider, session_absolute_timeout="7s", **where)
    one, two = Client(), Client()
    idle.login(one)
    absolute.login(two)
    for _ in range(3):  # in use, the idle one stays
        time.sleep(1)
        assert idle.echo(one).bearer
        assert absolute.echo(two).bearer
    time.sleep(5)
    assert absolute.asks_for_login(two)
    assert idle.asks_for_login(one)


def test_session_secret_rotation(make_nginx, upstream, provider, make_redis):
    """Three steps: accept the new one, seal with it, drop the old one."""
    redis, new = make_redis(), SESSION_SECRET[::-1]
    site = redis_site(make_nginx, upstream, provider, redis)
    old_session = round_trip(site)

    def with_secrets(*secrets):
        site.nginx.reload(site.http.replace(
            f"oidc_session_secret {SESSION_SECRET};", f"oidc_session_secret {' '.join(secrets)};"))
        wait_for("old workers gone", lambda: len(site.nginx.workers()) == 1, 10)
    with_secrets(SESSION_SECRET, new)
    assert site.echo(old_session).bearer
    with_secrets(new, SESSION_SECRET)
    assert site.echo(old_session).bearer
    new_session = round_trip(site)
    with_secrets(new)
    assert site.asks_for_login(old_session)
    assert site.echo(new_session).bearer

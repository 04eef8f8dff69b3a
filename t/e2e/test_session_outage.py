"""Redis does not answer: what oidc_session_outage says happens, at once, and ends by itself."""

import json
import subprocess
import sys
import threading
import time

import pytest
from bench import traffic
from bench.client import NAVIGATION, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.nginx import location
from bench.proc import make_dir, wait_for

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]
NOISE = 3.0  # what a busy machine may add
QUICK = {"redis_connect_timeout": "1s", "redis_read_timeout": "1s", "redis_send_timeout": "1s"}


def redis_site(make_nginx, upstream, provider, redis, **settings):
    return Site(make_nginx, upstream, provider, **{
        "session_storage": "redis", "session_secret": SESSION_SECRET, "redis_port": redis.port,
        "logout_uri_suffix": "/logout", **QUICK, **settings})


@pytest.fixture
def provider(op, request):
    return op.provider(request.node.name.replace("[", "-").replace("]", ""))


def logged_in(site):
    client = Client()
    site.login(client)
    assert site.echo(client).bearer
    return client


def status(site, client):
    return client.navigate(site.url("/page")).status


def until(site, client, wanted, limit):
    """Seconds until that status comes; before, only `200`."""
    began = time.monotonic()
    while (came := status(site, client)) != wanted:
        assert came == 200
        assert time.monotonic() - began < limit, f"no {wanted} within {limit} s"
        time.sleep(0.02)
    return time.monotonic() - began


def served_for(site, client, asked, seconds, meanwhile=lambda: None):
    """Every answer is `200`, but for those that may have been given after so much time."""
    served = 0
    while True:
        response = client.navigate(site.url("/page"))
        if time.monotonic() - asked >= seconds:
            break
        assert response.status == 200, response
        served += 1
        meanwhile()
        time.sleep(0.05)
    assert served > 0


def recovered(site, client):
    wait_for("recovery", lambda: status(site, client) == 200, 10, 0.05)


def test_denied_by_default(make_nginx, upstream, provider, make_redis):
    """The cache ends with its channel, 2 s at most; the cookie stays and is good again afterwards."""
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis)
    client = logged_in(site)
    bearer, jar = site.echo(client).bearer, dict(client.jar)
    redis.pause()
    assert until(site, client, 503, 2 + NOISE) < 2 + NOISE
    response = client.navigate(site.url("/page"))
    assert response.status == 503 and int(response.header("Retry-After")) > 0
    assert response.all("Set-Cookie") == [] and client.jar == jar
    redis.resume()
    recovered(site, client)
    assert site.echo(client).bearer == bearer


@pytest.mark.parametrize("how", ["hangs", "dies"])
def test_cached(make_nginx, upstream, provider, make_redis, how):
    """Sessions go on for T since Redis confirmed them, and no longer."""
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis, session_outage="cached=8s",
                      http="oidc_session_cache 1m max_age=1s;")
    client, cold = logged_in(site), Client()
    bearer = site.echo(client).bearer
    time.sleep(1.1)
    asked = time.monotonic()
    assert site.echo(client).bearer == bearer  # confirmed anew
    redis.pause() if how == "hangs" else redis.kill()
    served_for(site, client, asked, 8)
    until(site, client, 503, NOISE)
    assert cold.navigate(site.url("/")).status in (302, 303)  # nobody's request needs no store
    jar = dict(client.jar)
    if how == "hangs":
        redis.resume()
        recovered(site, client)
        assert site.echo(client).bearer == bearer and client.jar == jar
    else:
        redis.start()  # empty
        wait_for("a login", lambda: site.asks_for_login(client), 10, 0.05)


def test_what_redis_never_confirmed_is_not_served(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    one, two = (redis_site(make_nginx, upstream, provider, redis, session_outage="cached=1m")
                for _ in range(2))
    client = logged_in(one)
    redis.pause()
    assert status(two, client) == 503
    assert status(one, client) == 200
    forged = Client()
    forged.jar = {k: type(c)(c.name, c.value[:-4] + "AAAA") for k, c in client.jar.items()}
    assert forged.navigate(one.url("/page")).status in (302, 303, 401)
    redis.resume()
    recovered(two, client)


def test_not_beyond_the_access_token(make_nginx, upstream, provider, make_redis):
    provider.token_life = 7
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis, session_outage="cached=1m")
    client = logged_in(site)
    began = time.monotonic()
    redis.pause()
    until(site, client, 503, 7 + NOISE)
    assert time.monotonic() - began > 3  # and not before
    grants = [r for r in provider.requests if r.path.endswith("/token")]
    assert len(grants) == 1, "no refresh without the store"
    redis.resume()
    recovered(site, client)


def test_not_beyond_the_idle_end(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis, session_outage="cached=1m",
                      session_idling_timeout="4s")
    client = logged_in(site)
    redis.pause()
    until(site, client, 503, 4 + NOISE)
    redis.resume()


@pytest.mark.parametrize("reload", [False, True])
def test_logout_in_an_outage_stays_one(make_nginx, upstream, provider, make_redis, reload):
    """Refused on this machine at once, by every worker, and everywhere when Redis is back."""
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis, session_outage="cached=1m",
                      options={"workers": 2})
    other = redis_site(make_nginx, upstream, provider, redis)
    client, bystander = logged_in(site), logged_in(site)
    for _ in range(20):  # both workers know it, as a rule
        assert site.echo(client).bearer
    thief = Client()
    thief.jar = dict(client.jar)
    redis.pause()
    for _ in range(6):
        assert status(site, client) in (200, 503)  # 503: a worker that never had it
    response = client.request("POST", site.url("/logout"), SAME, b"")
    assert response.status in (200, 302, 303), response
    assert not [c for c in client.cookies() if "session" in c.name]
    for _ in range(20):
        assert site.asks_for_login(thief)
    if reload:
        old = set(site.nginx.workers())
        site.nginx.reload()
        wait_for("old workers gone", lambda: not old & set(site.nginx.workers()), 20)
    records = 2
    redis.resume()
    wait_for("the logout is told", lambda: len(redis.records()) < records, 10, 0.05)
    assert len(redis.records()) == 1
    for _ in range(10):
        assert site.asks_for_login(thief)
    assert other.asks_for_login(thief)
    recovered(site, bystander)


def test_a_logout_without_cached_waits_for_redis(make_nginx, upstream, provider, make_redis):
    redis = make_redis()
    site = redis_site(make_nginx, upstream, provider, redis)
    client = logged_in(site)
    redis.pause()
    response = client.request("POST", site.url("/logout"), SAME, b"")
    assert response.status == 503 and response.all("Set-Cookie") == []
    redis.resume()
    recovered(site, client)


def test_a_hanging_redis_is_given_up(make_nginx, upstream, provider, make_redis, capsys):
    """It accepts connections and never answers. After two silent connections nobody waits for it;
    other requests never do."""
    redis, root = make_redis(), make_dir("root")
    (root / "plain").write_text("served")
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(
            provider, session_storage="redis", session_secret=SESSION_SECRET,
            redis_port=redis.port, **QUICK) + f"proxy_pass {upstream.origin};"),
        location("/plain", f"root {root};")]))
    client = logged_in(site)
    redis.pause()
    meter = subprocess.Popen(
        [sys.executable, traffic.__file__, str(site.port), "/plain", "6"], stdout=subprocess.PIPE)
    began, delays = time.monotonic(), []

    def ask():
        while time.monotonic() - began < 6:
            start = time.monotonic()
            came = client.navigate(site.url("/page")).status
            delays.append((start - began, time.monotonic() - start, came))
            time.sleep(0.02)
    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plain = sorted(json.loads(meter.communicate(timeout=30)[0]))
    early = max(delay for at, delay, _ in delays if at < 4)
    late = sorted(delay for at, delay, _ in delays if at >= 4)
    with capsys.disabled():
        print(f"\n    hanging Redis: others {len(plain)} requests, median "
              f"{plain[len(plain) // 2]*1e3:.2f} ms, worst {plain[-1]*1e3:.1f} ms; its own: worst "
              f"{early:.2f} s at first, then {len(late)} with median {late[len(late) // 2]*1e3:.1f}"
              f" ms, worst {late[-1]:.2f} s")
    assert plain[-1] < 0.5
    assert len(late) > 20 and late[len(late) // 2] < 0.3
    # One at a time may wait for the attempt that finds out.
    assert sum(delay > 0.7 for delay in late) <= 4
    redis.resume()
    recovered(site, client)

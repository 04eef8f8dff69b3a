"""The life of a session: its sid's renewal, the idle and absolute ends, in shm and in Redis."""

import threading
import time

import pytest
from bench.client import XHR, Client
from bench.gateway import SESSION_SECRET, Site
from bench.proc import wait_for

ROLLING = 8  # renewed from the 6th second on; the old sid lives on for 2


@pytest.fixture(params=["shm", "redis"])
def storage(request, make_redis):
    if request.param == "shm":
        return {"session_storage": "shm"}
    return {"session_storage": "redis", "session_secret": SESSION_SECRET,
            "redis_port": make_redis().port}


@pytest.fixture
def provider(op, request):
    made = op.provider(request.node.name.replace("[", "-").replace("]", ""))
    made.token_life = 3600
    return made


def session_cookies(response):
    return [c.partition("=")[2].partition(";")[0] for c in response.all("Set-Cookie")
            if "session" in c.partition("=")[0]]


def copy_of(client: Client) -> Client:
    own = Client()
    own.jar = dict(client.jar)
    return own


def until_renewal(site: Site, client: Client):
    """The first answer with a new cookie; `client` takes it."""
    return wait_for("a renewal", lambda: session_cookies(site_get(site, client)), 60)


def site_get(site: Site, client: Client):
    response = client.get(site.url("/x"), XHR)
    assert response.status == 200, response
    return response


def test_renewal_by_one_of_many(make_nginx, upstream, provider, storage):
    site = Site(make_nginx, upstream, provider, session_rolling_timeout=f"{ROLLING}s",
                options={"workers": 2}, **storage)
    client = Client()
    began = time.time()
    site.login(client)
    old = site.echo(client)
    assert not session_cookies(site_get(site, client))
    time.sleep(max(0.0, began + ROLLING * 3 / 4 + 1 - time.time()))
    answers, barrier = [], threading.Barrier(16)

    def one():
        own = copy_of(client)
        barrier.wait()
        answers.append(own.get(site.url("/x"), XHR))
    threads = [threading.Thread(target=one) for _ in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert [a.status for a in answers] == [200] * 16
    new = [(a, c) for a in answers for c in session_cookies(a)]
    assert len(new) == 1, "one new cookie"
    assert new[0][0].header("Cache-Control") == "private, no-store"
    renewed = copy_of(client)
    renewed.store("127.0.0.1", new[0][0].header("Set-Cookie"))
    assert site.echo(renewed).bearer == old.bearer, "the session's tokens stay"
    # The old one is over soon, the new one stays.
    wait_for("the old sid's end",
             lambda: client.get(site.url("/x"), XHR).status == 401, 15)
    assert site.echo(renewed).bearer == old.bearer


def test_the_old_sid_works_for_requests_in_flight(make_nginx, upstream, provider, storage):
    site = Site(make_nginx, upstream, provider, session_rolling_timeout="20s", **storage)
    client = Client()
    site.login(client)
    before = copy_of(client)
    until_renewal(site, client)
    response = before.get(site.url("/x"), XHR)
    assert response.status == 200
    assert not session_cookies(response)
    wait_for("the old sid's end",
             lambda: before.get(site.url("/x"), XHR).status == 401, 20)
    assert site_get(site, client).status == 200


@pytest.mark.parametrize("with_old", [True, False])
def test_logout_in_the_grace_ends_both(make_nginx, upstream, provider, storage, with_old):
    site = Site(make_nginx, upstream, provider, session_rolling_timeout="20s",
                logout_uri_suffix="/logout", **storage)
    client = Client()
    site.login(client)
    before = copy_of(client)
    until_renewal(site, client)
    after = copy_of(client)
    leaving = copy_of(before if with_old else after)
    out = leaving.post(site.url("/logout"), b"", [("Sec-Fetch-Site", "same-origin")])
    assert out.status in (200, 302, 303), out
    assert before.get(site.url("/x"), XHR).status == 401
    assert after.get(site.url("/x"), XHR).status == 401


def test_a_sid_that_nobody_renews_ends(make_nginx, upstream, provider, storage):
    site = Site(make_nginx, upstream, provider, session_rolling_timeout="4s", **storage)
    client = Client()
    site.login(client)
    time.sleep(4.2)
    assert client.get(site.url("/x"), XHR).status == 401


def test_zero_is_off(make_nginx, upstream, provider, storage):
    site = Site(make_nginx, upstream, provider, session_rolling_timeout="0",
                session_idling_timeout="0", session_absolute_timeout="5s", **storage)
    client = Client()
    began = time.time()
    site.login(client)
    while time.time() < began + 4:
        assert not session_cookies(site_get(site, client))
        time.sleep(0.5)
    time.sleep(max(0.0, began + 6.2 - time.time()))
    assert client.get(site.url("/x"), XHR).status == 401


def test_the_absolute_end_comes_in_spite_of_renewals(make_nginx, upstream, provider, storage):
    site = Site(make_nginx, upstream, provider, session_rolling_timeout="4s",
                session_absolute_timeout="9s", **storage)
    client = Client()
    began = time.time()
    site.login(client)
    renewals = 0
    while time.time() < began + 8:
        renewals += len(session_cookies(site_get(site, client)))
        time.sleep(0.4)
    assert renewals >= 1
    time.sleep(max(0.0, began + 10.2 - time.time()))
    assert client.get(site.url("/x"), XHR).status == 401

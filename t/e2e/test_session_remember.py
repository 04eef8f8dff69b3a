"""The remember cookie: a session after the session's end, in shm and in Redis."""

import threading
import time

import pytest
from bench.client import XHR, Client
from bench.gateway import SESSION_SECRET, Site


@pytest.fixture(params=["shm", "redis"])
def storage(request, make_redis):
    if request.param == "shm":
        return {"session_storage": "shm"}
    return {"session_storage": "redis", "session_secret": SESSION_SECRET,
            "redis_port": make_redis().port}


@pytest.fixture
def site(make_nginx, upstream, op, request, storage):
    provider = op.provider(request.node.name.replace("[", "-").replace("]", ""))
    provider.token_life = 600
    return Site(make_nginx, upstream, provider, session_remember="on", session_idling_timeout="3s",
                logout_uri_suffix="/logout", options={"workers": 2}, **storage)


def only(client: Client, word: str) -> Client:
    own = Client()
    own.jar = {k: c for k, c in client.jar.items() if word in c.name}
    return own


def test_after_the_sessions_end(site):
    client = Client()
    site.login(client)
    remember = next(c for c in client.cookies() if "remember" in c.name)
    assert int(remember.attributes["max-age"]) == 604800
    stolen = only(client, "session")
    time.sleep(3.5)
    assert stolen.get(site.url("/x"), XHR).status == 401
    response = client.get(site.url("/x"), XHR)
    assert response.status == 200
    assert len(response.all("Set-Cookie")) == 2
    assert client.get(site.url("/x"), XHR).status == 200
    assert next(c for c in client.cookies() if "remember" in c.name).value != remember.value
    assert site.provider.violations == []


def test_tabs_of_a_restored_browser_get_one_session(site):
    client = Client()
    site.login(client)
    restored = only(client, "remember")
    answers, barrier = [], threading.Barrier(10)

    def one():
        own = only(restored, "remember")
        barrier.wait()
        answers.append(own.get(site.url("/x"), XHR))
    threads = [threading.Thread(target=one) for _ in range(10)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert [a.status for a in answers] == [200] * 10
    assert len({c for a in answers for c in a.all("Set-Cookie")}) == 2
    assert site.provider.violations == []


def test_a_logout_forgets(site):
    client = Client()
    site.login(client)
    remembered = only(client, "remember")
    out = client.post(site.url("/logout"), b"", [("Sec-Fetch-Site", "same-origin")])
    assert out.status in (200, 302, 303)
    assert not [c for c in client.cookies() if "remember" in c.name]
    assert remembered.get(site.url("/x"), XHR).status == 401


def test_it_does_not_reach_the_upstream(site):
    client = Client()
    site.login(client)
    response = client.get(site.url("/x"), XHR)
    assert response.status == 200
    for cookie in client.cookies():
        assert cookie.value not in response.text


def test_name_and_timeouts(make_nginx, upstream, op):
    """Used up and renewed for its rolling timeout, but never beyond the absolute one of the login."""
    provider = op.provider("remember-settings")
    provider.token_life = 600
    site = Site(make_nginx, upstream, provider, session_remember="on", session_idling_timeout="2s",
                session_remember_cookie_name="kept", session_remember_rolling_timeout="5s",
                session_remember_absolute_timeout="8s")
    client = Client()
    site.login(client)
    began = time.monotonic()
    kept = next(c for c in client.cookies() if c.name == "kept")
    assert int(kept.attributes["max-age"]) == 5
    time.sleep(3.5)
    assert client.get(site.url("/x"), XHR).status == 200
    kept = next(c for c in client.cookies() if c.name == "kept")
    assert int(kept.attributes["max-age"]) <= 5
    client = only(client, "kept")
    time.sleep(max(0, began + 10 - time.monotonic()))
    assert client.get(site.url("/x"), XHR).status == 401

"""Front-Channel Logout 1.0: an iframe in the provider's page."""

from urllib.parse import urlencode

import pytest
from bench.client import Client
from bench.gateway import SESSION_SECRET, Site
from bench.logout_token import ended

PATH = "/oidc/frontchannel"
IFRAME = [("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe"),
          ("Sec-Fetch-Site", "cross-site")]


@pytest.fixture(scope="module", params=["shm", "redis"])
def site(request, make_nginx, upstream, op, make_redis):
    where = {"session_storage": "shm"}
    if request.param == "redis":
        where = {"session_storage": "redis", "session_secret": SESSION_SECRET,
                 "redis_port": make_redis().port}
    return Site(make_nginx, upstream, op.provider(f"front-{request.param}"),
                frontchannel_logout_uri=PATH, **where)


def logged_in(site, sid):
    site.provider.claims = {"sub": "alice", "sid": sid}
    client = Client()
    site.login(client)
    assert site.echo(client).bearer
    return client


def frame(site, client=None, method="GET", query=None, **arguments):
    query = urlencode(arguments) if query is None else query
    return (client or Client()).request(method, site.url(f"{PATH}?{query}"), IFRAME,
                                        b"" if method == "POST" else None)


def empty_page(site, response):
    assert response.status == 200, response
    assert "no-store" in response.header("Cache-Control")
    origin = "/".join(site.provider.issuer.split("/")[:3])
    assert response.header("Content-Security-Policy").endswith(f"frame-ancestors {origin}")
    assert response.header("X-Frame-Options") is None
    assert len(response.body) < 300


def test_issuer_and_sid(site):
    client, other = logged_in(site, "sid-1"), logged_in(site, "sid-2")
    revocations = site.provider.count("revoke")
    response = frame(site, iss=site.provider.issuer, sid="sid-1")
    empty_page(site, response)
    assert response.all("Set-Cookie") == []
    ended(site, client)
    assert site.echo(other).bearer
    assert site.provider.count("revoke") == revocations


def test_with_the_cookie_it_goes_too(site):
    client = logged_in(site, "sid-3")
    response = frame(site, client, iss=site.provider.issuer, sid="sid-3")
    empty_page(site, response)
    assert not [c for c in client.cookies() if "session" in c.name]
    other = logged_in(site, "sid-4")
    assert frame(site, other, iss=site.provider.issuer, sid="sid-5").all("Set-Cookie") == []
    assert site.echo(other).bearer


def test_without_parameters_only_what_came_along(site):
    client = logged_in(site, "sid-6")
    empty_page(site, frame(site))
    assert site.echo(client).bearer
    copy = dict(client.jar)
    empty_page(site, frame(site, client))
    client.jar.update(copy)
    ended(site, client)


@pytest.mark.parametrize("query, status", [
    ("iss=https%3A%2F%2Fevil.test&sid=sid-7", 400), ("sid=sid-7", 400), ("iss={iss}", 400),
    ("iss={iss}&sid=sid-7&sid=sid-8", 400), ("iss={iss}&iss={iss}&sid=sid-7", 400),
    ("iss={iss}/&sid=sid-7", 400), ("iss={iss}&sid=%zz", 400), ("iss={iss}&sid=%00", 400),
    ("iss={iss}&sid=sid-", 200), ("iss={iss}&sid=sid-7%20", 200), ("iss={iss}&sid=SID-7", 200),
    ("iss={iss}&sid=*", 200), ("iss={iss}&sub=alice&sid=x", 200),
])
def test_hostile_frontchannel_ends_nothing(site, query, status):
    client = logged_in(site, "sid-7")
    response = frame(site, query=query.format(iss=site.provider.issuer))
    assert response.status == status, response
    assert "no-store" in response.header("Cache-Control")
    assert site.echo(client).bearer


def test_get_only(site):
    client = logged_in(site, "sid-9")
    response = frame(site, method="POST", iss=site.provider.issuer, sid="sid-9")
    assert response.status == 405, response
    assert response.header("Allow") == "GET"
    assert site.echo(client).bearer


def test_strangers_write_nothing(make_nginx, upstream, op, make_redis):
    redis = make_redis()
    site = Site(make_nginx, upstream, op.provider("strangers"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_port=redis.port, frontchannel_logout_uri=PATH)
    for number in range(20):
        empty_page(site, frame(site, iss=site.provider.issuer, sid=f"sid-{number}"))
    assert [k for k in redis.keys() if ":tracking:" not in k] == []
    client = logged_in(site, "sid-1")
    redis.pause()
    response = frame(site, iss=site.provider.issuer, sid="sid-1")
    assert response.status == 503, response
    redis.resume()
    assert site.echo(client).bearer

"""oidc_session_admin: lists and ends sessions; who may ask is nginx's business, and checked."""

import json
import time

import pytest
from bench.client import Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.logout_token import ended
from bench.nginx import Nginx, location
from bench.proc import wait_for


def admin_location(path, inner, provider, where):
    return location(path, protect(provider, **where).replace("oidc on;", "oidc off;", 1) + inner)


@pytest.fixture(scope="module", params=["shm", "redis"])
def site(request, make_nginx, upstream, op, make_redis):
    where = {"session_storage": "shm"}
    if request.param == "redis":
        where = {"session_storage": "redis", "session_secret": SESSION_SECRET,
                 "redis_port": make_redis().port}
    provider = op.provider(f"admin-{request.param}")
    admin = "oidc_session_admin on; "
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **where) + f"proxy_pass {upstream.origin};"),
        admin_location("= /sessions", admin + "allow 127.0.0.1; deny all;", provider, where),
        admin_location("= /denied", admin + "deny all;", provider, where),
        location("= /own", protect(provider, **where) + admin),
    ]), options={"workers": 2})


def logged_in(site, subject, sid):
    site.provider.claims = {"sub": subject, "sid": sid}
    client = Client()
    site.login(client)
    assert site.echo(client).bearer
    return client


def ask(site, method, query, path="/sessions", client=None, headers=()):
    response = (client or Client()).request(method, site.url(f"{path}?{query}"), list(headers))
    assert response.header("Access-Control-Allow-Origin") is None
    return response


def answer(response):
    assert response.status == 200, response
    assert response.header("Content-Type") == "application/json"
    assert "no-store" in response.header("Cache-Control")
    return response.json()


def after_the_logout():
    """It ends logins of its own second too, and with Redis, where clocks differ, of two more."""
    last = int(time.time()) + 2
    wait_for("the time of new logins", lambda: int(time.time()) > last)


def test_list_and_end(site):
    one, two = logged_in(site, "ann", "ann-1"), logged_in(site, "ann", "ann-2")
    other = logged_in(site, "ben", "ben-1")
    listed = answer(ask(site, "GET", "subject=ann"))["sessions"]
    assert len(listed) == 2
    by_sid = answer(ask(site, "GET", "sid=ann-1"))["sessions"]
    assert len(by_sid) == 1 and by_sid[0] in listed
    assert abs(by_sid[0]["created"] - time.time()) < 120
    assert answer(ask(site, "GET", f"id={by_sid[0]['id']}"))["sessions"][0]["id"] == by_sid[0]["id"]
    assert answer(ask(site, "DELETE", f"id={by_sid[0]['id']}")) == {"ended": 1}
    ended(site, one)
    assert site.echo(two).bearer
    assert answer(ask(site, "DELETE", "sid=ann-2"))["ended"] == 1
    ended(site, two)
    assert answer(ask(site, "GET", "subject=ann")) == {"sessions": [], "more": False}
    assert answer(ask(site, "DELETE", "subject=ben"))["ended"] == 1
    ended(site, other)
    after_the_logout()
    assert logged_in(site, "ben", "ben-2")


def test_it_gives_nothing_away(site):
    client = logged_in(site, "cleo", "cleo-1")
    log = site.nginx.view()
    response = ask(site, "GET", "subject=cleo")
    bearer = site.echo(client).bearer
    cookie = next(c for c in client.cookies() if "session" in c.name)
    for secret in (bearer, cookie.value, "cleo"):
        assert secret not in response.text
    assert "subject=cleo" not in log.text()
    assert response.json()["sessions"][0]["id"] not in cookie.value
    head = ask(site, "HEAD", "subject=cleo")
    assert head.status == 200 and head.body == b""


def test_who_may_ask(site):
    client = logged_in(site, "dora", "dora-1")
    for method in ("GET", "DELETE"):
        assert ask(site, method, "subject=dora", "/denied").status == 403
        assert ask(site, method, "subject=dora", "/own").status in (302, 303, 401)
    assert site.echo(client).bearer
    assert len(answer(ask(site, "GET", "subject=dora", "/own", client))["sessions"]) == 1


@pytest.mark.parametrize("headers", [
    [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")],
    [("Origin", "https://evil.test")], [("Origin", "null")], [("Referer", "https://evil.test/x")],
    [("Sec-Purpose", "prefetch")],
    # A name of somebody's own that leads here (DNS rebinding).
    [("Host", "evil.test"), ("Origin", "http://evil.test")],
    [("Host", "evil.test"), ("Referer", "http://evil.test/x")],
    [("Host", "evil.test"), ("Sec-Fetch-Site", "same-origin")],
])
def test_hostile_sites_end_nothing(site, headers):
    client = logged_in(site, "eve", "eve-1")
    for path in ("/sessions", "/own"):
        response = ask(site, "DELETE", "subject=eve", path, client, headers)
        assert response.status == 403, response
    assert site.echo(client).bearer
    preflight = ask(site, "OPTIONS", "subject=eve", headers=[
        ("Origin", "https://evil.test"), ("Access-Control-Request-Method", "DELETE")])
    assert preflight.status == 405, preflight


@pytest.mark.parametrize("query", [
    "", "subject=", "subject=frank&sid=frank-1", "subject=frank&subject=frank", "user=frank",
    "id=x", "id=" + "!" * 43, "id=../../etc/passwd", "subject=%zz", "subject=%00frank",
    "subject=" + "a" * 3000, "subject", "&".join(f"a{i}=1" for i in range(50))])
def test_hostile_queries_end_nothing(site, query):
    client = logged_in(site, "frank", "frank-1")
    for method in ("GET", "DELETE"):
        response = ask(site, method, query)
        assert response.status == 400, response
        assert response.json()["error"] == "admin_request_invalid"
    for method in ("POST", "PUT", "PATCH"):
        response = ask(site, method, "subject=frank")
        assert response.status == 405, response
        assert response.header("Allow") == "GET, HEAD, DELETE"
    assert site.echo(client).bearer


@pytest.mark.parametrize("guard, fine", [
    ("", False), ("satisfy any;", False), ("auth_basic off;", False), ("oidc off;", False),
    ("allow 127.0.0.1; deny all;", True), ("allow ::1;", True), ("internal;", True),
    ("oidc on;", True), ("oidc on; oidc_unauthenticated pass;", False),
    ("auth_basic realm; auth_basic_user_file /dev/null;", True)])
@pytest.mark.parametrize("word", ["on", "public"])
def test_an_open_location_is_refused(settings, op, guard, fine, word):
    provider = op.provider("guard")
    nginx = Nginx(settings, "config")
    inner = protect(provider).replace("oidc on;", "", 1) + f"oidc_session_admin {word}; {guard}"
    code, text = nginx.check("server { listen 127.0.0.1:1; server_name a.test; "
                             + location("= /sessions", inner) + "}")
    assert (code == 0) == (fine or word == "public"), text
    if code != 0:
        assert "oidc_session_admin" in text and "auth_basic" in text and "/sessions" in text


def test_guards_are_inherited_and_it_stands_in_locations_only(settings, op):
    provider = op.provider("guard")
    nginx = Nginx(settings, "config")
    admin = protect(provider).replace("oidc on;", "", 1) + "oidc_session_admin on;"
    server = "server {{ listen 127.0.0.1:1; server_name a.test; {} }}"
    code, text = nginx.check(server.format("deny all; " + location("/sessions", admin)))
    assert code == 0, text
    code, text = nginx.check(server.format("oidc_session_admin on;"))
    assert code != 0 and "not allowed here" in text


def test_a_condition_in_a_nested_location_is_no_administration(make_nginx, upstream, op):
    provider = op.provider("admin-nested")
    open_one = f"if ($arg_subject) {{ set $x 1; }} proxy_pass {upstream.origin}; allow all;"
    site = Site(make_nginx, upstream, provider, admin_location(
        "/sessions/", "oidc_session_admin on; allow 127.0.0.2; deny all; "
        + location("/sessions/open/", open_one), provider, {}))
    response = ask(site, "DELETE", "subject=ann", "/sessions/open/x")
    assert response.status == 200 and response.json()["upstream"] is True


def test_store_down(make_nginx, upstream, op, make_redis):
    redis = make_redis()
    where = {"session_storage": "redis", "session_secret": SESSION_SECRET, "redis_port": redis.port,
             "redis_read_timeout": "1s", "redis_connect_timeout": "1s"}
    provider = op.provider("admin-down")
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **where) + f"proxy_pass {upstream.origin};"),
        admin_location("= /sessions", "oidc_session_admin on; allow all;", provider, where)]))
    client = logged_in(site, "gus", "gus-1")
    redis.pause()
    for method in ("GET", "DELETE"):
        response = ask(site, method, "subject=gus")
        assert response.status == 503, response
        assert json.loads(response.body)["error"] == "store_unavailable"
    redis.resume()
    wait_for("the session is still there", lambda: client.navigate(site.url("/")).status == 200,
             10, 0.2)

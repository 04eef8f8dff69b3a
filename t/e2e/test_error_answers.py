"""What refusals look like: JSON, pages, redirects, words of one's own; and what they end."""

import json

import pytest
from bench.client import FORM, NAVIGATION, XHR, Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.nginx import location

RULE = "oidc_roles_required admin;"
ELSEWHERE = [("Sec-Fetch-Site", "cross-site") if name == "Sec-Fetch-Site" else (name, value)
             for name, value in NAVIGATION]


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("answers")
    proxy = f"proxy_pass {upstream.origin};"

    def block(path, **settings):
        return location(path, protect(provider, **settings) + RULE + proxy)
    return Site(make_nginx, upstream, provider, "\n".join([
        block("/plain/"),
        block("/words/", forbidden_error_message='"Ask <the desk> \\"now\\""',
              unauthorized_error_message='"Zuerst anmelden: ä"', unauthenticated="deny"),
        block("/display/", display_errors="on"),
        block("/moved/", forbidden_redirect_uri="/moved/denied?why=role",
              unauthorized_redirect_uri="https://status.example.test/401", unauthenticated="deny"),
        location("/open/", protect(provider) + proxy)]))


@pytest.fixture(scope="module")
def reader(site):
    client = Client()
    site.login(client, "/open/")
    return client


def test_json(site, reader):
    response = reader.get(site.url("/plain/x"))
    assert response.status == 403
    assert response.header("Content-Type") == "application/json"
    assert response.header("X-Content-Type-Options") == "nosniff"
    body = response.json()
    assert {k: body[k] for k in ("message", "error")} == {"message": "Forbidden",
                                                          "error": "forbidden"}
    assert set(body) == {"message", "error", "request_id"} and len(body["request_id"]) == 32
    assert body["request_id"] in (site.nginx.dir / "error.log").read_text()


def test_page(site, reader):
    response = reader.navigate(site.url("/plain/x"))
    assert response.status == 403
    assert response.header("Content-Type") == "text/html; charset=utf-8"
    assert response.header("Content-Security-Policy").startswith("default-src 'none'")
    for part in (b'<html lang="en">', b"<title>Forbidden</title>", b"<main><h1>Forbidden</h1>",
                 b"forbidden &middot; "):
        assert part in response.body, response.body
    assert b"rules of this location" not in response.body


def test_words_of_ones_own(site, reader):
    page = reader.navigate(site.url("/words/x"))
    assert b"<h1>Ask &lt;the desk&gt; &quot;now&quot;</h1>" in page.body
    assert reader.get(site.url("/words/x")).json()["message"] == 'Ask <the desk> "now"'
    stranger = Client()
    assert stranger.get(site.url("/words/x")).status == 401
    assert json.loads(stranger.get(site.url("/words/x")).body)["message"] == "Zuerst anmelden: ä"
    assert "<h1>Zuerst anmelden: ä</h1>".encode() in stranger.navigate(site.url("/words/x")).body


def test_display_errors(site, reader):
    assert b"<p>the claims do not meet the rules of this location</p>" in \
        reader.navigate(site.url("/display/x")).body
    body = reader.get(site.url("/display/x")).json()
    assert body["reason"] == "the claims do not meet the rules of this location"
    assert "admin" not in json.dumps(body), "no word of the rules or of the claims"


def test_redirects(site, reader):
    response = reader.navigate(site.url("/moved/x"))
    assert response.status == 302
    assert response.location == site.url("/moved/denied?why=role")
    assert "no-store" in response.header("Cache-Control")
    response = reader.request("POST", site.url("/moved/x"), [*NAVIGATION, FORM], b"a=b")
    assert response.status == 303
    # Where it leads to the same refusal it ends, and programs see the status.
    assert reader.navigate(response.location).status == 403
    assert reader.get(site.url("/moved/x")).status == 403
    assert Client().navigate(site.url("/moved/x")).location == "https://status.example.test/401"
    assert Client().get(site.url("/moved/x")).status == 401


@pytest.mark.parametrize("storage", ["shm", "redis"])
def test_forbidden_destroy_session(make_nginx, upstream, op, make_redis, storage):
    provider = op.provider("destroy-" + storage)
    settings = {} if storage == "shm" else {
        "session_storage": "redis", "session_secret": SESSION_SECRET,
        "redis_port": make_redis().port}
    proxy = f"proxy_pass {upstream.origin};"
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **settings) + proxy),
        location("/ends/", protect(provider, forbidden_destroy_session="on", **settings)
                 + RULE + proxy)]))
    client = Client()
    site.login(client)
    copy = Client()
    copy.jar = dict(client.jar)
    for headers in ([*NAVIGATION, ("Sec-Purpose", "prefetch")], ELSEWHERE):
        response = client.request("GET", site.url("/ends/x"), headers)
        assert response.status == 403 and client.get(site.url("/x")).status == 200
    assert client.navigate(site.url("/ends/x")).status == 403
    assert not [c for c in client.cookies() if "session" in c.name]
    assert copy.get(site.url("/x")).status == 401, "the record is gone, not the cookie alone"
    assert client.get(site.url("/x")).status == 401


def test_unauthorized_destroy_session(make_nginx, upstream, op):
    provider = op.provider("destroy-401")
    proxy = f"proxy_pass {upstream.origin};"
    site = Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider) + proxy),
        location("/keeps/", protect(provider, unauthenticated="deny", acr_values="gold") + proxy),
        location("/tokens/", protect(provider, auth_methods="bearer", audience_required="api",
                                     unauthorized_destroy_session="on") + proxy),
        location("/ends/", protect(provider, unauthenticated="deny", acr_values="gold",
                                   unauthorized_destroy_session="on") + proxy)]))
    client = Client()
    site.login(client)
    assert client.get(site.url("/keeps/"), XHR).status == 401
    assert client.get(site.url("/tokens/"), XHR).status == 401
    assert client.request("GET", site.url("/ends/"), ELSEWHERE).status == 401
    assert client.get(site.url("/x")).status == 200
    assert client.get(site.url("/ends/"), XHR).status == 401
    assert client.get(site.url("/x")).status == 401


def test_unexpected(make_nginx, upstream, op, make_redis):
    redis = make_redis()
    site = Site(make_nginx, upstream, op.provider("unexpected"), session_storage="redis",
                session_secret=SESSION_SECRET, redis_port=redis.port,
                unexpected_redirect_uri="https://status.example.test/")
    client = Client()
    site.login(client)
    redis.kill()
    response = client.navigate(site.url("/x"))
    assert response.status == 302 and response.location == "https://status.example.test/"
    assert client.get(site.url("/x")).status == 503

"""oidc_run_on_preflight: CORS preflights pass where it is off, and nothing else does."""

import pytest
from bench.access_token import access_token, bearer
from bench.client import FORM, XHR, Client
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.nginx import location
from bench.upstream import Echo

ORIGIN = ("Origin", "https://spa.example.test")
ASKS = ("Access-Control-Request-Method", "PUT")
PREFLIGHT = [ORIGIN, ASKS, ("Access-Control-Request-Headers", "authorization")]
NO_PREFLIGHTS = {
    "plain OPTIONS": ("OPTIONS", [], None),
    "no method asked for": ("OPTIONS", [ORIGIN], None),
    "empty method": ("OPTIONS", [ORIGIN, ("Access-Control-Request-Method", "")], None),
    "empty origin": ("OPTIONS", [("Origin", ""), ASKS], None),
    "no origin": ("OPTIONS", [ASKS], None),
    "a body": ("OPTIONS", [*PREFLIGHT, FORM], b"a=b"),
    "chunks": ("OPTIONS", [*PREFLIGHT, ("Transfer-Encoding", "chunked")], b"3\r\na=b\r\n0\r\n\r\n"),
    "GET": ("GET", [*PREFLIGHT, *XHR], None),
    "HEAD": ("HEAD", [*PREFLIGHT, *XHR], None),
    "POST": ("POST", [*PREFLIGHT, FORM], b"a=b"),
    "overridden method": ("POST", [*PREFLIGHT, ("X-HTTP-Method-Override", "OPTIONS")], b""),
    "underscores": ("OPTIONS", [ORIGIN, ("Access_Control_Request_Method", "PUT")], None),
    "lower case": ("options", PREFLIGHT, None),
}


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("preflight")
    proxy = f"proxy_pass {upstream.origin};"
    off = {"run_on_preflight": "off"}
    tokens = {"auth_methods": "bearer", "audience_required": "api",
              "upstream_access_token_header": "off", "hide_credentials": "off"}
    return Site(make_nginx, upstream, provider, "\n".join([
        "underscores_in_headers on;",
        location("/on/", protect(provider) + proxy),
        location("/off/", protect(provider, **off, upstream_header="X-User sub",
                                  roles_required="admin")
                 + "add_header X-Outcome $oidc_outcome; " + proxy),
        location("/ssi/", protect(provider, **off) + "ssi on; ssi_types *; " + proxy),
        location("/strict/", protect(provider) + proxy),
        location("/led/", protect(provider, **off) + "try_files /none /strict/x;"),
        location("/tokens/", protect(provider, **off, **tokens) + proxy),
        location("= /sessions", protect(provider, **off) + "oidc_session_admin on;")]))


def test_a_preflight_passes_without_an_identity(site):
    client = Client()
    site.login(client, "/on/")
    forged = [("X-User", "mallory"), ("x_user", "mallory"), ("Authorization", "Bearer forged")]
    for one in (Client(), client):
        response = one.request("OPTIONS", site.url("/off/x?y=1"), [*PREFLIGHT, *forged])
        assert response.status == 200, response
        assert response.header("X-Outcome") == "anonymous"
        assert response.all("Set-Cookie") == []
        echo = Echo(response.body)
        assert echo.method == "OPTIONS" and echo.target == "/off/x?y=1"
        for name in ("X-User", "x_user", "Authorization", "Cookie"):
            assert echo.header(name) is None, name
        assert echo.header("Origin") == ORIGIN[1]
        assert echo.header("Access-Control-Request-Method") == "PUT"


def test_on_is_the_default(site, upstream):
    assert Client().request("OPTIONS", site.url("/on/x"), PREFLIGHT).status == 401
    assert not upstream.seen("/on/x")


@pytest.mark.parametrize("name", NO_PREFLIGHTS)
def test_nothing_else_passes(site, upstream, name):
    method, headers, body = NO_PREFLIGHTS[name]
    path = "/off/" + name.replace(" ", "-")
    assert Client().request(method, site.url(path), headers, body).status in (400, 401, 405)
    assert not upstream.seen(path)


def test_the_request_that_follows_is_judged(site):
    response = Client().request("PUT", site.url("/off/x"), [ORIGIN, *XHR], b"")
    assert response.status == 401, response


def test_a_token_that_nobody_looked_at_goes_no_further(site):
    token = access_token(site.provider)
    for header in (bearer(token), bearer("forged"), ("X-Access-Token", "forged"),
                   ("Authorization", "DPoP forged")):
        response = Client().request("OPTIONS", site.url("/tokens/x"), [*PREFLIGHT, header])
        assert response.status == 200, response
        assert Echo(response.body).header(header[0]) is None
    response = Client().request("GET", site.url("/tokens/x"), [*XHR, ("X-Access-Token", token)])
    assert Echo(response.body).header("X-Access-Token") == token


def test_it_opens_no_other_location(site, upstream):
    assert Client().request("OPTIONS", site.url("/led/x"), PREFLIGHT).status == 401
    assert not upstream.seen("/strict/")


def test_it_opens_nothing_to_subrequests(site, upstream):
    """What the answer to a preflight includes is fetched with GET: no preflight."""
    upstream.answers["/ssi/x"] = Answer(body=b'[<!--# include virtual="/ssi/secret" -->]')
    response = Client().request("OPTIONS", site.url("/ssi/x"), PREFLIGHT)
    assert response.status == 200, response
    assert response.body.startswith(b"["), response
    assert not upstream.seen("/ssi/secret")


def test_the_administration_knows_no_preflight(site):
    response = Client().request("OPTIONS", site.url("/sessions?subject=x"), PREFLIGHT)
    assert response.status == 405, response
    assert response.header("Access-Control-Allow-Origin") is None

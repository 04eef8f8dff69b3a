"""What the upstream receives: our identity headers, never the client's copies, no cookies."""

import pytest
from bench.client import NAVIGATION, XHR, Client
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.jose import claims_of
from bench.nginx import location

NAMES = {
    "upstream_id_token_header": "X-Id-Token",
    "upstream_refresh_token_header": "X-Refresh-Token",
    "upstream_session_id_header": "X-Session",
    "upstream_header": ["X-User sub", "X-Email email", "X-Role realm_access.roles",
                        "X-Name name"],
}
SPELLINGS = ["X-User", "x-user", "X_User", "x_USER", "X-user"]


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("main")
    provider.claims = {
        "sub": "alice", "email": "alice@example.test", "name": "Zoë Müller",
        "realm_access": {"roles": ["reader", "editor"]}, "groups": ["staff"]}
    proxy = f"proxy_pass {upstream.origin};"
    body = "\n".join([
        location("/", protect(provider, **NAMES) + proxy),
        location("/open/", "oidc off;\n" + proxy),
        location("/plain/", proxy),
        location("/uncleared/", "oidc off; oidc_clear_headers off;\n" + proxy),
        location("/variables/", protect(provider, **NAMES) + (
            "add_header X-Sub $oidc_sub; add_header X-Claim $oidc_claim_email;"
            "add_header X-Outcome $oidc_outcome; add_header X-Session-Hash $oidc_session;"
            "proxy_set_header X-Token $oidc_access_token;"
            "proxy_set_header X-Idt $oidc_id_token;") + proxy),
        location("/if/", protect(provider, **NAMES)
                 + 'if ($http_x_user = "admin") { return 418; }\n' + proxy),
        location("/anonymous/", "add_header X-Sub <$oidc_sub>; add_header X-Claim "
                 "<$oidc_claim_email>; add_header X-Token <$oidc_access_token>;\n" + proxy),
    ])
    return Site(make_nginx, upstream, provider, "underscores_in_headers on;\n" + body)


@pytest.fixture(scope="module")
def alice(site):
    client = Client()
    site.login(client, "/")
    return client


def test_tokens_and_claims(site, alice):
    echo = site.echo(alice)
    assert claims_of(echo.bearer)["sub"] == "alice"
    assert claims_of(echo.header("X-Id-Token"))["aud"] == "gateway"
    refresh = echo.header("X-Refresh-Token")
    assert refresh and refresh not in (echo.bearer, echo.header("X-Id-Token"))
    assert echo.header("X-User") == "alice"
    assert echo.header("X-Email") == "alice@example.test"
    assert "reader" in echo.header("X-Role") and "editor" in echo.header("X-Role")


def test_non_ascii_claim_is_one_clean_header(site, alice):
    value = site.echo(alice).header("X-Name")
    assert value and value.isprintable()


def forged(*names):
    return [(name, "admin") for name in names]


@pytest.mark.parametrize("path", ["/", "/open/x", "/plain/x", "/anonymous/x"])
@pytest.mark.parametrize("name", [*SPELLINGS, "X-Id-Token", "X_ID_TOKEN", "X-Refresh-Token", "X-Session", "X-Email",
                                  "x-role"])
def test_forged_headers_are_cleared(site, alice, path, name):
    """In all spellings, twice too, also where `oidc` is off."""
    headers = [*NAVIGATION, *forged(name, name)]
    response = alice.request("GET", site.url(path), headers)
    assert response.status == 200, response
    seen = site.upstream.requests[-1]
    plain = name.lower().replace("_", "-")
    values = [v for n, v in seen.headers if n.lower().replace("_", "-") == plain]
    assert "admin" not in values, seen.headers
    assert len(values) == (1 if path == "/" else 0)


def test_forged_authorization(site, alice):
    headers = [*NAVIGATION, ("authorization", "Basic Zm9yZ2VkOmZvcmdlZA==")]
    response = alice.request("GET", site.url("/"), headers)
    assert response.status == 200, response
    values = site.upstream.requests[-1].all("Authorization")
    assert len(values) == 1 and values[0].startswith("Bearer ey")


def test_forged_headers_without_session(site):
    for headers in (NAVIGATION, XHR):
        response = Client().request("GET", site.url("/"), [*headers, *forged(*SPELLINGS)])
        assert response.status in (302, 303, 401)
    assert not [r for r in site.upstream.requests if "admin" in str(r.headers)]


def test_connection_header_cannot_remove_ours(site, alice):
    """`Connection: X-User` makes a careless hop drop the header that identifies the user."""
    headers = [*NAVIGATION, ("Connection", "close, X-User, Authorization")]
    response = alice.request("GET", site.url("/"), headers)
    assert response.status == 200
    seen = site.upstream.requests[-1]
    assert seen.header("X-User") == "alice"
    assert "x-user" not in (seen.header("Connection") or "").lower()


def test_opting_out(site):
    response = Client().get(site.url("/uncleared/x"), [("X-User", "mine")])
    assert response.status == 200
    assert site.upstream.requests[-1].header("X-User") == "mine"


def test_if_sees_no_forged_value(site, alice):
    response = alice.request("GET", site.url("/if/x"), [*NAVIGATION, ("X-User", "admin")])
    # The server's rewrite phase reads the header before access; a cached variable must not
    # reach the upstream, whichever answer `if` gave.
    assert response.status in (200, 418)
    if response.status == 200:
        assert site.upstream.requests[-1].header("X-User") == "alice"


def test_our_cookies_are_stripped(site, alice):
    ours = alice.cookie_header(site.url("/"))
    for cookie in (f"{ours}", f"a=1; {ours}; b=2", f"{ours}; a=1", f"a=1;{ours};b=2"):
        response = alice.request("GET", site.url("/"), [*NAVIGATION, ("Cookie", cookie)])
        assert response.status == 200, response
        sent = site.upstream.requests[-1].all("Cookie")
        for own in alice.cookies():
            assert own.value not in str(sent)
        expected = [p for p in ("a=1", "b=2") if p in cookie]
        assert [p.strip() for p in "; ".join(sent).split(";") if p.strip()] == expected


def test_two_cookie_lines(site, alice):
    ours = alice.cookie_header(site.url("/"))
    headers = [*NAVIGATION, ("Cookie", "a=1"), ("Cookie", ours), ("Cookie", "b=2")]
    response = alice.request("GET", site.url("/"), headers)
    assert response.status == 200, response
    assert "a=1" in str(site.upstream.requests[-1].all("Cookie"))
    assert "b=2" in str(site.upstream.requests[-1].all("Cookie"))


@pytest.mark.parametrize("cookie", ["=", ";;;", "a", "a=; =b; ;", "oidc_session", "oidc_session=",
                                    "oidc_session=" + "A" * 3000, '"quoted; x"=1', "\x80=\xff"])
def test_odd_cookies(site, cookie):
    response = Client().request("GET", site.url("/"), [*NAVIGATION, ("Cookie", cookie)])
    assert response.status in (302, 303, 400), response


def test_session_cookie(site, alice):
    cookie = next(c for c in alice.cookies() if c.attributes.get("samesite") == "Lax"
                  and "session" in c.name)
    assert len(cookie.value) < 200
    assert "httponly" in cookie.attributes and cookie.attributes.get("path") == "/"
    assert "secure" not in cookie.attributes  # plain http
    assert "domain" not in cookie.attributes


def test_two_valid_session_cookies_of_one_name(site, alice):
    """A subdomain can plant one with a longer path: then neither counts."""
    other = Client()
    site.login(other)
    one, two = alice.cookie_header(site.url("/")), other.cookie_header(site.url("/"))
    log, seen = site.nginx.view(), len(site.upstream.requests)
    response = Client().request("GET", site.url("/"), [*XHR, ("Cookie", f"{one}; {two}")])
    assert response.status == 401, response
    assert log.wait_reason(["cookie_conflict"])
    assert len(site.upstream.requests) == seen
    # The same one twice is no conflict, and a forged one beside it does not count.
    name = one.partition("=")[0]
    for cookie in (f"{one}; {one}", f"{name}=forged; {one}", f"{one}; {name}=forged"):
        assert alice.request("GET", site.url("/"), [*XHR, ("Cookie", cookie)]).status == 200


@pytest.mark.parametrize("change", ["flip", "cut", "grow", "swap", "empty"])
def test_spoiled_session_cookie_is_no_session(site, alice, change):
    cookie = next(c for c in alice.cookies() if "session" in c.name)
    value = cookie.value
    spoiled = {"flip": value[:20] + ("A" if value[20] != "A" else "B") + value[21:],
               "cut": value[:-1], "grow": value + "A", "swap": value[::-1], "empty": ""}[change]
    seen = len(site.upstream.requests)
    response = Client().request("GET", site.url("/"),
                                [*XHR, ("Cookie", f"{cookie.name}={spoiled}")])
    assert response.status == 401, response
    assert len(site.upstream.requests) == seen


def test_variables(site, alice):
    client = Client()
    site.login(client, "/variables/x")
    response = client.navigate(site.url("/variables/x"))
    assert response.header("X-Sub") == "alice"
    assert response.header("X-Claim") == "alice@example.test"
    assert response.header("X-Outcome")
    assert response.header("X-Session-Hash")
    for cookie in client.cookies():
        assert response.header("X-Session-Hash") not in cookie.value
    seen = site.upstream.requests[-1]
    assert claims_of(seen.header("X-Token"))["sub"] == "alice"
    assert claims_of(seen.header("X-Idt"))["aud"] == "gateway"


def test_variables_are_empty_elsewhere(site, alice):
    response = alice.navigate(site.url("/anonymous/x"))
    assert response.header("X-Sub") == "<>"
    assert response.header("X-Claim") == "<>"
    assert response.header("X-Token") == "<>"


def test_upstream_cannot_set_our_cookies(site, alice):
    name = next(c.name for c in alice.cookies() if "session" in c.name)
    site.upstream.answers["/sets-cookies"] = Answer(headers=(
        ("Set-Cookie", f"{name}=planted; Path=/"), ("Set-Cookie", "app=1; Path=/")))
    response = alice.request("GET", site.url("/sets-cookies"), NAVIGATION)
    assert response.status == 200
    assert [c.partition("=")[0] for c in response.all("Set-Cookie")] == ["app"]
    assert site.echo(alice).bearer


def test_several_logins_have_several_sids(site):
    client, values = Client(), set()
    for _ in range(3):
        client.jar.clear()
        site.login(client)
        values.add(next(c.value for c in client.cookies() if "session" in c.name))
    assert len(values) == 3

"""oidc_client_jwks and oidc_resource_metadata: documents that others read without a credential."""

import json

import pytest
from bench.access_token import bearer, call
from bench.client import Client
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.jose import SigningKey
from bench.login import at_provider, begin, deliver
from bench.nginx import Nginx, directives, location, server
from bench.oidc_provider import CLIENT_ID
from bench.proc import free_port, make_dir
from bench.upstream import Echo

OLD, NEW = SigningKey("RS256", "old", 7), SigningKey("ES256", "new", 8)
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
WELL_KNOWN = "/.well-known/oauth-protected-resource"


def written(key: SigningKey, pem: bool = False):
    path = make_dir("published") / key.kid
    path.write_bytes(key.private_pem() if pem else json.dumps(key.private_jwk()).encode())
    path.chmod(0o600)
    return path


def unprotected(provider, **settings) -> str:
    return protect(provider, **settings).replace("oidc on;", "oidc off;", 1)


def by_key(provider, keys: str, **more) -> dict:
    return {"client_secret": "off", "client_jwk": keys, **more}


# ---- the client's keys ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("published")
    keys = by_key(provider, f"{written(NEW)} {written(OLD)}")
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **keys) + f"proxy_pass {upstream.origin};"),
        location("= /jwks", unprotected(provider, **keys) + "oidc_client_jwks on;"),
        location("/nested/", unprotected(provider, **keys) + "oidc_client_jwks on; "
                 + location("/nested/deeper/", "if ($arg_set) { set $x 1; } "
                            + f"proxy_pass {upstream.origin};")),
        location("= /if", unprotected(provider, **keys)
                 + "oidc_client_jwks on; if ($arg_set) { set $x 1; }"),
        location("= /limited", unprotected(provider, **keys)
                 + "oidc_client_jwks on; limit_except GET { deny all; }"),
        location("= /guest", protect(provider, **keys, unauthenticated="pass")
                 + "oidc_client_jwks on;"),
        location("= /inner", unprotected(provider, **keys) + "oidc_client_jwks on; internal;"),
        location("/ssi/", "ssi on; ssi_types *; " + f"proxy_pass {upstream.origin};")]))


def test_public_parts_alone(site):
    for path in ("/jwks", "/jwks?x=y", "/nested/", "/limited", "/guest"):
        response = Client().request("GET", site.url(path))
        assert response.status == 200, response
        assert response.header("Content-Type") == "application/json"
        assert response.header("Cache-Control") == "public, max-age=300"
        assert response.header("X-Content-Type-Options") == "nosniff"
        assert response.all("Set-Cookie") == []
        keys = response.json()["keys"]
        assert [key["kid"] for key in keys] == ["new", "old"], "the one that signs is the first"
        for key, made in zip(keys, (NEW, OLD)):
            assert not PRIVATE & set(key)
            assert {name: key[name] for name in made.jwk() if name in key} == {
                name: value for name, value in made.jwk().items() if name in key}
        for made in (OLD, NEW):
            for name in PRIVATE & set(made.private_jwk()):
                assert made.private_jwk()[name] not in response.text


def test_methods(site):
    head = Client().request("HEAD", site.url("/jwks"))
    assert head.status == 200 and head.body == b"" and int(head.header("Content-Length")) > 100
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        response = Client().request(method, site.url("/jwks"), body=b"a=b")
        assert response.status == 405, response
        assert response.header("Allow") == "GET, HEAD"
    assert Client().request("POST", site.url("/limited"), body=b"").status == 403
    assert Client().request("GET", site.url("/inner")).status == 404


def test_it_is_not_inherited_and_not_included(site, upstream):
    for path in ("/nested/deeper/x", "/nested/deeper/x?set=1"):
        assert Echo(Client().request("GET", site.url(path)).body).target == path
    assert Client().request("GET", site.url("/if?set=1")).json()["keys"]
    upstream.answers["/ssi/x"] = Answer(body=b'[<!--# include virtual="/jwks" -->]')
    assert b"kty" not in Client().request("GET", site.url("/ssi/x")).body


def test_a_range_and_conditions_change_nothing(site):
    for header in (("Range", "bytes=0-3"), ("If-None-Match", "*"),
                   ("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT")):
        assert Client().request("GET", site.url("/jwks"), [header]).status == 200


def test_a_provider_fetches_them(make_nginx, upstream, make_oidc_provider, ca, certificate):
    """npm oidc-provider knows the client by jwks_uri, and follows a rotation in three steps."""
    port = free_port()
    origin, context = f"https://localhost:{port}", ca.client_context()
    provider = make_oidc_provider(origin, auth="private_key_jwt", trust=ca, registration={
        "jwks_uri": f"{origin}/jwks", "client_secret": None})

    def body(*keys) -> str:
        common = {"issuer": provider.issuer, "client_id": f'"{CLIENT_ID}"',
                  "ssl_trusted_certificate": ca.path, "base_url": origin,
                  "client_jwk": " ".join(str(written(key)) for key in keys)}
        return server(port, "\n".join([
            location("/", "oidc on;\n" + directives(**common) + f"proxy_pass {upstream.origin};"),
            location("= /jwks", directives(**common) + "oidc_client_jwks on;")]),
            certificate=certificate)
    nginx = make_nginx(body(NEW, OLD), port)
    client = Client(context)
    answer = deliver(client, at_provider(begin(client, origin + "/x"), origin, context))
    assert answer.status in (302, 303), (answer, provider.log()[-1500:])
    nginx.reload(body(OLD, NEW))
    client = Client(context)
    answer = deliver(client, at_provider(begin(client, origin + "/x"), origin, context))
    assert answer.status in (302, 303), (answer, provider.log()[-1500:])
    provider.stop()


# ---- the resource's metadata ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def api(make_nginx, upstream, op):
    provider = op.provider("resource")
    tokens = {"auth_methods": "bearer", "audience_required": "api",
              "scopes_required": '"read write"'}
    port = free_port()
    resource = f"http://127.0.0.1:{port}/api"
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/api/", protect(provider, **tokens, resource_metadata_uri=(
            f"http://127.0.0.1:{port}{WELL_KNOWN}/api")) + f"proxy_pass {upstream.origin};"),
        location(f"= {WELL_KNOWN}/api", unprotected(provider, **tokens)
                 + f"oidc_resource_metadata {resource};")]), port=port)


def test_from_a_refusal_to_the_document(api):
    """The way of RFC 9728 section 5: 401, the document, the authorization server."""
    refusal = call(api.url("/api/x"), bearer("nonsense"))
    assert refusal.status == 401
    url = refusal.header("WWW-Authenticate").partition('resource_metadata="')[2].partition('"')[0]
    assert url == api.url(f"{WELL_KNOWN}/api")
    response = Client().request("GET", url)
    assert response.status == 200
    assert response.header("Content-Type") == "application/json"
    assert response.header("Cache-Control") == "public, max-age=300"
    assert response.json() == {
        "resource": api.url("/api"), "authorization_servers": [api.provider.issuer],
        "bearer_methods_supported": ["header"], "scopes_supported": ["read", "write"]}
    assert Client().request("POST", url, body=b"").status == 405


def test_the_clients_host_changes_nothing(api):
    response = Client().request("GET", api.url(f"{WELL_KNOWN}/api"), [("Host", "evil.test")])
    assert "evil" not in response.text


# ---- nginx -t -------------------------------------------------------------------------------------

KEY = "{key}"
ONLY_TOKENS = "oidc_auth_methods bearer; oidc_audience_required api; "


@pytest.mark.parametrize("inner, why", [
    ("oidc_client_jwks on;", "oidc_client_jwk or oidc_upstream_jwt must be set"),
    ("oidc_client_jwks maybe;", "on or off"),
    (f"oidc_client_secret off; oidc_client_jwk {KEY}; oidc_client_jwks on; oidc on;",
     "\"oidc off\" belongs"),
    (f"oidc_client_secret off; oidc_client_jwk {KEY} {KEY}; oidc_client_jwks on;",
     "its kid is that of another one"),
    (f"oidc_client_secret off; oidc_client_jwk {KEY}; oidc_client_jwks on; "
     "oidc_session_admin public;", "is that of oidc_session_admin already"),
    ("oidc_resource_metadata https://api.test;", "introspection or userinfo"),
    (ONLY_TOKENS + "oidc_resource_metadata http://api.test;", "must be https"),
    (ONLY_TOKENS + "oidc_resource_metadata https://api.test?x;", "without a query"),
    (ONLY_TOKENS + "oidc_resource_metadata https://api.test#x;", "fragment"),
    (ONLY_TOKENS + "oidc_resource_metadata api.test;", "absolute http or https URL"),
    (ONLY_TOKENS + "oidc_resource_metadata https://api.test; oidc on;", "\"oidc off\" belongs"),
])
def test_refused(settings, op, inner, why):
    provider = op.provider("published")
    inner = inner.replace(KEY, str(written(NEW)))
    if "client_secret off" in inner:
        inner = inner.replace("oidc_client_secret off;", "")
        base = protect(provider, client_secret="off")
    else:
        base = protect(provider)
    text = base.replace("oidc on;", "", 1) + inner
    code, log = Nginx(settings, "config").check(
        "server { listen 127.0.0.1:1; server_name a.test; " + location("= /x", text) + "}")
    assert code != 0 and why in log, log


@pytest.mark.parametrize("path, warns", [
    (f"= {WELL_KNOWN}/v1", False), (f"= {WELL_KNOWN}", True), (f"{WELL_KNOWN}/", True)])
def test_a_place_where_nobody_looks_is_a_warning(settings, op, path, warns):
    text = (unprotected(op.provider("published")) + ONLY_TOKENS
            + "oidc_resource_metadata https://api.test/v1;")
    code, log = Nginx(settings, "config").check(
        "server { listen 127.0.0.1:1; server_name a.test; " + location(path, text) + "}")
    assert code == 0, log
    assert (f'look for it at "{WELL_KNOWN}/v1"' in log) == warns, log


def test_they_stand_in_locations_only(settings, op):
    for line in ("oidc_client_jwks on;", "oidc_resource_metadata https://api.test;"):
        code, log = Nginx(settings, "config").check(
            "server { listen 127.0.0.1:1; server_name a.test; " + line + "}")
        assert code != 0 and "not allowed here" in log, log

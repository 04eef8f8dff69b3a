"""Where claims come from: userinfo when one is missing and again when it is old; claims that are kept
elsewhere; domains; ID tokens that are verified again; tokens that belong to a cookie."""

import time

import pytest
from bench.access_token import access_token, bearer, call, refused
from bench.client import Client
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.login import login
from bench.nginx import location

OVERAGE = {"_claim_names": {"groups": "src1"}, "_claim_sources": {
    "src1": {"endpoint": "https://graph.example/users/u/getMemberObjects"}}}
STAFF = {"sub": "alice", "groups": ["staff"]}


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("claim-sources")
    proxy = f"proxy_pass {upstream.origin};"
    staff = {"groups_required": "staff"}
    jwt = {"auth_methods": "bearer", "audience_required": "api", "jwt_session_cookie": "app"}
    # A second without which no answer is asked for again.
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider) + proxy),
        location("/staff/", protect(provider, **staff) + proxy),
        location("/missing/", protect(provider, **staff, userinfo="missing") + proxy),
        location("/fresh/", protect(provider, **staff, userinfo="login refresh=10s",
                                    session_audience="fresh") + proxy),
        location("/domain/", protect(provider, domains="example.com example.org") + proxy),
        location("/again/", protect(provider, reverify="on", rediscovery_lifetime="1s",
                                    session_audience="again") + proxy),
        location("/api/", protect(provider, **jwt) + proxy),
        location("/claim/", protect(provider, **jwt, jwt_session_claim="ext.session") + proxy)]))


@pytest.fixture(autouse=True)
def right_again(site):
    site.provider.claims, site.provider.userinfo = {"sub": "alice"}, dict(STAFF)
    yield
    site.provider.override.clear()


def fetch(site, client, path: str) -> int:
    return client.navigate(site.url(path)).status


# ---- userinfo -------------------------------------------------------------------------------------

def test_missing_asks_at_the_login(site):
    asked, client = site.provider.count("userinfo"), Client()
    site.login(client, "/missing/")
    assert [fetch(site, client, "/missing/") for _ in range(3)] == [200] * 3
    assert site.provider.count("userinfo") == asked + 1


def test_missing_does_not_ask_without_need(site):
    site.provider.claims = dict(STAFF)
    asked, client = site.provider.count("userinfo"), Client()
    site.login(client, "/missing/")
    assert fetch(site, client, "/missing/") == 200
    assert site.provider.count("userinfo") == asked


def test_missing_asks_later_where_a_rule_wants_it(site):
    asked, client = site.provider.count("userinfo"), Client()
    site.login(client, "/")
    assert site.provider.count("userinfo") == asked
    site.provider.override["userinfo"] = Answer(503, b"", "text/plain")
    assert fetch(site, client, "/missing/") == 503
    site.provider.override.clear()
    assert [fetch(site, client, "/missing/") for _ in range(3)] == [200] * 3
    assert fetch(site, client, "/") == 200
    assert site.provider.count("userinfo") == asked + 2


def test_missing_of_somebody_else(site):
    client, log = Client(), site.nginx.view()
    site.login(client, "/")
    site.provider.userinfo = {**STAFF, "sub": "bob"}
    assert fetch(site, client, "/missing/") == 502
    assert "userinfo_sub" in log.reasons()


def test_refresh(site):
    client = Client()
    site.login(client, "/fresh/")
    began, asked = time.time(), site.provider.count("userinfo")
    assert fetch(site, client, "/fresh/") == 200
    site.provider.userinfo = {"sub": "alice", "groups": ["guests"]}
    status = 200
    while status == 200 and time.time() < began + 30:
        time.sleep(0.5)
        status = fetch(site, client, "/fresh/")
    assert status == 403 and time.time() >= began + 9
    assert site.provider.count("userinfo") == asked + 1


# ---- claims that are kept elsewhere ---------------------------------------------------------------

@pytest.mark.parametrize("claims", [OVERAGE, {"hasgroups": True}])
def test_an_overage_of_groups_says_why(site, claims):
    site.provider.claims = {"sub": "alice", **claims}
    client, log = Client(), site.nginx.view()
    site.login(client, "/")
    assert fetch(site, client, "/staff/") == 403
    assert "claims_elsewhere" in log.reasons()
    assert "oidc_groups_required: groups" in log.text() and "graph.example" not in log.text()


def test_without_an_overage_it_is_just_forbidden(site):
    client, log = Client(), site.nginx.view()
    site.login(client, "/")
    assert fetch(site, client, "/staff/") == 403
    assert "forbidden" in log.reasons() and "claims_elsewhere" not in log.reasons()


def test_userinfo_has_what_the_token_left_out(site):
    site.provider.claims = {"sub": "alice", **OVERAGE}
    client = Client()
    site.login(client, "/missing/")
    assert fetch(site, client, "/missing/") == 200


# ---- oidc_domains ---------------------------------------------------------------------------------

@pytest.mark.parametrize(("domain", "status"), [
    ("example.com", 200), ("example.org", 200), ("example.net", 403), (None, 403),
    ("example.com.evil.test", 403)])
def test_domains(site, domain, status):
    site.provider.claims = {"sub": "alice", "email": "alice@example.com"}
    if domain:
        site.provider.claims["hd"] = domain
    client = Client()
    site.login(client, "/domain/")
    assert fetch(site, client, "/domain/") == status


# ---- oidc_reverify --------------------------------------------------------------------------------

def test_a_session_ends_with_the_key_that_signed_it(site):
    provider, client = site.provider, Client()
    site.login(client, "/again/")
    assert [fetch(site, client, "/again/") for _ in range(3)] == [200] * 3
    keys, signer, log = provider.keys, provider.signer, site.nginx.view()
    provider.rotate(41)
    try:
        login(Client(), site.url("/again/"))  # whose token makes the gateway look for keys
        deadline = time.time() + 20
        while fetch(site, client, "/again/") == 200 and time.time() < deadline:
            time.sleep(0.2)
        assert site.asks_for_login(client, "/again/")
        assert fetch(site, client, "/") != 200, "another audience, another session"
    finally:
        provider.keys, provider.signer = keys, signer
    assert log.text() is not None


# ---- oidc_jwt_session_cookie ----------------------------------------------------------------------

def test_a_token_of_the_browsers_session(site):
    token = bearer(access_token(site.provider, sid="s-1", ext={"session": "other"}))
    for _ in range(2):
        assert call(site.url("/api/x"), token, ("Cookie", "app=s-1")).status == 200
        assert call(site.url("/claim/x"), token, ("Cookie", "app=other")).status == 200
        for cookie in ("app=s-2", "app=", "other=s-1", "app=s-1; app=s-1"):
            log = site.nginx.view()
            refused(call(site.url("/api/x"), token, ("Cookie", cookie)), 401, "invalid_token")
            assert "access_token_session" in log.reasons(), cookie
        refused(call(site.url("/api/x"), token), 401, "invalid_token")
    refused(call(site.url("/api/x"), bearer(access_token(site.provider)), ("Cookie", "app=s-1")),
            401, "invalid_token")

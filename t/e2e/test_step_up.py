"""RFC 9470: what a login must be like for a location, of sessions and of access tokens."""

import time

import pytest
from bench.access_token import access_token, bearer, call
from bench.client import Client
from bench.gateway import SESSION_SECRET, Site, protect
from bench.login import begin, login
from bench.nginx import location
from bench.upstream import Echo

WEAK = "insufficient_user_authentication"


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("step-up")
    proxy = f"proxy_pass {upstream.origin};"
    tokens = {"auth_methods": "session authorization_code bearer", "audience_required": "api",
              "leeway": "0"}
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **tokens) + proxy),
        location("/gold/", protect(provider, **tokens, acr_values="gold platinum")
                 + "add_header X-Error $oidc_error always; " + proxy),
        location("/fresh/", protect(provider, **tokens, max_age="100s") + proxy),
        location("/both/", protect(provider, **tokens, acr_values="gold", max_age="1h",
                                   resource_metadata_uri="https://gw.test/metadata") + proxy),
        location("/quiet/", protect(provider, **tokens, acr_values="gold",
                                    expose_error_code="off") + proxy),
        location("/guest/", protect(provider, **tokens, acr_values="gold", unauthenticated="pass",
                                    upstream_header="X-User sub") + proxy)]))


@pytest.fixture
def client(site):
    """One with a weak session."""
    site.provider.claims = {"sub": "alice", "acr": "silver"}
    made = Client()
    site.login(made)
    return made


def challenge(response) -> str:
    assert response.status == 401, response
    assert response.header("Location") is None and response.all("Set-Cookie") == []
    return response.header("WWW-Authenticate")


def test_a_script_is_told_what_the_session_lacks(site, client, upstream):
    log = site.nginx.view()
    response = client.get(site.url("/gold/told"))
    told = challenge(response)
    assert told.startswith(f'Bearer error="{WEAK}"') and 'acr_values="gold platinum"' in told
    assert "max_age" not in told
    assert response.json()["error"] == WEAK
    assert response.header("X-Error") == WEAK
    assert log.reasons() == [WEAK]
    told = challenge(client.get(site.url("/both/told")))
    assert 'acr_values="gold"' in told and 'max_age="3600"' in told
    assert 'resource_metadata="https://gw.test/metadata"' in told
    assert challenge(client.get(site.url("/quiet/told"))) == "Bearer"
    assert challenge(Client().get(site.url("/gold/told"))) == "Bearer"
    assert not upstream.seen("/gold/told")
    assert site.echo(client).bearer, "the session lives"


def test_a_navigation_logs_in_again_and_passes(site, client):
    begin(client, site.url("/gold/page"))
    site.provider.claims = {"sub": "alice", "acr": "platinum"}
    site.login(client, "/gold/page")
    assert site.echo(client, "/gold/page").bearer
    assert client.get(site.url("/gold/x")).status == 200
    assert site.echo(client).bearer


def test_a_provider_that_never_gives_it_is_one_login_and_then_403(site, client):
    codes = site.provider.count("token")
    answer = login(client, site.url("/gold/page"))
    assert answer.status == 403, answer
    assert "id_token_acr" in answer.text
    assert site.provider.count("token") == codes + 1
    assert site.echo(client).bearer, "the weak session is still there for what it does for"


def test_an_old_login(site):
    site.provider.claims = {"sub": "alice", "auth_time": int(time.time()) - 1000}
    client = Client()
    site.login(client)
    assert 'max_age="100"' in challenge(client.get(site.url("/fresh/x")))
    site.provider.claims = {"sub": "alice"}
    site.login(client, "/fresh/x")
    assert client.get(site.url("/fresh/x")).status == 200


def test_pass_is_for_who_is_too_weak_as_well_without_the_identity(site, client):
    response = client.get(site.url("/guest/x"))
    assert response.status == 200 and Echo(response.body).header("X-User") is None


@pytest.mark.parametrize("acr", [None, "silver", "GOLD", "gold platinum", "", ["gold"], 1, True,
                                 {"gold": 1}, 'gold", acr_values="silver'])
def test_tokens_without_the_acr(site, upstream, acr):
    token = access_token(site.provider, acr=acr)
    for _ in range(3):
        told = challenge(call(site.url("/gold/weak-token"), bearer(token)))
        assert told.startswith(f'Bearer error="{WEAK}"') and 'acr_values="gold platinum"' in told
        assert call(site.url("/x"), bearer(token)).status == 200
    response = Client().navigate(site.url("/gold/weak-token"))
    assert response.status == 302, "nobody logs in"
    assert not upstream.seen("/gold/weak-token")


def test_a_weak_token_is_sent_to_no_login(site):
    client = Client()
    response = client.request("GET", site.url("/gold/x"), [
        ("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        bearer(access_token(site.provider))])
    assert WEAK in challenge(response)


def test_tokens_with_it(site):
    for acr in ("gold", "platinum"):
        assert call(site.url("/gold/x"), bearer(access_token(site.provider, acr=acr))).status == 200


@pytest.mark.parametrize("made", [None, -1000, 0, "now", 1.5, [1], 10**30, -1])
def test_tokens_of_old_logins(site, made):
    auth_time = int(time.time()) - 1000 if made == -1000 else made
    token = access_token(site.provider, auth_time=auth_time)
    response = call(site.url("/fresh/x"), bearer(token))
    assert 'max_age="100"' in challenge(response)


def test_a_known_token_grows_old(make_nginx, upstream, op):
    provider = op.provider("step-up-age")
    site = Site(make_nginx, upstream, provider, auth_methods="bearer", audience_required="api",
                max_age="6s", leeway="0")
    token = access_token(provider, auth_time=int(time.time()))
    assert call(site.url("/"), bearer(token)).status == 200
    end = time.monotonic() + 30
    while call(site.url("/"), bearer(token)).status == 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert WEAK in challenge(call(site.url("/"), bearer(token)))


def test_introspection(make_nginx, upstream, op):
    provider = op.provider("step-up-introspection")
    site = Site(make_nginx, upstream, provider, auth_methods="introspection",
                audience_required="api", acr_values="gold", max_age="1h")
    now = int(time.time())
    for name, more, status in (("none", {}, 401), ("acr", {"acr": "gold"}, 401),
                               ("old", {"acr": "gold", "auth_time": now - 7200}, 401),
                               ("good", {"acr": "gold", "auth_time": now}, 200)):
        provider.introspection = {"active": True, "sub": "alice", "aud": "api", **more}
        response = call(site.url("/"), bearer(f"opaque-{name}"))
        assert response.status == status, name
        assert status == 200 or WEAK in challenge(response)


def test_sessions_in_redis_and_in_cookies(make_nginx, upstream, op, make_redis):
    for where in ({"session_storage": "redis", "redis_port": make_redis().port},
                  {"session_storage": "cookie"}):
        provider = op.provider(f"step-up-{where['session_storage']}")
        where["session_secret"] = SESSION_SECRET
        proxy = f"proxy_pass {upstream.origin};"
        site = Site(make_nginx, upstream, provider, "\n".join([
            location("/", protect(provider, **where) + proxy),
            location("/gold/", protect(provider, **where, acr_values="gold") + proxy)]))
        client = Client()
        site.login(client)
        assert WEAK in challenge(client.get(site.url("/gold/x")))
        provider.claims = {"sub": "alice", "acr": "gold"}
        site.login(client, "/gold/x")
        assert client.get(site.url("/gold/x")).status == 200

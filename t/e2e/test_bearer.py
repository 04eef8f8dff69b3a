"""JWT access tokens as credentials: what passes, what the upstream gets, what is answered."""

import re
import time

import pytest
from bench.access_token import access_token, bearer, call, refused, unwatched_token
from bench.client import NAVIGATION, Client
from bench.gateway import Site, protect
from bench.http_server import Answer
from bench.jose import SigningKey
from bench.nginx import location
from bench.upstream import Echo


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("bearer")
    proxy = f"proxy_pass {upstream.origin};"
    only = {"auth_methods": "bearer", "audience_required": "api"}
    both = {"auth_methods": "session authorization_code bearer", "audience_required": "api"}
    body = "\n".join([
        location("/", protect(provider, **only) + proxy),
        location("/both/", protect(provider, **both) + proxy),
        location("/pass/", protect(provider, **only, unauthenticated="pass") + proxy),
        location("/scope/", protect(provider, **only, scopes_required='"read admin"') + proxy),
        location("/strict/", protect(provider, **only, access_token_typ="at+jwt") + proxy),
        location("/bound/", protect(provider, **only, proof_of_possession="ignore") + proxy),
        location("/own/", protect(provider, **only, bearer_token_header_name="X-Api-Token")
                 + proxy),
        location("/kept/", protect(provider, **only, hide_credentials="off",
                                   upstream_access_token_header="off") + proxy),
        location("/hidden/", protect(provider, **only, upstream_access_token_header="off",
                                     upstream_header="X-User sub",
                                     upstream_session_id_header="X-Session") + proxy),
        location("/issuers/", protect(provider, **only, issuers_allowed=(
            f"{provider.issuer} https://other.test/realm")) + proxy),
        location("/metadata/", protect(
            provider, **only,
            resource_metadata_uri="https://gw.test/.well-known/oauth-protected-resource") + proxy),
        location("/cookie/", protect(provider, **only, bearer_token_param_type="header cookie",
                                     bearer_token_cookie_name="token") + proxy),
        location("/query/", protect(provider, **only, bearer_token_param_type="header query")
                 + proxy),
        location("/body/", protect(provider, **only, bearer_token_param_type="header body",
                                   hide_credentials="off") + proxy),
        location("/variables/", protect(provider, **only) + (
            "add_header X-Sub $oidc_sub; add_header X-Claim $oidc_claim_client_id;"
            "add_header X-Outcome $oidc_outcome; add_header X-Session <$oidc_session>;") + proxy),
        location("/sub/", protect(provider, **only) + "ssi on; " + proxy),
        location("/tried/", protect(provider) + "try_files /nothing /x;"),
        location("/tried-both/", protect(provider) + "try_files /nothing /both/x;"),
    ])
    return Site(make_nginx, upstream, provider, body)


def echo(response) -> Echo:
    assert response.status == 200, response
    return Echo(response.body)


def test_passes_and_reaches_the_upstream_as_bearer(site):
    token = access_token(site.provider)
    for _ in range(3):
        seen = echo(call(site.url("/x?y=1"), bearer(token)))
        assert seen.bearer == token
        assert seen.target == "/x?y=1"


def test_no_session_is_made(site, upstream):
    response = call(site.url("/both/x"), bearer(access_token(site.provider)))
    assert response.status == 200
    assert response.all("Set-Cookie") == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_scheme_without_case(site, scheme):
    token = access_token(site.provider)
    assert echo(call(site.url("/x"), ("Authorization", f"{scheme} {token}"))).bearer == token


@pytest.mark.parametrize("name", ["Access-Token", "X-Access-Token", "x-access-token"])
def test_kongs_headers(site, name):
    token = access_token(site.provider)
    seen = echo(call(site.url("/x"), (name, token)))
    assert seen.bearer == token
    assert seen.header(name) is None


def test_no_credential_is_401_even_for_a_navigation(site):
    refused(call(site.url("/x")), 401, None)
    response = Client().request("GET", site.url("/x"), NAVIGATION)
    assert response.status == 401 and response.header("Location") is None


def test_where_logins_are_possible_nobody_gets_one_and_a_wrong_token_does_not(site):
    response = Client().request("GET", site.url("/both/x"), NAVIGATION)
    assert response.status == 302
    wrong = access_token(site.provider, aud="other")
    refused(Client().request("GET", site.url("/both/x"), [*NAVIGATION, bearer(wrong)]), 401,
            "invalid_token")


def test_a_token_decides_before_the_session(site):
    client = Client()
    site.login(client, "/both/page")
    assert site.echo(client, "/both/page").bearer
    token = access_token(site.provider, sub="bob")
    assert echo(call(site.url("/both/x"), bearer(token), client=client)).bearer == token
    wrong = access_token(site.provider, exp=int(time.time()) - 3600)
    refused(call(site.url("/both/x"), bearer(wrong), client=client), 401, "invalid_token")
    assert site.echo(client, "/both/page").bearer != token


def test_a_session_is_none_where_only_tokens_are_accepted(site):
    client = Client()
    site.login(client, "/both/page")
    refused(call(site.url("/x"), client=client), 401, None)


def test_nor_when_an_internal_redirect_brings_it_there(site):
    client = Client()
    site.login(client, "/both/page")
    refused(call(site.url("/tried/"), client=client), 401, None)
    # Nor does it hide a token from the location that looks at tokens.
    assert echo(call(site.url("/tried-both/"), client=client)).bearer
    refused(call(site.url("/tried-both/"), bearer("broken"), client=client), 401, "invalid_token")
    token = access_token(site.provider, sub="bob")
    assert echo(call(site.url("/tried-both/"), bearer(token), client=client)).bearer == token


def test_pass_is_for_nobody_and_not_for_a_wrong_token(site):
    assert echo(call(site.url("/pass/x"))).bearer is None
    assert echo(call(site.url("/pass/x"), bearer(access_token(site.provider)))).bearer
    refused(call(site.url("/pass/x"), bearer(access_token(site.provider, aud="other"))), 401,
            "invalid_token")
    refused(call(site.url("/pass/x"), bearer("broken")), 401, "invalid_token")


def test_insufficient_scope(site):
    refused(call(site.url("/scope/x"), bearer(access_token(site.provider))), 403,
            "insufficient_scope")
    challenge = call(site.url("/scope/x"), bearer(access_token(site.provider))).header(
        "WWW-Authenticate")
    assert 'scope="read admin"' in challenge
    good = access_token(site.provider, scope="admin read")
    assert echo(call(site.url("/scope/x"), bearer(good))).bearer == good


def test_another_location_judges_by_its_own_rules(site):
    """A token that is known in one location is not known in the next."""
    token = access_token(site.provider)
    for _ in range(3):
        assert call(site.url("/x"), bearer(token)).status == 200
        refused(call(site.url("/scope/x"), bearer(token)), 403, "insufficient_scope")


def test_strict_rfc_9068(site):
    assert call(site.url("/strict/x"), bearer(access_token(site.provider))).status == 200
    for name in ("application/at+jwt", "AT+JWT"):
        token = access_token(site.provider, {"typ": name})
        assert call(site.url("/strict/x"), bearer(token)).status == 200
    for wrong in ({"typ": "JWT"}, {"typ": None}):
        refused(call(site.url("/strict/x"), bearer(access_token(site.provider, wrong))), 401,
                "invalid_token")
    for claim in ("sub", "jti", "client_id", "iat"):
        refused(call(site.url("/strict/x"), bearer(access_token(site.provider, **{claim: None}))),
                401, "invalid_token")


def test_bound_tokens_only_where_that_is_ignored(site):
    token = access_token(site.provider, cnf={"jkt": "x"})
    refused(call(site.url("/x"), bearer(token)), 401, "invalid_token")
    assert call(site.url("/bound/x"), bearer(token)).status == 200
    refused(call(site.url("/x"), ("Authorization", f"DPoP {token}")), 401, "invalid_token")


def test_own_header_alone(site):
    token = access_token(site.provider)
    assert echo(call(site.url("/own/x"), ("X-Api-Token", token))).header("X-Api-Token") is None
    assert call(site.url("/own/x"), ("X-Api-Token", f"Bearer {token}")).status == 200
    refused(call(site.url("/own/x"), bearer(token)), 401, None)


def test_hidden_and_kept(site):
    token = access_token(site.provider)
    seen = echo(call(site.url("/hidden/x"), bearer(token), ("X-User", "root")))
    assert seen.header("Authorization") is None
    assert seen.header("X-User") == "alice"
    assert seen.header("X-Session") is None
    assert echo(call(site.url("/hidden/x"), ("X-Access-Token", token))).all("X-Access-Token") == []
    # Authorization itself is cleared in the whole server, since other locations set it.
    assert echo(call(site.url("/kept/x"), ("X-Access-Token", token))).header(
        "X-Access-Token") == token


def test_other_schemes_are_no_tokens(site):
    refused(call(site.url("/x"), ("Authorization", "Basic YTpi")), 401, None)
    response = call(site.url("/both/x"), ("Authorization", "Basic YTpi"))
    assert response.status == 401


def test_further_issuers(site):
    other = access_token(site.provider, iss="https://other.test/realm")
    assert call(site.url("/issuers/x"), bearer(other)).status == 200
    assert call(site.url("/issuers/x"), bearer(access_token(site.provider))).status == 200
    refused(call(site.url("/x"), bearer(other)), 401, "invalid_token")


def test_resource_metadata(site):
    where = 'resource_metadata="https://gw.test/.well-known/oauth-protected-resource"'
    assert where in call(site.url("/metadata/x")).header("WWW-Authenticate")
    challenge = call(site.url("/metadata/x"), bearer("broken")).header("WWW-Authenticate")
    assert where in challenge and 'error="invalid_token"' in challenge


def test_variables(site):
    response = call(site.url("/variables/x"), bearer(access_token(site.provider)))
    assert response.header("X-Sub") == "alice"
    assert response.header("X-Claim") == "caller"
    assert response.header("X-Outcome") == "bearer"
    name = response.header("X-Session")
    assert re.fullmatch(r"<t[\w-]{8,}>", name), "keys of caches are made of it"
    token = access_token(site.provider, sub=None)
    again = {call(site.url("/variables/x"), bearer(token)).header("X-Session") for _ in range(2)}
    assert len(again) == 1 and name not in again


# ---- other places ---------------------------------------------------------------------------------

def test_cookie(site):
    token = access_token(site.provider)
    seen = echo(call(site.url("/cookie/x"), ("Cookie", f"a=1; token={token}; b=2")))
    assert seen.bearer == token
    assert seen.header("Cookie") == "a=1; b=2"
    refused(call(site.url("/cookie/x"), ("Cookie", "token=broken")), 401, "invalid_token")
    refused(call(site.url("/cookie/x"), ("Cookie", f"token={token}"), bearer(token)), 400,
            "invalid_request")
    refused(call(site.url("/x"), ("Cookie", f"token={token}")), 401, None)


def test_query(site):
    token = access_token(site.provider)
    for target in (f"/query/x?access_token={token}&a=1", f"/query/x?a=1&access%5ftoken={token}"):
        seen = echo(call(site.url(target)))
        assert seen.bearer == token
        assert seen.target == "/query/x?a=1"
    assert echo(call(site.url(f"/query/x?access_token={token}"))).target == "/query/x"
    assert echo(call(site.url("/query/a%2Fb%20c?q=%41"), bearer(token))).target == (
        "/query/a%2Fb%20c?q=%41")
    refused(call(site.url(f"/query/x?access_token={token}"), bearer(token)), 400,
            "invalid_request")
    refused(call(site.url(f"/query/x?access_token={token}&access_token={token}")), 400,
            "invalid_request")
    refused(call(site.url("/query/x?access_token=")), 400, "invalid_request")
    refused(call(site.url("/query/x?access_token=%zz")), 400, "invalid_request")
    refused(call(site.url(f"/x?access_token={unwatched_token(site.provider)}")), 401, None)


FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json; charset=utf-8")


def post(site, body: str, *headers):
    return call(site.url("/body/x"), *headers, method="POST", body=body.encode())


def test_body(site):
    token = access_token(site.provider)
    for body, kind in ((f"a=1&access_token={token}", FORM),
                       (f'{{"a": 1, "access_token": "{token}"}}', JSON)):
        seen = echo(post(site, body, kind))
        assert seen.bearer == token
        assert seen.body == body
    assert echo(post(site, "a=1", FORM, bearer(token))).body == "a=1"
    refused(post(site, f"access_token={token}", FORM, bearer(token)), 400, "invalid_request")
    refused(post(site, "access_token=", FORM), 400, "invalid_request")
    refused(post(site, '{"access_token": 5}', JSON), 400, "invalid_request")
    refused(post(site, '{"access_token": "x"', JSON), 400, "invalid_request")
    refused(post(site, f"access_token={token}", ("Content-Type", "text/plain")), 401, None)
    refused(post(site, f"x={'y' * 70_000}&access_token={token}", FORM), 401, None)


# ---- keys -----------------------------------------------------------------------------------------

def test_new_key_is_found_and_a_flood_of_unknown_ones_asks_once(make_nginx, upstream, op):
    provider = op.provider("bearer-keys")
    site = Site(make_nginx, upstream, provider, auth_methods="bearer", audience_required="api",
                rediscovery_lifetime="2s")
    assert call(site.url("/"), bearer(access_token(provider))).status == 200
    asked, began = provider.count("jwks"), time.monotonic()
    for number in range(10):
        stranger = SigningKey("RS256", f"stranger-{number}", 66)
        token = access_token(provider, {"kid": stranger.kid}, stranger.sign)
        refused(call(site.url("/"), bearer(token)), 401, "invalid_token")
    assert provider.count("jwks") <= asked + 2 + (time.monotonic() - began) / 2
    old = access_token(provider)
    provider.rotate(7)
    end = time.monotonic() + 10
    while call(site.url("/"), bearer(access_token(provider))).status != 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    refused(call(site.url("/"), bearer(old)), 401, "invalid_token")


def test_provider_without_keys_is_503(make_nginx, upstream, op):
    provider = op.provider("bearer-down")
    site = Site(make_nginx, upstream, provider, auth_methods="bearer", audience_required="api")
    provider.override["jwks"] = Answer(500)
    response = call(site.url("/"), bearer(access_token(provider)))
    assert response.status == 503, response
    assert response.header("Retry-After")


def test_extra_key_set(make_nginx, upstream, op):
    provider, other = op.provider("bearer-own"), op.provider("bearer-other")
    other.rotate(9)
    site = Site(make_nginx, upstream, provider, auth_methods="bearer", audience_required="api",
                extra_jwks_uris=f"{other.issuer}/jwks")
    token = access_token(provider, {"kid": other.signer.kid}, other.signer.sign)
    assert call(site.url("/"), bearer(token)).status == 200
    assert call(site.url("/"), bearer(access_token(provider))).status == 200


def test_known_token_ends_with_its_exp(make_nginx, upstream, op):
    provider = op.provider("bearer-exp")
    site = Site(make_nginx, upstream, provider, auth_methods="bearer", audience_required="api",
                leeway="0")
    token = access_token(provider, exp=int(time.time()) + 6)
    assert call(site.url("/"), bearer(token)).status == 200
    end = time.monotonic() + 30
    while call(site.url("/"), bearer(token)).status == 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    refused(call(site.url("/"), bearer(token)), 401, "invalid_token")

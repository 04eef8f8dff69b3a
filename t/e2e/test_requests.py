"""What the gateway sends: the authorization request and the token request."""

import base64
import time
from urllib.parse import parse_qsl, quote_plus

import pytest
from bench.client import NAVIGATION, Client
from bench.gateway import Site
from bench.jose import compact, hmac_signer
from bench.login import at_provider, begin, hand_over, login
from bench.nginx import directives, location
from bench.proc import free_port, make_dir


@pytest.fixture
def provider(op, request):
    return op.provider("".join(c if c.isalnum() else "-" for c in request.node.name))


def asked(site, path="/page"):
    """The authorization request of a new browser."""
    query = parse_qsl(begin(Client(), site.url(path)).partition("?")[2], keep_blank_values=True)
    assert len(dict(query)) == len(query), f"a parameter twice: {query}"
    return dict(query)


def test_plain_authorization_request(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider)
    sent = asked(site)
    assert sent["response_type"] == "code"
    assert sent["client_id"] == "gateway"
    assert sent["redirect_uri"] == site.url("/oidc/callback")
    assert sent["scope"] == "openid"
    assert sent["code_challenge_method"] == "S256" and len(sent["code_challenge"]) == 43
    assert len(sent["nonce"]) >= 22 and len(sent["state"]) >= 22
    assert sent.get("response_mode", "query") == "query"
    assert set(sent) <= {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce",
                         "code_challenge", "code_challenge_method", "response_mode"}


def test_nothing_is_used_twice(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider)
    logins = [asked(site) for _ in range(20)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({sent[name] for sent in logins}) == 20


def test_configured_parameters(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, response_mode="form_post",
                scopes="openid profile email", audience="api1",
                authorization_query_arg=["prompt login", "kc_idp_hint $arg_idp", "x 'a b&c=d'"],
                authorization_query_args_client="login_hint ui_locales",
                acr_values="gold silver", max_age="5m")
    sent = asked(site, "/page?idp=corp&login_hint=zo%C3%AB%26scope%3Dx&ui_locales=de&evil=1")
    assert sent["response_mode"] == "form_post"
    assert sent["scope"] == "openid profile email" and sent["audience"] == "api1"
    assert (sent["prompt"], sent["kc_idp_hint"], sent["x"]) == ("login", "corp", "a b&c=d")
    assert (sent["login_hint"], sent["ui_locales"]) == ("zoë&scope=x", "de")
    assert sent["acr_values"] == "gold silver" and sent["max_age"] == "300"
    assert "evil" not in sent and "idp" not in sent


def test_client_arguments_are_limited(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, authorization_query_args_client="login_hint")
    assert len(asked(site, "/page?login_hint=" + "a" * 2000).get("login_hint", "")) <= 512


@pytest.mark.parametrize("listed,setting,sent", [
    (["S256"], "auto", True), (["plain", "S256"], "auto", True), (None, "auto", False),
    (None, "on", True), (["S256"], "off", False), (["S256"], "on", True)])
def test_pkce(make_nginx, upstream, provider, listed, setting, sent):
    provider.edit_metadata = lambda m: {
        k: v for k, v in (m | {"code_challenge_methods_supported": listed}).items()
        if v is not None}
    site = Site(make_nginx, upstream, provider, require_proof_key_for_code_exchange=setting)
    assert ("code_challenge" in asked(site)) == sent
    assert login(Client(), site.url("/")).status in (302, 303)
    assert ("code_verifier" in dict(provider.last("token").form)) == sent
    assert provider.violations == []


def test_public_client_always_has_pkce(make_nginx, upstream, provider):
    provider.edit_metadata = lambda m: {
        k: v for k, v in m.items() if k != "code_challenge_methods_supported"}
    provider.client_secret = None
    site = Site(make_nginx, upstream, provider, client_secret=None, client_auth="none")
    assert "code_challenge" in asked(site)
    assert login(Client(), site.url("/")).status in (302, 303)
    request = provider.last("token")
    assert request.header("Authorization") is None
    assert dict(request.form)["client_id"] == "gateway"


ODD_ID, ODD_SECRET = "cli:ent+id/ü &=%", "s3:cr%t+& =/\\ßx-long-enough-to-be-a-secret"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_client_authentication_is_form_encoded(make_nginx, upstream, provider, method):
    """RFC 6749 2.3.1: id and secret are form-encoded before they become user and password."""
    provider.client_id, provider.client_secret = ODD_ID, ODD_SECRET
    secret = make_dir("secret") / "client"
    secret.write_text(ODD_SECRET + "\n")
    site = Site(make_nginx, upstream, provider, client_id=f'"{ODD_ID}"', client_auth=method,
                client_secret=f"file:{secret}")
    assert login(Client(), site.url("/")).status in (302, 303)
    request = provider.last("token")
    form = dict(request.form)
    if method == "client_secret_basic":
        expected = base64.b64encode(f"{quote_plus(ODD_ID)}:{quote_plus(ODD_SECRET)}".encode())
        assert request.header("Authorization") == f"Basic {expected.decode()}"
        assert "client_secret" not in form
    else:
        assert request.header("Authorization") is None
        assert (form["client_id"], form["client_secret"]) == (ODD_ID, ODD_SECRET)


@pytest.mark.parametrize("offered,used", [
    (["client_secret_post"], "post"), (["client_secret_basic", "client_secret_post"], "basic"),
    (["client_secret_post", "client_secret_basic"], "basic"), (None, "basic")])
def test_client_authentication_from_discovery(make_nginx, upstream, provider, offered, used):
    provider.edit_metadata = lambda m: {
        k: v for k, v in (m | {"token_endpoint_auth_methods_supported": offered}).items()
        if v is not None}
    site = Site(make_nginx, upstream, provider)
    assert login(Client(), site.url("/")).status in (302, 303)
    assert (provider.last("token").header("Authorization") is not None) == (used == "basic")


def test_token_request(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider)
    assert login(Client(), site.url("/")).status in (302, 303)
    request = provider.last("token")
    form = dict(request.form)
    assert request.method == "POST" and len(form) == len(request.form)
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    assert "application/json" in request.header("Accept")
    assert form["grant_type"] == "authorization_code"
    assert form["redirect_uri"] == site.url("/oidc/callback")
    assert 43 <= len(form["code_verifier"]) <= 128
    assert request.header("Cookie") is None and request.header("Referer") is None


@pytest.mark.parametrize("setting,expected", [
    ({"redirect_uri": "/a/b/cb"}, "{origin}/a/b/cb"),
    ({"base_url": "http://localhost:{port}"}, "http://localhost:{port}/oidc/callback")])
def test_redirect_uri(make_nginx, upstream, provider, setting, expected):
    port = free_port()
    setting = {k: v.format(port=port) for k, v in setting.items()}
    site = Site(make_nginx, upstream, provider, port=port, **setting)
    assert asked(site)["redirect_uri"] == expected.format(origin=site.origin, port=port)


def test_max_age_and_acr_are_checked_on_return(make_nginx, upstream, provider):
    site = Site(make_nginx, upstream, provider, max_age="60s", acr_values="gold")
    good = {"auth_time": int(time.time()), "acr": "gold"}
    for changes, reason in (
            ({}, None), ({"auth_time": int(time.time()) - 600}, "id_token_auth_time"),
            ({"auth_time": None}, "id_token_auth_time"), ({"acr": "bronze"}, "id_token_acr"),
            ({"acr": None}, "id_token_acr")):
        values = good | changes
        provider.edit_claims = lambda c, values=values: {
            k: v for k, v in (c | values).items() if v is not None}
        log = site.nginx.view()
        response = login(Client(), site.url("/"))
        if reason:
            assert response.status == 403, response
            assert log.wait_reason([reason]), log.text()
        else:
            assert response.status in (302, 303), response


def test_pseudo_issuer_asks_no_discovery(make_nginx, upstream, provider):
    known = provider.metadata()
    site = Site(make_nginx, upstream, provider, using_pseudo_issuer="on",
                authorization_endpoint=known["authorization_endpoint"],
                token_endpoint=known["token_endpoint"], jwks_endpoint=known["jwks_uri"])
    client = Client()
    assert login(client, site.url("/")).status in (302, 303)
    assert site.echo(client).bearer
    assert provider.count("openid-configuration") == 0


def test_hs256_only_when_enabled(make_nginx, upstream, provider):
    """With the switch, the client's own secret verifies its own ID token, nothing else."""
    secret = provider.client_secret.encode()
    provider.edit_metadata = lambda m: m | {"id_token_signing_alg_values_supported": ["HS256"]}
    provider.make_id_token = lambda c: compact({"alg": "HS256"}, c, hmac_signer("HS256", secret))
    site = Site(make_nginx, upstream, provider, enable_hs_signatures="on",
                id_token_signing_algs="HS256")
    assert login(Client(), site.url("/")).status in (302, 303)
    provider.make_id_token = lambda c: compact(
        {"alg": "HS256"}, c, hmac_signer("HS256", provider.keys[0].public_pem()))
    log = site.nginx.view()
    assert login(Client(), site.url("/")).status == 502
    assert log.wait_reason(["jwt_signature"])


def test_303_after_a_post(make_nginx, upstream, provider):
    """A 302 after a POST leaves the method to the browser."""
    site = Site(make_nginx, upstream, provider, response_mode="form_post")
    client = Client()
    delivery = at_provider(begin(client, site.url("/")), site.origin)
    assert hand_over(client, delivery, cross_site=False).status == 303


def test_one_redirect_uri_for_all_locations(make_nginx, upstream, provider):
    """A login begun in one location ends at the callback of the server, whoever owns `/`."""
    body = location("/a/", "oidc on;" + f"proxy_pass {upstream.origin};") + location(
        "/b/", "oidc on;" + f"proxy_pass {upstream.origin};") + location("/", "return 404;")
    site = Site(make_nginx, upstream, provider, directives(
        issuer=provider.issuer, client_id="gateway", client_secret=provider.client_secret) + body)
    client = Client()
    site.login(client, "/a/x")
    assert site.echo(client, "/b/y").bearer
    assert client.request("GET", site.url("/c"), NAVIGATION).status == 404

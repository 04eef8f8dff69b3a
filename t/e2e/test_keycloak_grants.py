"""Keycloak's direct access grants, service accounts and refresh tokens as credentials."""

import pytest
from bench.access_token import call, refused
from bench.gateway import Site
from bench.grants import basic, new_password
from bench.jose import claims_of
from bench.keycloak import CLIENT_SECRET
from bench.nginx import directives, location
from bench.upstream import Echo

GATEWAY = "grants-gateway"
MACHINE = "grants-machine"


@pytest.fixture(scope="module")
def realm(keycloak):
    keycloak.add_caller(GATEWAY, "api", GATEWAY)
    keycloak.add_caller(MACHINE, "api")
    keycloak.add_caller("grants-stranger", "other")
    return keycloak


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op, realm):
    def protect(methods, **more):
        settings = {"issuer": realm.issuer, "client_id": GATEWAY, "client_secret": CLIENT_SECRET,
                    "auth_methods": methods, "audience_required": "api",
                    "upstream_header": "X-User preferred_username", **more}
        return "oidc on;\n" + directives(**settings) + f"proxy_pass {upstream.origin};"
    body = "\n".join([
        location("/password/", protect("password", scopes="openid profile email",
                                       upstream_id_token_header="X-Id-Token")),
        location("/asked/", protect("password introspection", introspect_jwt_tokens="on")),
        location("/machine/", protect("client_credentials")),
        location("/refresh/", protect("refresh_token",
                                      upstream_refresh_token_header="X-New-Refresh-Token")),
        location("/role/", protect("password", roles_claim="realm_access.roles",
                                   roles_required="nobody-has-this")),
        location("/wrong-client/", protect("password", client_secret="not-the-secret-of-the-client")),
    ])
    return Site(make_nginx, upstream, op.provider("unused"), body)


def echo(response) -> Echo:
    assert response.status == 200, response
    return Echo(response.body)


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_password(site, realm, user):
    before = len(realm.sessions(user))
    tokens = set()
    for _ in range(5):
        seen = echo(call(site.url("/password/x"), basic(user, user)))
        assert seen.header("X-User") == user
        assert claims_of(seen.header("X-Id-Token"))["aud"] == GATEWAY
        tokens.add(seen.bearer)
    assert len(tokens) == 1, "Keycloak was asked once"
    assert len(realm.sessions(user)) == before + 1
    assert echo(call(site.url("/asked/x"), basic(user, user))).header("X-User") == user


def test_wrong_password(site):
    for name, password in (("alice", new_password()), ("nobody", new_password())):
        for _ in range(2):
            response = call(site.url("/password/x"), basic(name, password))
            assert response.status == 401, response
            assert response.header("WWW-Authenticate").startswith("Basic realm=")
    assert echo(call(site.url("/password/x"), basic("alice", "alice")))


def test_rules(site):
    assert call(site.url("/role/x"), basic("alice", "alice")).status == 403


def test_the_gateways_own_secret_is_wrong(site):
    assert call(site.url("/wrong-client/x"), basic("alice", "alice")).status == 401


def test_service_account(site, realm):
    tokens = {echo(call(site.url("/machine/x"), basic(MACHINE, CLIENT_SECRET))).bearer
              for _ in range(3)}
    assert len(tokens) == 1
    seen = echo(call(site.url("/machine/x"), basic(MACHINE, CLIENT_SECRET)))
    assert seen.header("X-User") == f"service-account-{MACHINE}"
    for client, secret in ((MACHINE, new_password()), ("no-such-client", CLIENT_SECRET),
                           ("grants-stranger", CLIENT_SECRET)):
        response = call(site.url("/machine/x"), basic(client, secret))
        assert response.status == 401, response


def test_refresh_token(site, realm):
    tokens = realm.grant(GATEWAY, grant_type="password", username="alice", password="alice")
    sent = ("Refresh-Token", tokens["refresh_token"])
    seen = echo(call(site.url("/refresh/x"), sent))
    assert seen.header("X-User") == "alice"
    assert seen.bearer and seen.bearer != tokens["access_token"]
    assert seen.header("X-New-Refresh-Token") and seen.all("Refresh-Token") == []
    # Nor is an access token one, nor the refresh token of another client.
    foreign = realm.grant(MACHINE, grant_type="password", username="alice", password="alice")
    for wrong in (tokens["access_token"], foreign["refresh_token"], "broken"):
        refused(call(site.url("/refresh/x"), ("Refresh-Token", wrong)), 401, None)


def test_a_user_who_is_logged_out_at_keycloak_has_no_refresh_token(site, realm):
    tokens = realm.grant(GATEWAY, grant_type="password", username="bob", password="bob")
    realm.logout_user("bob")
    refused(call(site.url("/refresh/x"), ("Refresh-Token", tokens["refresh_token"])), 401, None)

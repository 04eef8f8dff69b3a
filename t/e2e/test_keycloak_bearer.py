"""Keycloak's own tokens: by client credentials and password, verified here and introspected."""

import pytest
from bench.access_token import bearer, call, refused
from bench.gateway import Site
from bench.jose import claims_of
from bench.keycloak import CLIENT_ID, CLIENT_SECRET
from bench.nginx import directives, location
from bench.upstream import Echo


@pytest.fixture(scope="module")
def callers(keycloak):
    # Keycloak answers only clients that are in the token's audience.
    keycloak.add_caller("caller", "api", CLIENT_ID)
    keycloak.add_caller("stranger", "other", CLIENT_ID)
    return keycloak


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op, callers):
    def protect(methods, **more):
        return "oidc on;\n" + directives(
            issuer=callers.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
            auth_methods=methods, audience_required="api", upstream_header="X-User preferred_username",
            **more) + f"proxy_pass {upstream.origin};"
    body = "\n".join([
        location("/bearer/", protect("bearer")),
        location("/asked/", protect("introspection", cache_introspection="off")),
        location("/both/", protect("bearer introspection", introspect_jwt_tokens="on",
                                   cache_introspection="off")),
    ])
    return Site(make_nginx, upstream, op.provider("unused"), body)


PATHS = ["/bearer/x", "/asked/x", "/both/x"]


@pytest.mark.parametrize("path", PATHS)
def test_client_credentials(site, callers, path):
    token = callers.grant("caller")["access_token"]
    for _ in range(2):
        response = call(site.url(path), bearer(token))
        assert response.status == 200, response
        assert Echo(response.body).header("X-User") == "service-account-caller"


@pytest.mark.parametrize("path", PATHS)
def test_password(site, callers, path):
    tokens = callers.grant("caller", grant_type="password", username="alice", password="alice")
    assert Echo(call(site.url(path), bearer(tokens["access_token"])).body).header("X-User") == "alice"
    # Neither of the others is an access token.
    for name in ("id_token", "refresh_token"):
        refused(call(site.url(path), bearer(tokens[name])), 401, "invalid_token")


@pytest.mark.parametrize("path", PATHS)
def test_for_another_audience(site, callers, path):
    token = callers.grant("stranger")["access_token"]
    assert "api" not in claims_of(token)["aud"]
    refused(call(site.url(path), bearer(token)), 401, "invalid_token")


def test_a_logout_at_keycloak_is_seen_by_introspection(site, callers):
    tokens = callers.grant("caller", grant_type="password", username="bob", password="bob")
    token = tokens["access_token"]
    for path in PATHS:
        assert call(site.url(path), bearer(token)).status == 200
    callers.logout_user("bob")
    for path in ("/asked/x", "/both/x"):
        refused(call(site.url(path), bearer(token)), 401, "invalid_token")
    assert call(site.url("/bearer/x"), bearer(token)).status == 200

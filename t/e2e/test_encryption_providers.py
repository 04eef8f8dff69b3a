"""Encryption as two independent providers do it: npm oidc-provider, and Keycloak."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from bench.access_token import bearer, call
from bench.client import NAVIGATION, Client
from bench.jose import claims_of
from bench.jwe import EncryptionKey
from bench.keycloak import CLIENT_SECRET as KEYCLOAK_SECRET
from bench.login import at_provider, begin, deliver
from bench.nginx import directives, location, server
from bench.oidc_provider import CLIENT_ID, CLIENT_SECRET
from bench.proc import free_port
from bench.upstream import Echo

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]
KEYS = {"RSA-OAEP": "RSA", "RSA-OAEP-256": "RSA", "ECDH-ES": "P-256", "ECDH-ES+A128KW": "P-521",
        "ECDH-ES+A256KW": "X25519"}


@pytest.mark.parametrize(("alg", "enc"), [
    ("RSA-OAEP", "A256GCM"), ("RSA-OAEP-256", "A128CBC-HS256"), ("ECDH-ES", "A128GCM"),
    ("ECDH-ES+A128KW", "A256CBC-HS512"), ("ECDH-ES+A256KW", "A256GCM")])
def test_at_oidc_provider(make_nginx, upstream, make_oidc_provider, ca, certificate, alg, enc):
    port, key = free_port(), EncryptionKey(KEYS[alg], "enc")
    origin, context = f"https://localhost:{port}", ca.client_context()
    kinds = ("id_token", "userinfo", "introspection")
    provider = make_oidc_provider(origin, registration={
        "jwks": {"keys": [key.public()]}, "userinfo_signed_response_alg": "RS256",
        "introspection_signed_response_alg": "RS256",
        **{f"{kind}_encrypted_response_alg": alg for kind in kinds},
        **{f"{kind}_encrypted_response_enc": enc for kind in kinds}})
    common = directives(
        issuer=provider.issuer, client_id=f'"{CLIENT_ID}"', client_secret=f'"{CLIENT_SECRET}"',
        client_jwk=key.path, encryption_required=" ".join(kinds), ssl_trusted_certificate=ca.path,
        scopes="openid profile email")
    proxy = f"proxy_pass {upstream.origin};"
    nginx = make_nginx(server(port, "\n".join([
        location("/", "oidc on; oidc_userinfo login;\n" + common + directives(
            upstream_header="X-Email email", upstream_id_token_header="X-Id-Token",
            logout_uri_suffix="/logout", logout_methods="GET") + proxy),
        location("/api/", "oidc on; oidc_auth_methods introspection; "
                 "oidc_audience_required any;\n" + common + proxy)]),
        certificate=certificate), port)
    client = Client(context)
    response = deliver(client, at_provider(begin(client, origin + "/x"), origin, context))
    assert response.status in (302, 303), (response, provider.log()[-1500:])
    echo = Echo(client.navigate(origin + "/x").body)
    assert echo.header("X-Email") == "zoe@example.test"
    assert claims_of(echo.header("X-Id-Token"))["sub"] == "zoe"
    answer = call(origin + "/api/x", bearer(echo.bearer), client=Client(context))
    assert answer.status == 200, (answer, nginx.error_log.read_text()[-1500:])
    assert call(origin + "/api/x", bearer("x" * 40), client=Client(context)).status == 401
    left = client.request("GET", origin + "/logout", SAME)
    hint = parse_qs(urlsplit(left.location).query)["id_token_hint"][0]
    assert hint == echo.header("X-Id-Token")
    page = Client(context).navigate(left.location)
    assert page.status == 200, "the provider takes the signed token as the hint"


def test_at_keycloak(make_nginx, upstream, keycloak):
    for number, (alg, enc) in enumerate([("RSA-OAEP", "A256GCM"),
                                         ("RSA-OAEP-256", "A128CBC-HS256")]):
        name, port = f"encrypted-{number}", free_port()
        # Keycloak finds the key by its alg.
        key, origin = EncryptionKey("RSA", "enc", alg=alg), f"http://127.0.0.1:{port}"
        keycloak.admin("POST", "/clients", {
            "clientId": name, "secret": KEYCLOAK_SECRET, "publicClient": False,
            "redirectUris": [f"{origin}/*"], "attributes": {
                "use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public()]}),
                "id.token.encrypted.response.alg": alg, "id.token.encrypted.response.enc": enc,
                "user.info.response.signature.alg": "RS256",
                "user.info.encrypted.response.alg": alg,
                "user.info.encrypted.response.enc": enc}})
        body = location("/", "oidc on;\n" + directives(
            issuer=keycloak.issuer, client_id=name, client_secret=KEYCLOAK_SECRET,
            client_jwk=key.path, encryption_required="id_token userinfo", userinfo="login",
            upstream_id_token_header="X-Id-Token", upstream_user_info_header="X-User")
            + f"proxy_pass {upstream.origin};")
        nginx = make_nginx(server(port, body), port)
        client = Client()
        delivery = keycloak.login(begin(client, origin + "/x"), origin, "bob")
        response = deliver(client, delivery)
        assert response.status in (302, 303), (response, nginx.error_log.read_text()[-1500:])
        echo = Echo(client.navigate(origin + "/x").body)
        assert claims_of(echo.header("X-Id-Token"))["preferred_username"] == "bob"
        assert echo.header("X-User")

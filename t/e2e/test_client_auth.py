"""The client's authentication at a real provider that checks it: the npm oidc-provider."""

import base64
import hashlib
import json
import time

import pytest
from bench.client import Client
from bench.jose import SigningKey, b64u
from bench.login import at_provider, begin, deliver
from bench.nginx import Nginx, directives, location, server
from bench.oidc_provider import CLIENT_ID, CLIENT_SECRET
from bench.proc import free_port, make_dir
from bench.upstream import Echo
from cryptography import x509

KEYS = {alg: SigningKey(alg, f"client-{alg}", number=7)
        for alg in ("RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512", "EdDSA")}


def written(name: str, content: bytes | str):
    path = make_dir("client-key") / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def thumbprint(jwk: dict) -> str:
    """RFC 7638, of an EC key."""
    members = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")},
                         separators=(",", ":"))
    return b64u(hashlib.sha256(members.encode()).digest())


class Gateway:
    def __init__(self, make_nginx, upstream, make_oidc_provider, ca, certificate, auth, settings,
                 registration=None, **options):
        port = free_port()
        self.origin, self.context = f"https://localhost:{port}", ca.client_context()
        self.provider = make_oidc_provider(self.origin, auth=auth, trust=ca,
                                           registration=registration, **options)
        protect = "oidc on;\n" + directives(**{
            "issuer": self.provider.issuer, "client_id": f'"{CLIENT_ID}"',
            "ssl_trusted_certificate": ca.path, "scopes": "openid offline_access",
            "logout_uri_suffix": "/logout", "logout_methods": "GET POST", "logout_revoke": "on",
            **settings})
        self.nginx = make_nginx(
            server(port, location("/", protect + f"proxy_pass {upstream.origin};"),
                   certificate=certificate), port)

    def answer_to_login(self):
        client = Client(self.context)
        authorize = begin(client, self.origin + "/x")
        return client, deliver(client, at_provider(authorize, self.origin, self.context))

    def login(self) -> Client:
        client, response = self.answer_to_login()
        assert response.status in (302, 303), (response, self.provider.log()[-1500:])
        echo = client.navigate(self.origin + "/x")
        assert Echo(echo.body).bearer
        return client


@pytest.fixture
def make_gateway(make_nginx, upstream, make_oidc_provider, ca, certificate):
    made = []

    def make(*args, **options) -> Gateway:
        made.append(Gateway(make_nginx, upstream, make_oidc_provider, ca, certificate, *args,
                            **options))
        return made[-1]
    yield make
    for gateway in made:
        gateway.provider.stop()


@pytest.mark.parametrize("alg", sorted(KEYS))
def test_private_key_jwt(make_gateway, alg):
    key = KEYS[alg]
    form = json.dumps(key.private_jwk()) if alg != "ES384" else key.private_pem()
    settings = {"client_auth": "private_key_jwt", "client_jwk": written("key", form)}
    public = key.jwk()
    if alg == "ES384":  # PEM has no kid: the thumbprint is sent
        settings["client_alg"] = "ES384"
        public["kid"] = thumbprint(public)
    gateway = make_gateway("private_key_jwt", settings, {
        "jwks": {"keys": [public]}, "client_secret": None,
        "token_endpoint_auth_signing_alg": alg})
    gateway.login()


@pytest.mark.parametrize("alg", ["HS256", "HS512"])
def test_client_secret_jwt(make_gateway, alg):
    secret = CLIENT_SECRET + "and-longer-so-that-it-has-sixty-four-bytes-at-least"
    gateway = make_gateway(
        "client_secret_jwt",
        {"client_auth": "client_secret_jwt", "client_alg": alg, "client_secret": f'"{secret}"'},
        {"client_secret": secret, "token_endpoint_auth_signing_alg": alg})
    gateway.login()


def test_a_key_alone_chooses_the_method_and_refreshes_and_revokes(make_gateway):
    """Each request has an assertion of its own: a `jti` that came twice would be refused."""
    key = KEYS["ES256"]
    gateway = make_gateway(
        "private_key_jwt", {"client_jwk": written("key", json.dumps(key.private_jwk())),
                            "refresh_before": "60s"},
        {"jwks": {"keys": [key.jwk()]}, "client_secret": None}, access_token_life=6)
    client = gateway.login()
    first = Echo(client.navigate(gateway.origin + "/x").body).bearer
    time.sleep(6.2)
    assert Echo(client.navigate(gateway.origin + "/x").body).bearer != first
    assert "granted refresh_token" in gateway.provider.log()
    log = gateway.nginx.view()
    assert client.navigate(gateway.origin + "/logout").status in (200, 302, 303)
    assert not log.wait_reason(["revocation_failed"], timeout=1.5)
    assert "grant.error" not in gateway.provider.log()


def test_tls_client_auth(make_gateway, ca):
    own = ca.issue("tls-client", names=("client.example",))
    gateway = make_gateway(
        "tls_client_auth",
        {"client_auth": "tls_client_auth", "tls_client_auth_certificate": own.cert,
         "tls_client_auth_certificate_key": own.key},
        {"client_secret": None, "tls_client_auth_san_dns": "client.example"})
    gateway.login()


def test_self_signed_tls_client_auth(make_gateway, ca):
    """No authority is asked: the provider has the certificate itself."""
    own = ca.issue("self-signed", names=("self.example",))
    der = base64.b64encode(base64.b64decode(
        "".join(own.cert.read_text().split("-----")[2].split()))).decode()
    numbers = x509.load_pem_x509_certificate(own.cert.read_bytes()).public_key().public_numbers()

    def coordinate(value):
        return b64u(value.to_bytes(32, "big"))
    gateway = make_gateway(
        "self_signed_tls_client_auth",
        {"tls_client_auth_certificate": own.cert, "tls_client_auth_certificate_key": own.key,
         "client_auth": "self_signed_tls_client_auth"},
        {"client_secret": None, "jwks": {"keys": [
            {"kty": "EC", "crv": "P-256", "x": coordinate(numbers.x), "y": coordinate(numbers.y),
             "x5c": [der]}]}})
    gateway.login()


# ---- wrong ones -----------------------------------------------------------------------------------

def refused(gateway):
    log = gateway.nginx.view()
    _, response = gateway.answer_to_login()
    assert response.status == 502, response
    assert log.wait_reason(["token_client_rejected"])


def test_another_key_is_refused(make_gateway):
    other = SigningKey("ES256", KEYS["ES256"].kid, number=8)
    refused(make_gateway(
        "private_key_jwt", {"client_jwk": written("key", json.dumps(other.private_jwk()))},
        {"jwks": {"keys": [KEYS["ES256"].jwk()]}, "client_secret": None}))


def test_no_certificate_of_the_clients_is_refused(make_gateway, ca):
    own = ca.issue("other-client", names=("somebody-else.example",))
    refused(make_gateway(
        "tls_client_auth",
        {"client_auth": "tls_client_auth", "tls_client_auth_certificate": own.cert,
         "tls_client_auth_certificate_key": own.key},
        {"client_secret": None, "tls_client_auth_san_dns": "client.example"}))


def test_an_audience_that_the_provider_does_not_know_is_refused(make_gateway):
    key = KEYS["ES256"]
    refused(make_gateway(
        "private_key_jwt", {"client_jwk": written("key", json.dumps(key.private_jwk())),
                            "client_assertion_audience": "https://elsewhere.example"},
        {"jwks": {"keys": [key.jwk()]}, "client_secret": None}))


def test_a_certificate_without_its_key_fails_the_check(settings, ca, certificate):
    own = ca.issue("mismatched", names=("client.example",))
    body = location("/", "oidc on;" + directives(
        issuer="https://localhost", client_id="c", client_auth="tls_client_auth",
        tls_client_auth_certificate=own.cert, tls_client_auth_certificate_key=certificate.key)
        + "return 200;")
    code, said = Nginx(settings, "mismatched").check(server(8999, body))
    assert code != 0 and "oidc_tls_client_auth_certificate_key" in said, said

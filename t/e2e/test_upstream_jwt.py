"""oidc_upstream_jwt: what the gateway itself says of the user, and the key that verifies it."""

import json
import time

import pytest
from bench.access_token import access_token, bearer, call
from bench.client import NAVIGATION, Client
from bench.gateway import Site, protect
from bench.jose import SigningKey, claims_of, unb64u
from bench.nginx import Nginx, location, server
from bench.proc import free_port
from bench.upstream import Echo
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

KEYS = {alg: SigningKey(alg, f"gateway-{alg}", 7) for alg in ("ES256", "RS256", "EdDSA")}


@pytest.fixture(scope="module")
def provider(op):
    provider = op.provider("upstream-jwt")
    provider.claims = {"sub": "alice", "email": "alice@example.test",
                       "realm_access": {"roles": ["reader", "a,b\r\nX-Admin: yes"]}}
    return provider


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for alg, key in KEYS.items():
        (folder / alg).write_text(json.dumps(key.private_jwk()))
    (folder / "broken").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def site(make_nginx, upstream, provider, files):
    proxy = f"proxy_pass {upstream.origin};"
    jwts = [f"X-{alg} {files / alg} aud=backend-{alg} email realm_access.roles nothing" for alg in KEYS]
    base = {"base_url": "http://127.0.0.1:@PORT@", "upstream_jwt": jwts}
    body = "\n".join([
        location("/", protect(provider, **base) + proxy),
        location("/short/", protect(provider, upstream_jwt=f"X-Short {files / 'ES256'} iss=gateway "
                                    "aud=backend ttl=10s") + proxy),
        location("/api/", protect(provider, auth_methods="bearer", audience_required="api", **base)
                 + proxy),
        location("= /jwks", "oidc off; oidc_client_jwks on;\n"
                 + protect(provider, **base).replace("oidc on;", "")),
        location("/off/", "oidc off;" + proxy),
    ])
    port = free_port()
    return Site(make_nginx, upstream, provider, body.replace("@PORT@", str(port)), port=port)


@pytest.fixture(scope="module")
def alice(site):
    client = Client()
    site.login(client, "/")
    return client


def header_of(token: str) -> dict:
    return json.loads(unb64u(token.split(".")[0]))


def verify(token: str) -> None:
    """By an unrelated library."""
    signed, signature = token.rsplit(".", 1)
    key, raw = KEYS[header_of(token)["alg"]].private.public_key(), unb64u(signature)
    if header_of(token)["alg"] == "RS256":
        key.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    elif header_of(token)["alg"] == "EdDSA":
        key.verify(raw, signed.encode())
    else:
        r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
        key.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("alg", KEYS)
def test_says_who_the_user_is(site, alice, alg):
    token = site.echo(alice).header(f"X-{alg}")
    verify(token)
    assert header_of(token) == {"alg": alg, "typ": "JWT", "kid": f"gateway-{alg}"}
    claims = claims_of(token)
    now = time.time()
    assert now - 40 < claims.pop("iat") <= now + 1 and now + 20 < claims.pop("exp") <= now + 61
    assert claims == {"iss": site.origin, "aud": f"backend-{alg}", "sub": "alice",
                      "idp": site.provider.issuer, "email": "alice@example.test",
                      "roles": ["reader", "a,b\r\nX-Admin: yes"]}


def test_is_signed_once_for_a_while(site, alice):
    tokens = {site.echo(alice).header("X-ES256") for _ in range(10)}
    assert len(tokens) <= 2  # half of its life may pass in between


def test_is_made_anew_before_its_end(site, alice):
    first = site.echo(alice, "/short/x").header("X-Short")
    assert claims_of(first)["iss"] == "gateway"
    deadline = time.monotonic() + 30
    while (token := site.echo(alice, "/short/x").header("X-Short")) == first:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    verify(token)
    assert claims_of(token)["exp"] - time.time() > 4, "whoever gets it has time to look at it"
    assert time.time() < claims_of(first)["exp"]


def test_of_an_access_token(site, provider):
    response = call(site.url("/api/x"), bearer(access_token(provider, sub="robot")))
    token = Echo(response.body).header("X-ES256")
    verify(token)
    assert claims_of(token)["sub"] == "robot"
    nobody = call(site.url("/api/x"), bearer(access_token(provider, sub=None)))
    assert nobody.status != 200 or Echo(nobody.body).all("X-ES256") == []


def test_forged_ones_are_cleared(site, alice):
    for name in ("X-ES256", "X_ES256", "x-rs256"):
        response = alice.request("GET", site.url("/off/x"), [*NAVIGATION, (name, "forged")])
        assert "forged" not in str(Echo(response.body).headers)
    response = alice.request("GET", site.url("/"), [*NAVIGATION, ("X-ES256", "forged")])
    assert len(Echo(response.body).all("X-ES256")) == 1


def test_its_keys_are_published(site):
    keys = Client().get(site.url("/jwks")).json()["keys"]
    assert {key["kid"] for key in keys} == {f"gateway-{alg}" for alg in KEYS}
    for key in keys:
        public = KEYS[key["alg"]].jwk()
        assert {name: key[name] for name in public} == public
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


@pytest.mark.parametrize("words, why", [
    ("X-Identity {keys}/nowhere aud=a iss=b", "cannot find"),
    ("X-Identity {keys}/broken aud=a iss=b", "broken"),
    ("X-Identity {keys}/ES256", "iss= and aud= must be set"),
    ("X-Identity {keys}/ES256 aud=a iss=b exp", "has a claim of that name already"),
    ("X-Identity {keys}/ES256 aud=a iss=b ttl=1d", "between"),
    ("Content-Length {keys}/ES256 aud=a iss=b", "the server itself needs this header"),
])
def test_refused_at_nginx_t(settings, provider, files, words, why):
    body = location("/", protect(provider, upstream_jwt=words.format(keys=files)))
    code, output = Nginx(settings, "config").check(server(1, body))
    assert code != 0 and "oidc_upstream_jwt" in output and why in output, output

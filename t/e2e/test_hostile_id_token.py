"""ID tokens and key sets that are wrong in one place each."""

import json
import time

import pytest
from bench.client import Client
from bench.hostile import Case, Gateway, names
from bench.http_server import Answer
from bench.jose import SigningKey, b64u, compact, half_hash, hmac_signer, unb64u
from bench.scripted_op import CLIENT_SECRET


def claims(**changes):
    """The right claims with some changed; None takes one out, a function computes it."""
    def edit(good):
        result = good | {k: v(good) if callable(v) else v for k, v in changes.items()}
        return {k: v for k, v in result.items() if v is not None}

    def arrange(provider):
        provider.edit_claims = edit
    return arrange


def header(**changes):
    def edit(good):
        return {k: v for k, v in (good | changes).items() if v is not None}

    def arrange(provider):
        provider.edit_header = edit
    return arrange


def token(make):
    """`make(provider, claims)` makes the whole ID token."""
    def arrange(provider):
        provider.make_id_token = lambda good: make(provider, good)
    return arrange


def cut(make):
    """`make(compact JWS)` spoils the finished token."""
    return token(lambda provider, good: make(provider.sign_id_token(good)))


def keys(make):
    def arrange(provider):
        provider.edit_jwks = lambda good: make(provider, good)
    return arrange


def jwks(answer):
    def arrange(provider):
        provider.override["jwks"] = answer
    return arrange


def both(*steps):
    def arrange(provider):
        for step in steps:
            step(provider)
    return arrange


def signer(alg, number=0, published=True, /, **jwk_changes):
    """The provider signs with a key of this kind."""
    def arrange(provider):
        provider.signer = SigningKey(alg, f"{alg}-{number}", number)
        if published:
            provider.keys = [provider.signer]
            provider.edit_jwks = lambda good: {
                "keys": [provider.signer.jwk(**jwk_changes)]}
    return arrange


def spoil_signature(jws):
    head, body, signature = jws.split(".")
    raw = bytearray(unb64u(signature))
    raw[len(raw) // 2] ^= 1
    return f"{head}.{body}.{b64u(bytes(raw))}"


def swap_payload(jws):
    head, body, signature = jws.split(".")
    changed = json.loads(unb64u(body)) | {"sub": "admin"}
    return f"{head}.{b64u(json.dumps(changed).encode())}.{signature}"


def hs256(secret):
    return token(lambda p, c: compact({"alg": "HS256", "kid": p.signer.kid}, c,
                                      hmac_signer("HS256", secret(p))))



EVIL = SigningKey("RS256", "evil", 66)
NOW = time.time
BAD_JSON = ("jwt_malformed",)
BAD_CHARACTERS = ("jwt_malformed", "provider_answer_invalid")
ALG = ("jwt_alg_not_allowed", "jwt_key_mismatch")

CLAIM_CASES = [
    Case("nonce-other", "id_token_nonce", claims(nonce="another-nonce-altogether")),
    Case("nonce-missing", "id_token_nonce", claims(nonce=None)),
    Case("nonce-empty", "id_token_nonce", claims(nonce="")),
    Case("nonce-number", ("id_token_nonce", "jwt_malformed"), claims(nonce=5)),
    Case("nonce-longer", "id_token_nonce", claims(nonce=lambda c: c["nonce"] + "x")),
    Case("aud-other", "id_token_aud", claims(aud="somebody")),
    Case("aud-missing", "id_token_aud", claims(aud=None)),
    Case("aud-empty-list", "id_token_aud", claims(aud=[])),
    Case("aud-stranger-too", "id_token_aud", claims(aud=["gateway", "somebody"])),
    Case("aud-number", ("id_token_aud", "jwt_malformed"), claims(aud=5)),
    Case("aud-prefix", "id_token_aud", claims(aud="gateway2")),
    Case("iss-other", "id_token_iss", claims(iss="http://evil.test")),
    Case("iss-missing", "id_token_iss", claims(iss=None)),
    Case("iss-slash", "id_token_iss", claims(iss=lambda c: c["iss"] + "/")),
    Case("iss-upper", "id_token_iss", claims(iss=lambda c: c["iss"].upper())),
    Case("azp-other", "id_token_azp", claims(azp="somebody")),
    Case("azp-number", ("id_token_azp", "jwt_malformed"), claims(azp=5)),
    Case("sub-missing", "id_token_sub", claims(sub=None)),
    Case("sub-empty", "id_token_sub", claims(sub="")),
    Case("sub-number", ("id_token_sub", "jwt_malformed"), claims(sub=5)),
    Case("expired", "id_token_exp", claims(exp=lambda c: int(NOW()) - 120)),
    Case("exp-missing", "id_token_exp", claims(exp=None)),
    Case("exp-string", ("id_token_exp", "jwt_malformed"), claims(exp="tomorrow")),
    Case("exp-zero", "id_token_exp", claims(exp=0)),
    Case("nbf-future", "id_token_nbf", claims(nbf=lambda c: int(NOW()) + 600)),
    Case("nbf-string", ("id_token_nbf", "jwt_malformed"), claims(nbf="soon")),
    Case("iat-future", "id_token_iat", claims(iat=lambda c: int(NOW()) + 600)),
    Case("iat-missing", "id_token_iat", claims(iat=None)),
    Case("at-hash-other", "id_token_at_hash", claims(at_hash=half_hash("RS256", "x"))),
    Case("at-hash-whole", "id_token_at_hash", claims(at_hash=b64u(bytes(32)))),
    Case("c-hash-other", "id_token_c_hash", claims(c_hash=half_hash("RS256", "x"))),
]

JOSE_CASES = [
    Case("alg-none", ("jwt_alg_none", "jwt_alg_not_allowed"),
         token(lambda p, c: compact({"alg": "none"}, c, lambda data: b""))),
    Case("alg-none-case", ("jwt_alg_none", "jwt_alg_not_allowed"),
         token(lambda p, c: compact({"alg": "nOnE"}, c, lambda data: b""))),
    Case("alg-none-signed", ("jwt_alg_none", "jwt_alg_not_allowed"),
         token(lambda p, c: compact({"alg": "none", "kid": "key-0"}, c, p.signer.sign))),
    Case("alg-missing", ("jwt_alg_not_allowed", "jwt_malformed", "jwt_alg_none"),
         token(lambda p, c: compact({"kid": "key-0"}, c, p.signer.sign))),
    Case("alg-number", ("jwt_alg_not_allowed", "jwt_malformed"),
         token(lambda p, c: compact({"alg": 256, "kid": "key-0"}, c, p.signer.sign))),
    Case("alg-lower-case", ALG,
         token(lambda p, c: compact({"alg": "rs256", "kid": "key-0"}, c, p.signer.sign))),
    Case("hs256-client-secret", ALG, hs256(lambda p: CLIENT_SECRET.encode())),
    Case("hs256-public-pem", ALG, hs256(lambda p: p.signer.public_pem())),
    Case("hs256-jwk-text", ALG, hs256(lambda p: json.dumps(p.signer.jwk()).encode())),
    Case("hs256-empty-secret", ALG, hs256(lambda p: b"")),
    Case("hs256-key-in-jwks", ("jwt_alg_not_allowed", "jwt_key_mismatch", "jwt_key_unknown"),
         both(hs256(lambda p: b"k" * 32),
              keys(lambda p, good: {"keys": [{"kty": "oct", "kid": "key-0", "k": b64u(b"k" * 32),
                                              "alg": "HS256", "use": "sig"}]}))),
    Case("es256-header-rsa-key", ("jwt_key_mismatch", "jwt_key_unknown", "jwt_signature"),
         token(lambda p, c: compact({"alg": "ES256", "kid": "key-0"}, c,
                                    SigningKey("ES256", "x").sign))),
    Case("ps256-with-rs256-key", ("jwt_key_mismatch", "jwt_key_unknown"),
         token(lambda p, c: compact({"alg": "PS256", "kid": "key-0"}, c,
                                    lambda data: p.signer.sign(data, "PS256")))),
    Case("es256-zero-signature", "jwt_signature",
         both(signer("ES256"),
              token(lambda p, c: compact({"alg": "ES256", "kid": p.signer.kid}, c,
                                         lambda data: bytes(64))))),
    Case("es256-der-signature", ("jwt_signature", "jwt_malformed"),
         both(signer("ES256"), token(lambda p, c: compact(
             {"alg": "ES256", "kid": p.signer.kid}, c, lambda data: b"\x30\x44" + bytes(68))))),
    Case("es256-p384-key", ("jwt_key_mismatch", "jwt_key_unknown", "jwt_signature"),
         both(signer("ES384", alg=None),
              token(lambda p, c: compact({"alg": "ES256", "kid": p.signer.kid}, c,
                                         lambda data: bytes(96))))),
    Case("signature-flipped", "jwt_signature", cut(spoil_signature)),
    Case("signature-empty", ("jwt_signature", "jwt_malformed"),
         cut(lambda t: t.rpartition(".")[0] + ".")),
    Case("signature-short", "jwt_signature",
         cut(lambda t: t.rpartition(".")[0] + "." + b64u(bytes(8)))),
    Case("payload-swapped", "jwt_signature", cut(swap_payload)),
    Case("other-key-same-kid", "jwt_signature",
         token(lambda p, c: compact({"alg": "RS256", "kid": "key-0"}, c, EVIL.sign))),
    Case("key-in-header", ("jwt_signature", "jwt_malformed"),
         token(lambda p, c: compact({"alg": "RS256", "kid": "key-0", "jwk": EVIL.jwk()}, c,
                                    EVIL.sign))),
    Case("key-by-jku", ("jwt_key_unknown", "jwt_malformed"),
         token(lambda p, c: compact({"alg": "RS256", "kid": "evil",
                                     "jku": f"{p.issuer}/evil-keys"}, c, EVIL.sign))),
    Case("kid-unknown", "jwt_key_unknown",
         token(lambda p, c: compact({"alg": "RS256", "kid": "nobody"}, c, p.signer.sign))),
    Case("kid-number", ("jwt_malformed", "jwt_key_unknown"),
         token(lambda p, c: compact({"alg": "RS256", "kid": 7}, c, p.signer.sign))),
    Case("kid-of-path", "jwt_key_unknown",
         token(lambda p, c: compact({"alg": "RS256", "kid": "../../etc/passwd"}, c,
                                    p.signer.sign))),
    Case("crit", "jwt_crit", header(crit=["exp"], exp=1)),
    Case("crit-b64-false", "jwt_crit", header(crit=["b64"], b64=False)),
    Case("crit-empty", ("jwt_crit", "jwt_malformed"), header(crit=[])),
    Case("typ-logout", "jwt_typ", header(typ="logout+jwt")),
    Case("typ-access-token", "jwt_typ", header(typ="at+jwt")),
    Case("header-duplicate", BAD_JSON,
         token(lambda p, c: compact(b'{"alg":"RS256","kid":"key-0","alg":"RS256"}', c,
                                    p.signer.sign))),
    Case("header-no-json", BAD_JSON, token(lambda p, c: compact(b"abc", c, p.signer.sign))),
    Case("payload-duplicate", BAD_JSON,
         token(lambda p, c: p.sign_id_token(b'{"sub":"admin",' + json.dumps(c).encode()[1:]))),
    Case("payload-array", BAD_JSON, token(lambda p, c: p.sign_id_token(b"[1]"))),
    Case("payload-no-json", BAD_JSON, token(lambda p, c: p.sign_id_token(b"hello"))),
    Case("payload-deep", BAD_JSON,
         token(lambda p, c: p.sign_id_token(
             json.dumps(c).encode()[:-1] + b',"x":' + b"[" * 300 + b"]" * 300 + b"}"))),
    Case("payload-bad-utf8", BAD_JSON,
         token(lambda p, c: p.sign_id_token(json.dumps(c).encode()[:-1] + b',"x":"\xff"}'))),
    Case("one-part", BAD_JSON, cut(lambda t: "abcdef")),
    Case("two-parts", BAD_JSON, cut(lambda t: t.rpartition(".")[0])),
    Case("four-parts", BAD_JSON, cut(lambda t: t + ".abc")),
    Case("five-parts", ("jwe_malformed",), cut(lambda t: "a.b.c.d.e")),
    Case("padded", BAD_CHARACTERS, cut(lambda t: t.replace(".", "=.", 1))),
    Case("white-space", BAD_CHARACTERS, cut(lambda t: t.replace(".", " .", 1))),
    Case("plain-base64", BAD_CHARACTERS, cut(lambda t: "+/" + t)),
]

JWKS_CASES = [
    Case("jwks-empty", ("jwt_key_unknown", "jwks_invalid"), keys(lambda p, good: {"keys": []})),
    Case("jwks-no-keys", "jwks_invalid", keys(lambda p, good: {})),
    Case("jwks-keys-object", "jwks_invalid", keys(lambda p, good: {"keys": {"a": 1}})),
    Case("jwks-only-encryption", ("jwt_key_unknown", "jwks_invalid"),
         keys(lambda p, good: {"keys": [p.signer.jwk(use="enc")]})),
    Case("jwks-no-sign-op", ("jwt_key_unknown", "jwks_invalid"),
         keys(lambda p, good: {"keys": [p.signer.jwk(use=None, key_ops=["encrypt"])]})),
    Case("jwks-broken-key", ("jwt_key_unknown", "jwks_invalid"),
         keys(lambda p, good: {"keys": [p.signer.jwk(n="!!!")]})),
    Case("jwks-point-off-curve", ("jwt_key_unknown", "jwks_invalid"),
         both(signer("ES256"),
              keys(lambda p, good: {"keys": [p.signer.jwk(x=b64u(b"\1" * 32))]}))),
    Case("jwks-not-json", "jwks_invalid", jwks(Answer(200, b"<html>"))),
    Case("jwks-array", "jwks_invalid", jwks(Answer(200, b"[]"))),
    Case("jwks-duplicate-member", "jwks_invalid", jwks(Answer(200, b'{"keys":[],"keys":[]}'))),
    Case("jwks-500", ("provider_overloaded", "provider_unreachable"), jwks(Answer(500))),
    Case("jwks-404", "provider_status", jwks(Answer(404))),
    Case("jwks-redirect", "provider_status",
         jwks(Answer(302, headers=(("Location", "/fine/jwks"),)))),
    Case("jwks-huge", "provider_answer_too_large",
         jwks(Answer(200, b'{"keys":[],"x":"' + b"a" * 8_000_000 + b'"}'))),
    Case("jwks-truncated", "provider_answer_truncated",
         jwks(Answer(200, b'{"keys":[]' + b" " * 500 + b"}", truncate=20))),
    Case("jwks-hangs", "provider_timeout", jwks(Answer(hang=True))),
    Case("jwks-closes", ("provider_unreachable", "provider_answer_truncated"),
         jwks(Answer(close=True))),
]

CASES = CLAIM_CASES + JOSE_CASES + JWKS_CASES


@pytest.fixture(scope="module")
def gateway(make_nginx, upstream, op):
    return Gateway(make_nginx, upstream, op, CASES)


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_id_token(gateway, case):
    case.arrange(gateway.op.provider(case.name))
    client, log = Client(), gateway.nginx.view()
    response = gateway.login(case, client)
    gateway.refused(case, response, log, client)


GOOD = {
    **{f"alg-{alg}": signer(alg) for alg in (
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")},
    "key-without-kid-and-use": both(
        signer("RS256", kid=None, use=None, alg=None), header(kid=None)),
    "broken-keys-beside": both(keys(lambda p, good: {"keys": [
        {"kty": "RSA"}, {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"}, 5, "x",
        {"kty": "oct", "k": "AAAA"}, *good["keys"]]})),
    "four-keys-no-kid": both(
        signer("RS256", 3), header(kid=None),
        keys(lambda p, good: {"keys": [SigningKey("RS256", None, n).jwk() for n in range(4)]})),
    "audience-list-of-one": claims(aud=["gateway"]),
    "no-azp-no-at-hash": claims(azp=None, at_hash=None),
    "typ-absent": header(typ=None),
    "within-leeway": claims(exp=lambda c: int(NOW()) - 20, iat=lambda c: int(NOW()) + 20,
                            nbf=lambda c: int(NOW()) + 20),
    "non-ascii-claims": claims(name="Zoë Müller 日本語 🙂"),
    "fractional-times": claims(iat=lambda c: NOW() - 1.5, exp=lambda c: NOW() + 100.5),
}


@pytest.fixture(scope="module")
def good_gateway(make_nginx, upstream, op):
    return Gateway(make_nginx, upstream, op,
                   [Case(name, "none", arrange) for name, arrange in GOOD.items()])


@pytest.mark.parametrize("name", GOOD)
def test_accepted(good_gateway, name):
    case = Case(name, "none", GOOD[name])
    case.arrange(good_gateway.op.provider(name))
    client, log = Client(), good_gateway.nginx.view()
    response = good_gateway.login(case, client)
    assert response.status in (302, 303), (response, log.text())
    assert client.navigate(good_gateway.url(case)).header("X-Upstream") == "yes"


def test_rotation(make_nginx, upstream, op):
    """A key that appears later is fetched at the first token that names it, once for many."""
    case = Case("rotation", "none", lambda p: None, {"rediscovery_lifetime": "30s"})
    gateway, provider = Gateway(make_nginx, upstream, op, [case]), op.provider("rotation")
    assert gateway.login(case, Client()).status in (302, 303)
    before = provider.count("jwks")
    provider.rotate(1)
    for _ in range(5):
        assert gateway.login(case, Client()).status in (302, 303)
    assert provider.count("jwks") == before + 1


def test_unknown_keys_do_not_flood_the_provider(make_nginx, upstream, op):
    case = Case("flood", "jwt_key_unknown", header(kid="nobody"))
    gateway, provider = Gateway(make_nginx, upstream, op, [case]), op.provider("flood")
    case.arrange(provider)
    for _ in range(12):
        log = gateway.nginx.view()
        gateway.refused(case, gateway.login(case, Client()), log)
    assert provider.count("jwks") <= 3

"""What the provider encrypts to the client: ID tokens, userinfo, answers about tokens."""

import itertools
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from bench.access_token import bearer, call, refused
from bench.client import NAVIGATION, Client
from bench.gateway import Site, protect
from bench.grants import Grants, basic
from bench.http_server import Answer
from bench.jose import b64u, claims_of, compact, unb64u
from bench.jwe import EC, ENCS, RSA, EncryptionKey
from bench.login import login
from bench.nginx import location
from bench.scripted_op import json_answer, random_secret

SAME = [h for h in NAVIGATION if h[0] != "Sec-Fetch-Site"] + [("Sec-Fetch-Site", "same-origin")]
KEYS = {kind: EncryptionKey(kind, kind) for kind in ("RSA", "P-256", "P-384", "P-521", "X25519")}
STRANGER = EncryptionKey("RSA", "RSA")
INTROSPECTED = "application/token-introspection+jwt"


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("encryption")
    key = {"client_jwk": " ".join(str(key.path) for key in KEYS.values())}
    proxy = f"proxy_pass {upstream.origin};"
    asks = {"userinfo": "login", "upstream_header": "X-Email email"}
    judge = {"auth_methods": "introspection", "audience_required": "any",
             "cache_introspection": "off", "introspection_accept": INTROSPECTED}
    return Site(make_nginx, upstream, provider, "\n".join([
        location("/", protect(provider, **key, upstream_id_token_header="X-Id-Token",
                              logout_uri_suffix="/logout", logout_methods="GET") + proxy),
        location("/demanded/", protect(provider, **key, encryption_required="id_token",
                                       session_audience="demanded") + proxy),
        location("/few/", protect(provider, client_jwk=KEYS["RSA"].path,
                                  encryption_algs="RSA-OAEP-256", encryption_encs="A256GCM",
                                  session_audience="few") + proxy),
        location("/no-key/", protect(provider, session_audience="none") + proxy),
        location("/userinfo/", protect(provider, **key, **asks) + proxy),
        location("/userinfo-demanded/", protect(
            provider, **key, **asks, encryption_required="userinfo",
            session_audience="userinfo") + proxy),
        location("/judged/", protect(provider, **key, **judge) + proxy),
        location("/judged-demanded/", protect(provider, **key, **judge,
                                              encryption_required="introspection") + proxy),
        location("= /jwks", protect(provider, **key, unauthenticated="pass")
                 + "oidc_client_jwks on;")]))


@pytest.fixture(autouse=True)
def right_again(site):
    yield
    provider = site.provider
    provider.make_id_token = provider.sign_id_token
    provider.edit_claims = lambda claims: claims
    provider.override.clear()
    provider.introspection = {"active": True, "sub": "alice", "aud": "api"}


def encrypts(provider, key: EncryptionKey, alg: str, enc: str = "A256GCM", **header):
    provider.make_id_token = lambda claims: key.encrypt(
        provider.sign_id_token(claims), alg, enc, **header)


def no_login(site, path: str, reason: str):
    client, log = Client(), site.nginx.view()
    response = login(client, site.url(path))
    assert response.status == 502, response
    assert not [c for c in client.cookies() if "session" in c.name]
    assert reason in log.reasons(), log.text()
    return response


COMBINATIONS = [("RSA", alg, enc) for alg, enc in itertools.product(RSA, ENCS)]
COMBINATIONS += [("P-256", alg, enc) for alg, enc in itertools.product(EC, ENCS)]
COMBINATIONS += [(kind, alg, "A128CBC-HS256")
                 for kind, alg in itertools.product(("P-384", "P-521", "X25519"), EC)]


def test_each_algorithm_with_each_content_encryption(site):
    for kind, alg, enc in COMBINATIONS:
        encrypts(site.provider, KEYS[kind], alg, enc)
        client = Client()
        site.login(client)
        inner = site.echo(client).header("X-Id-Token")
        assert claims_of(inner)["sub"] == "alice", (kind, alg, enc)


def test_the_signed_token_inside_is_the_hint_at_logout(site):
    encrypts(site.provider, KEYS["RSA"], "RSA-OAEP-256")
    client = Client()
    site.login(client)
    inner = site.echo(client).header("X-Id-Token")
    response = client.request("GET", site.url("/logout"), SAME)
    assert response.status in (302, 303), response
    hint = parse_qs(urlsplit(response.location).query)["id_token_hint"][0]
    assert hint == inner and hint.count(".") == 2


def test_plain_ones_where_encryption_is_demanded(site):
    site.login(Client())
    no_login(site, "/demanded/", "jwe_missing")
    encrypts(site.provider, KEYS["P-256"], "ECDH-ES")
    site.login(Client(), "/demanded/")


def test_at_refresh(site):
    provider = site.provider
    for path in ("/", "/demanded/"):
        encrypts(provider, KEYS["RSA"], "RSA-OAEP")
        provider.token_life = 1
        client, before = Client(), provider.count("token")
        site.login(client, path)
        provider.token_life = 300
        time.sleep(1.1)
        assert client.navigate(site.url(path)).status == 200
        assert provider.count("token") == before + 2


def test_a_plain_one_at_refresh_is_refused(site):
    provider = site.provider
    encrypts(provider, KEYS["RSA"], "RSA-OAEP")
    provider.token_life = 1
    client, log = Client(), site.nginx.view()
    site.login(client, "/demanded/")
    provider.token_life = 300
    provider.make_id_token = provider.sign_id_token
    time.sleep(1.1)
    response = client.navigate(site.url("/demanded/"))
    assert response.status == 503, response
    assert "refresh_failed" in log.reasons() and "jwe_missing" in log.text()


def test_what_is_accepted_can_be_less(site):
    encrypts(site.provider, KEYS["RSA"], "RSA-OAEP-256", "A256GCM")
    site.login(Client(), "/few/")
    encrypts(site.provider, KEYS["RSA"], "RSA-OAEP", "A256GCM")
    no_login(site, "/few/", "jwe_not_allowed")
    encrypts(site.provider, KEYS["RSA"], "RSA-OAEP-256", "A128GCM")
    no_login(site, "/few/", "jwe_not_allowed")


def changed(token: str, part: int, make) -> str:
    parts = token.split(".")
    parts[part] = b64u(make(unb64u(parts[part])))
    return ".".join(parts)


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1]) if data else b"x"


def header(**values):
    def make(data: bytes) -> bytes:
        merged = {**json.loads(data), **values}
        return json.dumps({n: v for n, v in merged.items() if v is not None}).encode()
    return make


def epk(**values):
    def make(data: bytes) -> bytes:
        head = json.loads(data)
        head["epk"] |= values
        return json.dumps(head).encode()
    return make


def by_rsa(inner, **options):
    return KEYS["RSA"].encrypt(inner, "RSA-OAEP", **options)


def by_ec(inner):
    return KEYS["P-256"].encrypt(inner, "ECDH-ES")


# Of the signed token, the hostile one.
HOSTILE = {
    "another key": (lambda t: STRANGER.encrypt(t, "RSA-OAEP"), "jwe_decryption"),
    "tag": (lambda t: changed(by_rsa(t), 4, flip), "jwe_decryption"),
    "short tag": (lambda t: changed(by_rsa(t), 4, lambda d: d[:4]), "jwe_decryption"),
    "no tag": (lambda t: changed(by_rsa(t), 4, lambda d: b""), "jwe_decryption"),
    "ciphertext": (lambda t: changed(by_rsa(t), 3, flip), "jwe_decryption"),
    "nonce": (lambda t: changed(by_rsa(t), 2, flip), "jwe_decryption"),
    "no nonce": (lambda t: changed(by_rsa(t), 2, lambda d: b""), "jwe_decryption"),
    "key": (lambda t: changed(by_rsa(t), 1, flip), "jwe_decryption"),
    "no key": (lambda t: changed(by_rsa(t), 1, lambda d: b""), "jwe_decryption"),
    "cbc tag": (lambda t: changed(by_rsa(t, enc="A128CBC-HS256"), 4, flip), "jwe_decryption"),
    "off the curve": (lambda t: changed(by_ec(t), 0, epk(y=b64u(b"\x01" * 32))), "jwe_decryption"),
    "another curve": (lambda t: changed(by_ec(t), 0, epk(
        **{n: v for n, v in KEYS["P-384"].public().items() if n in ("crv", "x", "y")})),
        "jwe_decryption"),
    "no point": (lambda t: changed(by_ec(t), 0, header(epk=None)), "jwe_decryption"),
    "swapped parts": (lambda t: ".".join(by_rsa(t).split(".")[i] for i in (0, 1, 4, 3, 2)),
                      "jwe_decryption"),
    "parts of two": (lambda t: ".".join(by_rsa(t).split(".")[:3] + by_rsa(t).split(".")[3:]),
                     "jwe_decryption"),
    "cut": (lambda t: by_rsa(t)[:-6], "jwe_decryption"),
    "four parts": (lambda t: by_rsa(t).rpartition(".")[0], "jwt_malformed"),
    "six parts": (lambda t: by_rsa(t) + ".x", "jwt_malformed"),
    "zip": (lambda t: changed(by_rsa(t), 0, header(zip="DEF")), "jwe_not_allowed"),
    "zip that is one": (lambda t: by_rsa(t, zip="DEF"), "jwe_not_allowed"),
    "crit": (lambda t: changed(by_rsa(t), 0, header(crit=["x"])), "jwe_not_allowed"),
    "RSA1_5": (lambda t: KEYS["RSA"].encrypt(t, "RSA1_5"), "jwe_not_allowed"),
    "dir": (lambda t: changed(by_rsa(t), 0, header(alg="dir")), "jwe_not_allowed"),
    "A128KW": (lambda t: changed(by_rsa(t), 0, header(alg="A128KW")), "jwe_not_allowed"),
    "PBES2": (lambda t: changed(by_rsa(t), 0, header(
        alg="PBES2-HS256+A128KW", p2c=2**31 - 1, p2s="AAAA")), "jwe_not_allowed"),
    "header name twice": (lambda t: changed(
        by_rsa(t), 0, lambda d: d[:-1] + b', "alg": "RSA-OAEP"}'), "jwe_malformed"),
    "large header": (lambda t: changed(by_rsa(t), 0, header(x="y" * 5000)), "jwe_malformed"),
    "deep header": (lambda t: changed(
        by_rsa(t), 0, lambda d: d[:-1] + b', "x": ' + b"[" * 64 + b"]" * 64 + b"}"),
        "jwe_malformed"),
    "twice encrypted": (lambda t: by_rsa(by_rsa(t)), "jwt_malformed"),
    "not signed inside": (lambda t: by_rsa(unb64u(t.split(".")[1]).decode()), "jwt_malformed"),
    "alg none inside": (lambda t: by_rsa(
        b64u(b'{"alg":"none"}') + "." + t.split(".")[1] + "."), "jwt_alg_none"),
    "spoilt signature inside": (lambda t: by_rsa(changed(t, 2, flip)), "jwt_signature"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(site, name):
    make, reason = HOSTILE[name]
    provider = site.provider
    provider.make_id_token = lambda claims: make(provider.sign_id_token(claims))
    no_login(site, "/", reason)


def test_parts_of_two_tokens(site):
    provider, kept = site.provider, []

    def make(claims):
        kept.append(by_rsa(provider.sign_id_token(claims)).split("."))
        return ".".join(kept[0][:3] + kept[-1][3:])
    provider.make_id_token = make
    site.login(Client())
    no_login(site, "/", "jwe_decryption")


def test_failures_of_decryption_look_the_same(site):
    seen = set()
    for name in ("another key", "tag", "key", "cbc tag", "off the curve", "no point", "cut"):
        make, reason = HOSTILE[name]
        provider = site.provider
        provider.make_id_token = lambda claims, make=make: make(provider.sign_id_token(claims))
        response = no_login(site, "/", reason)
        body = response.text
        for header_name in ("X-Request-Id",):
            body = body.replace(response.header(header_name) or "\0", "")
        seen.add((response.status, len(body)))
    assert len(seen) == 1, seen


def test_claims_inside_are_judged(site):
    encrypts(site.provider, KEYS["RSA"], "RSA-OAEP")
    site.provider.edit_claims = lambda claims: {**claims, "aud": "another"}
    no_login(site, "/", "id_token_aud")


def test_without_a_key(site):
    encrypts(site.provider, KEYS["RSA"], "RSA-OAEP")
    no_login(site, "/no-key/", "jwe_decryption")


def test_tokens_that_a_password_brought(make_nginx, upstream, op):
    provider = op.provider("encryption-grants")
    grants = Grants(provider)
    password = {"auth_methods": "password", "audience_required": "api",
                "client_jwk": KEYS["RSA"].path, "encryption_required": "id_token"}
    site = Site(make_nginx, upstream, provider, **password)

    def call_with(change) -> int:
        provider.edit_token_answer = lambda answer: {**answer, "id_token": change(answer["id_token"])}
        return call(site.url("/x"), basic(*grants.user())).status
    assert call_with(by_rsa) == 200
    assert call_with(lambda token: token) == 502
    assert call_with(lambda token: STRANGER.encrypt(token, "RSA-OAEP")) == 502


# ---- userinfo -------------------------------------------------------------------------------------

def test_userinfo(site):
    provider = site.provider
    claims = {"sub": "alice", "email": "inside@example.test"}

    def says(content: str, kind: str = "application/jwt"):
        provider.override["userinfo"] = Answer(200, content.encode(), kind)
    inner = compact(provider.header(), claims, provider.signer.sign)
    says(KEYS["P-521"].encrypt(inner, "ECDH-ES+A256KW", "A256CBC-HS512"))
    for path in ("/userinfo/", "/userinfo-demanded/"):
        client = Client()
        site.login(client, path)
        assert site.echo(client, path).header("X-Email") == "inside@example.test"
    assert provider.last("userinfo").header("Accept") == "application/jwt"
    says(KEYS["RSA"].encrypt(json.dumps(claims), "RSA-OAEP"))
    no_login(site, "/userinfo/", "userinfo_invalid")
    says(STRANGER.encrypt(inner, "RSA-OAEP"))
    no_login(site, "/userinfo/", "userinfo_invalid")
    says(inner)
    site.login(Client(), "/userinfo/")
    no_login(site, "/userinfo-demanded/", "userinfo_invalid")
    says(json.dumps(claims), "application/json")
    site.login(Client(), "/userinfo/")
    no_login(site, "/userinfo-demanded/", "userinfo_invalid")


# ---- introspection (RFC 9701) ---------------------------------------------------------------------

def signed_answer(provider, change=None, **header_changes) -> str:
    claims = {"iss": provider.issuer, "aud": provider.client_id, "iat": int(time.time()),
              "token_introspection": provider.introspection}
    head = {**provider.header(), "typ": "token-introspection+jwt", **header_changes}
    return compact(head, {**claims, **(change or {})}, provider.signer.sign)


def judged(site, path: str, content: str, kind: str = INTROSPECTED):
    site.provider.override["introspect"] = Answer(200, content.encode(), kind)
    return call(site.url(path), bearer(random_secret("access token")))


def test_introspection(site):
    provider = site.provider
    plain = signed_answer(provider)
    sealed = KEYS["P-256"].encrypt(plain, "ECDH-ES")
    assert judged(site, "/judged/x", plain).status == 200
    assert provider.last("introspect").header("Accept") == INTROSPECTED
    assert judged(site, "/judged/x", sealed).status == 200
    assert judged(site, "/judged-demanded/x", sealed).status == 200
    assert judged(site, "/judged-demanded/x", plain).status == 502
    assert judged(site, "/judged/x", STRANGER.encrypt(plain, "RSA-OAEP")).status == 502
    provider.introspection = {"active": False}
    refused(judged(site, "/judged/x", signed_answer(provider)), 401, "invalid_token")


WRONG_ANSWERS = {
    "issuer": ({"iss": "https://evil.example"}, {}),
    "audience": ({"aud": "another"}, {}),
    "no audience": ({"aud": None}, {}),
    "future": ({"iat": int(time.time()) + 7200}, {}),
    "no iat": ({"iat": None}, {}),
    "typ of another token": ({}, {"typ": "JWT"}),
    "access token": ({}, {"typ": "at+jwt"}),
    "active outside": ({"active": True, "token_introspection": {}}, {}),
    "no object": ({"token_introspection": [True]}, {}),
}


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_wrong_answers(site, name):
    claims, head = WRONG_ANSWERS[name]
    log = site.nginx.view()
    assert judged(site, "/judged/x", signed_answer(site.provider, claims, **head)).status == 502
    assert "introspection_invalid" in log.reasons()


def test_plain_answers_where_signed_ones_are_asked_for(site):
    log = site.nginx.view()
    site.provider.override["introspect"] = lambda r: json_answer({"active": True})
    response = call(site.url("/judged/x"), bearer(random_secret("access token")))
    assert response.status == 502
    assert "it is not signed" in log.text()


# ---- the client's keys ----------------------------------------------------------------------------

def test_public_encryption_keys_are_published(site):
    keys = Client().request("GET", site.url("/jwks")).json()["keys"]
    assert keys == [{**key.public()} for key in KEYS.values()]
    assert all(key["use"] == "enc" and "d" not in key for key in keys)

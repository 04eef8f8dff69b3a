"""Bearer tokens and requests that are wrong in one place each: none reaches the upstream."""

import json
import time

import pytest
from bench.access_token import (access_claims, access_header, access_token, bearer, call, refused,
                                unwatched_token)
from bench.client import Client
from bench.gateway import Site, protect
from bench.jose import SigningKey, b64u, compact, hmac_signer, unb64u
from bench.nginx import location
from bench.scripted_op import CLIENT_SECRET

EVIL = SigningKey("RS256", "evil", 66)
NOW = int(time.time())


@pytest.fixture(scope="module")
def site(make_nginx, upstream, op):
    provider = op.provider("hostile-bearer")
    settings = {"auth_methods": "session authorization_code bearer", "audience_required": "api",
                "rediscovery_lifetime": "1h"}
    proxy = f"proxy_pass {upstream.origin};"
    body = "large_client_header_buffers 4 512k; client_header_buffer_size 512k;\n" + "\n".join([
        location("/", protect(provider, **settings) + proxy),
        location("/pass/", protect(provider, **settings, unauthenticated="pass") + proxy),
    ])
    return Site(make_nginx, upstream, provider, body)


# ---- tokens: name -> (reason, token of a provider) --------------------------------------------------

def claims(reason, **changes):
    return reason, lambda p: access_token(p, **changes)


def header(reason, **changes):
    return reason, lambda p: access_token(p, changes)


def evil(reason, **changes):
    """Signed by a stranger."""
    return reason, lambda p: access_token(p, changes, EVIL.sign)


def raw_claims(reason, make):
    """`make` gets the right claims and returns the payload's bytes."""
    return reason, lambda p: compact(access_header(p), make(access_claims(p)), p.signer.sign)


def raw_header(reason, make):
    return reason, lambda p: compact(make(access_header(p)), access_claims(p), p.signer.sign)


def with_claim(text: str):
    """The claims with one more member, as it stands."""
    return lambda c: json.dumps(c)[:-1].encode() + b", " + text.encode() + b"}"


def without(name, text):
    def make(c):
        return with_claim(text)({k: v for k, v in c.items() if k != name})
    return make


def hmac(reason, alg, secret):
    return reason, lambda p: access_token(p, {"alg": alg}, hmac_signer(alg, secret(p)))


def cut(reason, change):
    return reason, lambda p: change(*access_token(p).split("."))


def flipped(part: str, at: int) -> str:
    data = bytearray(unb64u(part))
    data[at] ^= 1
    return b64u(bytes(data))


def id_token(p):
    return p.sign_id_token({"iss": p.issuer, "aud": ["gateway", "api"], "sub": "alice", "iat": NOW,
                            "exp": NOW + 300, "nonce": "n"})


MALFORMED, ALG, CRIT = "jwt_malformed", "jwt_alg_not_allowed", "jwt_crit"
UNKNOWN, SIGNATURE = "jwt_key_unknown", "jwt_signature"
KIND, ISS, AUD = "access_token_kind", "access_token_iss", "access_token_aud"
EXP, NBF, IAT, BOUND = ("access_token_exp", "access_token_nbf", "access_token_iat",
                        "access_token_bound")

TOKENS = {
    # algorithms
    "alg-none": ("jwt_alg_none", lambda p: access_token(p, {"alg": "none"}, lambda d: b"")),
    "alg-none-case": ("jwt_alg_none", lambda p: access_token(p, {"alg": "NoNe"}, lambda d: b"")),
    "alg-none-signed": ("jwt_alg_none",
                        lambda p: access_token(p, {"alg": "none"}, p.signer.sign)),
    "alg-missing": header(MALFORMED, alg=None),
    "alg-number": header(MALFORMED, alg=5),
    "alg-list": header(MALFORMED, alg=["RS256"]),
    "alg-empty": header(ALG, alg=""),
    "alg-unknown": header(ALG, alg="RS1"),
    "alg-lower-case": header(ALG, alg="rs256"),
    "alg-of-encryption": header(ALG, alg="RSA-OAEP"),
    "alg-dir": header(ALG, alg="dir", enc="A256GCM"),
    "alg-pss-for-pkcs": header(UNKNOWN, alg="PS256"),
    "alg-ec-for-rsa": header(UNKNOWN, alg="ES256"),
    "alg-eddsa-for-rsa": header(UNKNOWN, alg="EdDSA"),
    "hs256-public-key": hmac(ALG, "HS256", lambda p: p.signer.public_pem()),
    "hs256-jwk": hmac(ALG, "HS256", lambda p: json.dumps(p.signer.jwk()).encode()),
    "hs256-client-secret": hmac(ALG, "HS256", lambda p: CLIENT_SECRET.encode()),
    "hs512-client-secret": hmac(ALG, "HS512", lambda p: CLIENT_SECRET.encode()),
    "hs256-empty-secret": hmac(ALG, "HS256", lambda p: b""),
    # keys of the attacker's choice
    "jwk-in-header": evil(SIGNATURE, jwk=EVIL.jwk()),
    "jwk-own-kid": evil(UNKNOWN, kid="evil", jwk=EVIL.jwk()),
    "jku": evil(SIGNATURE, jku="https://evil.test/jwks"),
    "x5u": evil(SIGNATURE, x5u="https://evil.test/cert"),
    "x5c": evil(SIGNATURE, x5c=["MIIB"]),
    "no-kid": evil(SIGNATURE, kid=None),
    "kid-empty": evil(SIGNATURE, kid=""),
    "kid-path": evil(UNKNOWN, kid="../../../../dev/null"),
    "kid-sql": evil(UNKNOWN, kid="x' UNION SELECT 'key"),
    "kid-long": evil(UNKNOWN, kid="k" * 10_000),
    "kid-number": evil(MALFORMED, kid=5),
    "kid-list": evil(MALFORMED, kid=["key-0"]),
    # header members that change the meaning
    "crit": header(CRIT, crit=["exp"]),
    "crit-empty": header(CRIT, crit=[]),
    "crit-b64": header(CRIT, crit=["b64"], b64=False),
    "b64": header(CRIT, b64=False),
    "b64-true": header(CRIT, b64=True),
    "zip": header(MALFORMED, zip="DEF"),
    # other kinds of token
    **{f"typ-{name.replace('+', '-').replace('/', '-')}": header(KIND, typ=name) for name in (
        "logout+jwt", "dpop+jwt", "secevent+jwt", "id_token+jwt", "token-introspection+jwt",
        "kb+jwt", "oauth-authz-req+jwt", "application/logout+jwt", "LOGOUT+JWT")},
    "typ-number": header(MALFORMED, typ=5),
    **{f"claim-{name}": claims(KIND, **{name: "x"}) for name in (
        "nonce", "at_hash", "c_hash", "s_hash", "events")},
    "claim-nonce-null": raw_claims(KIND, with_claim('"nonce": null')),
    **{f"keycloak-{name}": claims(KIND, typ=name) for name in (
        "ID", "Refresh", "Offline", "Logout", "refresh")},
    "an-id-token": (KIND, id_token),
    "a-logout-token": claims(KIND, events={
        "http://schemas.openid.net/event/backchannel-logout": {}}),
    # issuer
    "iss-other": claims(ISS, iss="https://evil.test"),
    "iss-missing": claims(ISS, iss=None),
    "iss-null": raw_claims(ISS, without("iss", '"iss": null')),
    "iss-number": claims(ISS, iss=5),
    "iss-list": (ISS, lambda p: access_token(p, iss=[p.issuer])),
    "iss-slash": (ISS, lambda p: access_token(p, iss=p.issuer + "/")),
    "iss-longer": (ISS, lambda p: access_token(p, iss=p.issuer + ".evil.test")),
    "iss-shorter": (ISS, lambda p: access_token(p, iss=p.issuer[:-1])),
    "iss-case": (ISS, lambda p: access_token(p, iss=p.issuer.upper())),
    "iss-empty": claims(ISS, iss=""),
    # audience
    "aud-other": claims(AUD, aud="other"),
    "aud-missing": claims(AUD, aud=None),
    "aud-null": raw_claims(AUD, without("aud", '"aud": null')),
    "aud-number": claims(AUD, aud=5),
    "aud-others": claims(AUD, aud=["other", "another"]),
    "aud-none": claims(AUD, aud=[]),
    "aud-object": claims(AUD, aud={"api": True}),
    "aud-nested": claims(AUD, aud=[["api"]]),
    "aud-case": claims(AUD, aud="API"),
    "aud-longer": claims(AUD, aud="api2"),
    "aud-empty": claims(AUD, aud=""),
    # times
    "exp-missing": claims(EXP, exp=None),
    "exp-past": claims(EXP, exp=NOW - 120),
    "exp-zero": claims(EXP, exp=0),
    "exp-negative": claims(EXP, exp=-1),
    "exp-string": claims(EXP, exp=str(NOW + 300)),
    "exp-list": claims(EXP, exp=[NOW + 300]),
    "exp-true": claims(EXP, exp=True),
    "exp-null": raw_claims(EXP, without("exp", '"exp": null')),
    "exp-1e300": raw_claims(EXP, without("exp", '"exp": 1e300')),
    "exp-2-to-the-63": raw_claims(EXP, without("exp", '"exp": 9223372036854775808')),
    "exp-1e400": raw_claims((EXP, MALFORMED), without("exp", '"exp": 1e400')),
    "exp-nan": raw_claims(MALFORMED, without("exp", '"exp": NaN')),
    "exp-infinity": raw_claims(MALFORMED, without("exp", '"exp": Infinity')),
    "nbf-future": claims(NBF, nbf=NOW + 86400),
    "nbf-string": claims(NBF, nbf="now"),
    "nbf-negative": claims(NBF, nbf=-1),
    "nbf-1e300": raw_claims(NBF, with_claim('"nbf": 1e300')),
    "iat-future": claims(IAT, iat=NOW + 86400),
    "iat-string": claims(IAT, iat="now"),
    "iat-null": raw_claims(IAT, without("iat", '"iat": null')),
    # bound to a key that nobody proves
    "cnf-jkt": claims(BOUND, cnf={"jkt": "x"}),
    "cnf-x5t": claims(BOUND, cnf={"x5t#S256": "x"}),
    "cnf-empty": claims(BOUND, cnf={}),
    "cnf-text": claims(BOUND, cnf="x"),
    # subject
    "sub-number": claims(KIND, sub=5),
    "sub-list": claims(KIND, sub=["alice"]),
    "sub-empty": claims(KIND, sub=""),
    "sub-long": claims(KIND, sub="s" * 5000),
    # the signature and the form
    "signature-none": cut(MALFORMED, lambda h, p, s: f"{h}.{p}"),
    "signature-empty": cut((SIGNATURE, MALFORMED), lambda h, p, s: f"{h}.{p}."),
    "signature-flipped": cut(SIGNATURE, lambda h, p, s: f"{h}.{p}.{flipped(s, 7)}"),
    "signature-zero": cut(SIGNATURE, lambda h, p, s: f"{h}.{p}.{b64u(bytes(256))}"),
    "signature-shorter": cut(SIGNATURE, lambda h, p, s: f"{h}.{p}.{b64u(unb64u(s)[:-1])}"),
    "signature-longer": cut(SIGNATURE, lambda h, p, s: f"{h}.{p}.{b64u(unb64u(s) + b'x')}"),
    "signature-padded": cut(MALFORMED, lambda h, p, s: f"{h}.{p}.{s}=="),
    "signature-plain-base64": cut(MALFORMED, lambda h, p, s: f"{h}.{p}.+/{s[2:]}"),
    "signature-of-another": (SIGNATURE, lambda p: ".".join(
        [*access_token(p).split(".")[:2], access_token(p, sub="bob").split(".")[2]])),
    "payload-of-another": (SIGNATURE, lambda p: ".".join(
        [access_token(p).split(".")[0], access_token(p, sub="root").split(".")[1],
         access_token(p).split(".")[2]])),
    "header-of-another": (SIGNATURE, lambda p: ".".join(
        [access_token(p, {"x": "y"}).split(".")[0], *access_token(p).split(".")[1:]])),
    "four-parts": cut(MALFORMED, lambda h, p, s: f"{h}.{p}.{s}.{s}"),
    "five-parts": cut(MALFORMED, lambda h, p, s: f"{h}.{s}.{s}.{p}.{s}"),
    "dots-only": (MALFORMED, lambda p: ".."),
    "junk": (MALFORMED, lambda p: "junk"),
    "header-empty": cut(MALFORMED, lambda h, p, s: f".{p}.{s}"),
    "payload-empty": cut(MALFORMED, lambda h, p, s: f"{h}..{s}"),
    "header-no-json": raw_header(MALFORMED, lambda h: b"junk"),
    "header-list": raw_header(MALFORMED, lambda h: json.dumps([h]).encode()),
    "header-twice-alg": raw_header(
        MALFORMED, lambda h: b'{"alg":"none",' + json.dumps(h).encode()[1:]),
    "payload-no-json": raw_claims(MALFORMED, lambda c: b"junk"),
    "payload-list": raw_claims(MALFORMED, lambda c: json.dumps([c]).encode()),
    "payload-text": raw_claims(MALFORMED, lambda c: json.dumps(json.dumps(c)).encode()),
    "payload-number": raw_claims(MALFORMED, lambda c: b"1"),
    "payload-trailing": raw_claims(MALFORMED, lambda c: json.dumps(c).encode() + b"{}"),
    "payload-nul": raw_claims(MALFORMED, lambda c: json.dumps(c).encode() + b"\0"),
    "payload-not-utf8": raw_claims(
        MALFORMED, lambda c: json.dumps(c)[:-1].encode() + b', "x": "\xff\xfe"}'),
    "payload-nested": raw_claims(MALFORMED, with_claim('"x": ' + "[" * 1000 + "]" * 1000)),
    "payload-wide": raw_claims(
        MALFORMED, with_claim('"x": [' + ",".join(["1"] * 25_000) + "]")),
    "payload-twice-aud": raw_claims(MALFORMED, with_claim('"aud": "api"')),
    "payload-twice-exp": raw_claims(MALFORMED, with_claim(f'"exp": {NOW + 9999}')),
    "payload-twice-escaped": raw_claims(MALFORMED, with_claim('"\\u0061ud": "api"')),
    "a-token-in-a-token": (MALFORMED, lambda p: compact(
        access_header(p, cty="JWT"), access_token(p).encode(), p.signer.sign)),
    "100-kb": claims(MALFORMED, x="x" * 100_000),
}


def judge(site, name, response, status, error, reasons, seen):
    refused(response, status, error)
    assert site.upstream.seen(f"/{name}") == [] and site.upstream.seen(f"/pass/{name}") == []
    if reasons:
        assert seen.wait_reason(reasons), (reasons, seen.reasons())
    assert not [line for line in seen.text().splitlines() if "[error]" in line], seen.text()


@pytest.mark.parametrize("name", TOKENS)
def test_hostile_token(site, name):
    reasons, make = TOKENS[name]
    reasons = [reasons] if isinstance(reasons, str) else list(reasons)
    token = make(site.provider)
    # Twice: what was refused is not remembered as good. And `pass` is for nobody, not for this.
    for path in (f"/{name}", f"/{name}", f"/pass/{name}"):
        seen = site.nginx.view()
        judge(site, name, call(site.url(path), bearer(token)), 401, "invalid_token", reasons, seen)


# ---- requests: name -> (status, error, reason, headers of a right token) ----------------------------

MALFORMED_REQUEST = (400, "invalid_request", "credential_malformed")
CONFLICT = (400, "invalid_request", "credential_conflict")
NOBODY = (401, None, "unauthenticated")


def authorization(value):
    return lambda t: [("Authorization", value.format(t=t))]


REQUESTS = {
    "no-token": (MALFORMED_REQUEST, authorization("Bearer")),
    "tab": (MALFORMED_REQUEST, authorization("Bearer\t{t}")),
    "tab-after-blank": (MALFORMED_REQUEST, authorization("Bearer \t{t}")),
    "two-in-one": (MALFORMED_REQUEST, authorization("Bearer {t} {t}")),
    "comma": (MALFORMED_REQUEST, authorization("Bearer {t},Bearer {t}")),
    "comma-blank": (MALFORMED_REQUEST, authorization("Bearer {t}, Basic YTpi")),
    "quoted": (MALFORMED_REQUEST, authorization('Bearer "{t}"')),
    "parameter": (MALFORMED_REQUEST, authorization("Bearer token={t};x")),
    "percent": (MALFORMED_REQUEST, authorization("Bearer %65{t}")),
    "not-ascii": (MALFORMED_REQUEST, authorization("Bearer é{t}")),
    "equals-only": (MALFORMED_REQUEST, authorization("Bearer ===")),
    "own-header-empty": (MALFORMED_REQUEST, lambda t: [("X-Access-Token", "")]),
    "own-header-blank-inside": (MALFORMED_REQUEST, lambda t: [("Access-Token", f"{t} {t}")]),
    "two-places": (CONFLICT, lambda t: [bearer(t), ("X-Access-Token", t)]),
    "two-own-headers": (CONFLICT, lambda t: [("Access-Token", t), ("X-Access-Token", t)]),
    "own-header-twice": (CONFLICT, lambda t: [("Access-Token", t), ("Access-Token", t)]),
    "good-and-broken": (CONFLICT, lambda t: [bearer(t), ("Access-Token", "broken token")]),
    "scheme-dpop": ((401, "invalid_token", "access_token_bound"), authorization("DPoP {t}")),
    "scheme-colon": (NOBODY, authorization("Bearer: {t}")),
    "scheme-equals": (NOBODY, authorization("Bearer={t}")),
    "scheme-token": (NOBODY, authorization("Token {t}")),
    "scheme-basic": (NOBODY, authorization("Basic {t}")),
    "scheme-missing": (NOBODY, authorization("{t}")),
    "scheme-longer": (NOBODY, authorization("Bearers {t}")),
    "proxy-authorization": (NOBODY, lambda t: [("Proxy-Authorization", f"Bearer {t}")]),
    "x-authorization": (NOBODY, lambda t: [("X-Authorization", f"Bearer {t}")]),
    "underscores": (NOBODY, lambda t: [("X_Access_Token", t)]),
    "cookie": (NOBODY, lambda t: [("Cookie", f"access_token={t}; Authorization=Bearer {t}")]),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_hostile_request(site, name):
    (status, error, reason), make = REQUESTS[name]
    seen = site.nginx.view()
    # nginx writes a header that it drops into its log.
    token_of = unwatched_token if name == "underscores" else access_token
    response = call(site.url(f"/{name}"), *make(token_of(site.provider)))
    judge(site, name, response, status, error, [reason], seen)


def test_two_authorization_headers(site):
    """nginx itself refuses them, or we do: nobody has to guess which one another server reads."""
    token = unwatched_token(site.provider)
    for second in (bearer(token), ("Authorization", "Basic YTpi")):
        for pair in ((bearer(token), second), (second, bearer(token))):
            assert call(site.url("/two"), *pair).status == 400
    assert site.upstream.seen("/two") == []


def test_places_that_are_off(site):
    token = unwatched_token(site.provider)
    refused(call(site.url(f"/places?access_token={token}")), 401, None)
    refused(call(site.url("/places"), ("Content-Type", "application/x-www-form-urlencoded"),
                 method="POST", body=f"access_token={token}".encode()), 401, None)
    assert site.upstream.seen("/places") == []


def test_a_flood_of_refused_tokens_pushes_no_good_one_out(site):
    good = access_token(site.provider)
    client = Client()
    assert call(site.url("/good"), bearer(good), client=client).status == 200
    for number in range(50):
        wrong = access_token(site.provider, aud=f"other-{number}")
        refused(call(site.url("/flood"), bearer(wrong), client=client), 401, "invalid_token")
    assert call(site.url("/good"), bearer(good), client=client).status == 200
